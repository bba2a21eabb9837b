/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/egress/control.h"

#include "base/fd.h"
#include "base/log.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>

/* An id is a place in the table and how often that place was used, so that a late answer finds
 * nobody. */
#define PLACE_BITS 13U
#define PLACE_MASK (CONTROL_QUESTIONS_MAX - 1U)
#define MESSAGES_A_TURN 64 /* before connections have their turn */

typedef struct Question {
        uint32_t id; /* 0 = free */
        uint32_t uses;
        uint32_t next_free; /* place + 1 */
        ControlAnswered *answered;
        void *context;
} Question;

struct Control {
        int fd;
        struct event *event;
        ControlHandler *handler;
        void *context;
        Question questions[CONTROL_QUESTIONS_MAX];
        uint32_t first_free; /* place + 1; 0 = none */
        WireMessage message;
};

_Static_assert(1U << PLACE_BITS == CONTROL_QUESTIONS_MAX, "a place fits its bits");

static void release(Control *control, Question *question) {
        question->id = 0;
        question->next_free = control->first_free;
        control->first_free = (uint32_t)(question - control->questions) + 1;
}

uint32_t control_expect(Control *control, ControlAnswered *answered, void *context) {
        const uint32_t place = control->first_free - 1;
        Question *question;

        if (control->first_free == 0)
                return 0;
        question = &control->questions[place];
        control->first_free = question->next_free;
        question->uses = (question->uses + 1) & (UINT32_MAX >> PLACE_BITS);
        if (question->uses == 0)
                question->uses = 1; /* an id is never 0 */
        question->id = question->uses << PLACE_BITS | place;
        question->answered = answered;
        question->context = context;
        return question->id;
}

static Question *find_question(Control *control, uint32_t id) {
        Question *question = &control->questions[id & PLACE_MASK];

        return id != 0 && question->id == id ? question : NULL;
}

void control_forget(Control *control, uint32_t id) {
        Question *question = find_question(control, id);

        if (question != NULL)
                release(control, question);
}

static bool is_answer(WireType type) {
        return type == WIRE_LISTENING || type == WIRE_LISTEN_REFUSED || type == WIRE_OWNER ||
               type == WIRE_PROGRAMS;
}

static int hear(Control *control, Error *error) {
        WireMessage *message = &control->message;
        Question *question = find_question(control, message->header.id);
        ControlAnswered *answered;
        void *context;

        if (!is_answer(message->header.type))
                return control->handler(control->context, message, error);
        if (question == NULL)
                return 0; /* forgotten meanwhile */
        answered = question->answered;
        context = question->context;
        release(control, question);
        answered(context, message);
        return 0;
}

static void on_readable(evutil_socket_t fd, short what, void *context) {
        Control *control = context;
        Error error = { 0 };

        for (int i = 0; i < MESSAGES_A_TURN; i++) {
                int r = wire_receive(control->fd, &control->message);

                if (r == -EAGAIN)
                        return;
                if (r > 0)
                        r = hear(control, &error);
                else if (r < 0)
                        r = error_set(
                                &error, ERROR_PEER, -r, "the launcher's message cannot be read");
                else
                        r = error_set(&error, ERROR_PEER, 0, "the launcher has gone");
                wire_message_done(&control->message);
                if (r < 0) {
                        (void)log_error(&error, "ending");
                        (void)event_del(control->event);
                        (void)control->handler(control->context, NULL, &error);
                        return;
                }
        }
}

int control_new(struct event_base *loop, int fd, ControlHandler *handler, void *context,
        Control **ret_control, Error *error) {
        cleanup(control_freep) Control *control = calloc(1, sizeof(*control));
        int r = fd_set_nonblocking(fd);

        if (control == NULL) {
                (void)fd_close(fd);
                return error_set(error, ERROR_OS, ENOMEM, "cannot listen to the launcher");
        }
        control->fd = fd;
        control->handler = handler;
        control->context = context;
        for (uint32_t place = CONTROL_QUESTIONS_MAX; place > 0; place--)
                release(control, &control->questions[place - 1]);
        if (r < 0)
                return error_set(error, ERROR_OS, -r, "the descriptor of the launcher's socket");
        control->event = event_new(loop, fd, EV_READ | EV_PERSIST, on_readable, control);
        if (control->event == NULL || event_add(control->event, NULL) < 0)
                return error_set(error, ERROR_OS, ENOMEM, "cannot listen to the launcher");
        *ret_control = take_ptr(control);
        return 0;
}

Control *control_free(Control *control) {
        if (control == NULL)
                return NULL;
        if (control->event != NULL)
                event_free(control->event);
        (void)fd_close(control->fd);
        free(control);
        return NULL;
}

int control_fd(const Control *control) {
        return control->fd;
}
