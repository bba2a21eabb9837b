/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A JSON writer of our own, because the process that holds the capabilities links no library for
 * it: a line is ASCII only, whatever bytes a caller chose. What is not printable ASCII is escaped;
 * what is not UTF-8 becomes U+FFFD, as jansson and others would refuse such a line.
 */
#include "sidecar/audit/audit.h"

#include "base/sha256.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define REPLACEMENT 0xfffdU /* U+FFFD */
#define CUT_MARK ",\"cut\":true"

static bool has_room(const AuditEvent *event, size_t size) {
        return event->size + size + sizeof(CUT_MARK) < sizeof(event->text);
}

static bool append(AuditEvent *event, const char *text, size_t size) {
        if (!has_room(event, size))
                return false;
        memcpy(event->text + event->size, text, size);
        event->size += size;
        event->text[event->size] = '\0';
        return true;
}

static bool append_text(AuditEvent *event, const char *text) {
        return append(event, text, strlen(text));
}

/* Decodes one character of *text (NUL-terminated). Overlong forms, surrogates and what lies above
 * U+10FFFF are no UTF-8 (RFC 3629). */
static uint32_t next_character(const unsigned char **text) {
        static const struct {
                unsigned char mask, lead, more;
                uint32_t least;
        } forms[] = {
                { 0x80, 0x00, 0, 0 },
                { 0xe0, 0xc0, 1, 0x80 },
                { 0xf0, 0xe0, 2, 0x800 },
                { 0xf8, 0xf0, 3, 0x10000 },
        };
        const unsigned char *at = *text;

        for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
                uint32_t character = at[0] & (unsigned char)~forms[i].mask;
                unsigned have = 0;

                if ((at[0] & forms[i].mask) != forms[i].lead)
                        continue;
                while (have < forms[i].more && (at[1 + have] & 0xc0) == 0x80)
                        character = character << 6 | (at[1 + have++] & 0x3f);
                if (have < forms[i].more || character < forms[i].least || character > 0x10ffff ||
                        (character >= 0xd800 && character < 0xe000))
                        break;
                *text = at + 1 + have;
                return character;
        }
        *text = at + 1;
        return REPLACEMENT;
}

static int escape(uint32_t character, char ret_text[static 13]) {
        if (character == '"' || character == '\\')
                return snprintf(ret_text, 13, "\\%c", (char)character);
        if (character >= 0x20 && character < 0x7f)
                return snprintf(ret_text, 13, "%c", (char)character);
        if (character < 0x10000)
                return snprintf(ret_text, 13, "\\u%04" PRIx32, character);
        character -= 0x10000;
        return snprintf(ret_text, 13, "\\u%04" PRIx32 "\\u%04" PRIx32, 0xd800 + (character >> 10),
                0xdc00 + (character & 0x3ff));
}

/* A JSON string of at most `room` bytes without its quotes. False when it did not fit the event at
 * all; a cut one says so. */
static bool append_string(AuditEvent *event, const char *value, size_t room) {
        const unsigned char *at = (const unsigned char *)value;
        size_t start = event->size;
        char escaped[13];

        if (!append_text(event, "\""))
                return false;
        while (*at != '\0') {
                size_t size = (size_t)escape(next_character(&at), escaped);

                if (event->size + size - start > room || !has_room(event, size + 2)) {
                        event->cut = true;
                        break;
                }
                (void)append(event, escaped, size);
        }
        return append_text(event, "\"");
}

bool audit_is_key(const char *text) {
        size_t size = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");
        static const char *const stamped[] = { "time", "sequence", "role", "event", "lines_lost", "cut" };

        for (size_t i = 0; i < sizeof(stamped) / sizeof(stamped[0]); i++)
                if (strcmp(text, stamped[i]) == 0)
                        return false;
        return size > 0 && size <= AUDIT_KEY_MAX && text[size] == '\0';
}

/* Keys pass audit_is_key(), so they need no escapes. */
static bool append_key(AuditEvent *event, const char *key) {
        return (event->size == 0 || append_text(event, ",")) && append_text(event, "\"") &&
               append_text(event, key) && append_text(event, "\":");
}

