/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Control: the socket to the launcher, and the questions that wait for its answer.
 *
 * Nothing here waits: a message that the socket cannot take at once is not sent, and the caller
 * treats it as an answer that says no.
 */
#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "sidecar/wire/network.h"

#define CONTROL_QUESTIONS_MAX 8192U /* unanswered at once */

struct event_base;
typedef struct Control Control;

/* A message that answers no question of ours; NULL when the launcher has gone, which ends this
 * process. -1: a broken launcher. */
typedef int ControlHandler(void *context, WireMessage *message, Error *error);
/* The answer; the handler reads it by its type. */
typedef void ControlAnswered(void *context, WireMessage *message);

/* fd becomes the control's. */
int control_new(struct event_base *loop, int fd, ControlHandler *handler, void *context,
        Control **ret_control, Error *error);
Control *control_free(Control *control);
DEFINE_CLEANUP(Control *, control_free);

int control_fd(const Control *control); /* for wire_*_write() */

/* A number for a question that is about to be sent; 0 when too many wait. */
uint32_t control_expect(Control *control, ControlAnswered *answered, void *context);
/* The answer is not wanted any more. A number that is not waiting is allowed. */
void control_forget(Control *control, uint32_t id);