static void undo(AuditEvent *event, size_t size) {
        event->size = size;
        event->text[size] = '\0';
        event->cut = true;
}

void audit_text(AuditEvent *event, const char *key, const char *value) {
        size_t before = event->size;

        if (!append_key(event, key) || !append_string(event, value, AUDIT_TEXT_MAX))
                undo(event, before);
}

static void audit_raw(AuditEvent *event, const char *key, const char *value) {
        size_t before = event->size;

        if (!append_key(event, key) || !append_text(event, value))
                undo(event, before);
}

void audit_begin(AuditEvent *event, const char *role, const char *name) {
        event->role = role;
        event->size = 0;
        event->text[0] = '\0';
        event->cut = false;
        audit_text(event, "event", name);
}

void audit_number(AuditEvent *event, const char *key, uint64_t value) {
        char text[24];

        (void)snprintf(text, sizeof(text), "%" PRIu64, value);
        audit_raw(event, key, text);
}

void audit_flag(AuditEvent *event, const char *key, bool value) {
        audit_raw(event, key, value ? "true" : "false");
}

static bool append_items(AuditEvent *event, const char *const *values, size_t room) {
        size_t end = event->size + room;

        if (!append_text(event, "["))
                return false;
        for (size_t i = 0; values[i] != NULL; i++) {
                size_t before = event->size;

                if (event->size + 3 > end) {
                        event->cut = true;
                        break;
                }
                if ((i > 0 && !append_text(event, ",")) ||
                        !append_string(event, values[i], end - event->size)) {
                        undo(event, before);
                        break;
                }
        }
        return append_text(event, "]");
}

void audit_list(AuditEvent *event, const char *key, const char *const *values, size_t room) {
        size_t before = event->size;

        if (!append_key(event, key) || !append_items(event, values, room))
                undo(event, before);
}

void audit_digest(AuditEvent *event, const char *key, const char *const *values) {
        uint8_t digest[SHA256_SIZE];
        char text[SHA256_TEXT_SIZE];
        Sha256 hash;

        sha256_begin(&hash);
        for (size_t i = 0; values[i] != NULL; i++)
                sha256_add(&hash, values[i], strlen(values[i]) + 1);
        sha256_end(&hash, digest);
        sha256_text(digest, text);
        audit_text(event, key, text);
}

static int stamp(const AuditLog *log, const AuditEvent *event, char *line, size_t room) {
        struct timespec now;
        struct tm parts;
        char second[32], lost[40] = "";

        (void)clock_gettime(CLOCK_REALTIME, &now);
        (void)gmtime_r(&now.tv_sec, &parts);
        (void)strftime(second, sizeof(second), "%Y-%m-%dT%H:%M:%S", &parts);
        if (log->lost > 0)
                (void)snprintf(lost, sizeof(lost), "\"lines_lost\":%" PRIu64 ",", log->lost);
        return snprintf(line, room,
                "{\"time\":\"%s.%03ldZ\",\"sequence\":%" PRIu64 ",\"role\":\"%s\",%s%s%s}\n",
                second, now.tv_nsec / 1000000, log->sequence + 1, event->role, lost, event->text,
                event->cut ? CUT_MARK : "");
}

int audit_write(AuditLog *log, const AuditEvent *event) {
        struct pollfd sink = { .fd = log->fd, .events = POLLOUT };
        char line[AUDIT_LINE_MAX + 1];
        ssize_t written;
        int size;

        size = stamp(log, event, line + 1, AUDIT_LINE_MAX);
        assert(size > 0 && size < (int)AUDIT_LINE_MAX);
        if (poll(&sink, 1, 0) != 1 || (sink.revents & POLLOUT) == 0)
                return (sink.revents & (POLLERR | POLLHUP | POLLNVAL)) != 0 ? -EPIPE : -EAGAIN;

        line[0] = '\n';
        written = write(log->fd, log->torn ? line : line + 1, (size_t)size + log->torn);
        if (written < 0)
                return -errno;
        log->torn = (size_t)written < (size_t)size + log->torn;
        if (log->torn)
                return -ENOSPC;
        log->sequence++;
        log->lost = 0;
        return 0;
}

void audit_lose(AuditLog *log) {
        log->lost++;
}
