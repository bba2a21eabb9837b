/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Names, paths and reasons come from what a sandbox did: they are compared and judged here, and
 * what is not plain is never put into a rule.
 */
#include "cli/attempts.h"

#include "base/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATH_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._+@-"

static const char *field(const AuditLine *line, const char *name) {
        const char *value = audit_line_get(line, name);

        return value != NULL ? value : "";
}

static bool field_is(const AuditLine *line, const char *name, const char *value) {
        return strcmp(field(line, name), value) == 0;
}

static uint64_t number(const AuditLine *line, const char *name, uint64_t most, uint64_t otherwise) {
        const char *text = field(line, name);
        uint64_t value;

        return number_parse(text, strlen(text), most, &value) ? value : otherwise;
}

static bool is_attempt(const AuditLine *line) {
        return field_is(line, "role", "egress") &&
               (field_is(line, "event", "network") ||
                       field_is(line, "event", "network_repeated")) &&
               (field_is(line, "verdict", "denied") || field_is(line, "verdict", "let_through"));
}

/* What a rule for exactly this program, host and port would have allowed. */
static bool lacks_a_rule(const AuditLine *line) {
        return field_is(line, "engine", "policy") &&
               (field_is(line, "reason", "no_host") || field_is(line, "reason", "no_port") ||
                       field_is(line, "reason", "no_binary"));
}

static void explain(const AuditLine *line, Attempt *attempt) {
        const char *why = NULL, *binary = attempt->binary;

        if (field_is(line, "reason", "many"))
                why = "of many at once only the number was written down";
        else if (field_is(line, "via", "names"))
                why = "only its name was asked for: neither port nor program are known";
        else if (field_is(line, "via", "direct"))
                why = "nobody listens there, so the program is not known; with the proxy's "
                      "variables, or a rule with this port, it would be";
        else if (!lacks_a_rule(line))
                why = field(line, "detail")[0] != '\0' ? field(line, "detail")
                                                       : "a rule would not allow it";
        else if (binary[0] == '\0')
                why = "the program is not known";
        else if (binary[0] != '/' || binary[strspn(binary, PATH_CHARACTERS)] != '\0')
                why = "the program's path has characters that mean more than themselves";
        if (why != NULL)
                (void)snprintf(attempt->why_not, sizeof(attempt->why_not), "%s", why);
}

static int compare(const Attempt *one, const Attempt *other) {
        int order = strcmp(one->binary, other->binary);

        if (order == 0)
                order = strcmp(one->host, other->host);
        return order != 0 ? order : (one->port > other->port) - (one->port < other->port);
}

static Attempt *attempt_free(Attempt *attempt) {
        if (attempt == NULL)
                return NULL;
        free(attempt->binary);
        free(attempt->host);
        free(attempt);
        return NULL;
}
DEFINE_CLEANUP(Attempt *, attempt_free);

static Attempt *attempt_new(const AuditLine *line) {
        const char *host = field(line, "host");
        cleanup(attempt_freep) Attempt *attempt = calloc(1, sizeof(*attempt));

        if (attempt == NULL)
                return NULL;
        attempt->binary = strdup(field(line, "binary"));
        attempt->host = strdup(host[0] != '\0' ? host : field(line, "address"));
        attempt->port = (uint16_t)number(line, "port", UINT16_MAX, 0);
        attempt->count = number(line, "repeated", UINT32_MAX, 1);
        if (attempt->binary == NULL || attempt->host == NULL)
                return NULL;
        explain(line, attempt);
        return take_ptr(attempt);
}

/* Where it is, or where it belongs. */
static size_t find(const Attempts *attempts, const Attempt *attempt, bool *ret_found) {
        size_t low = 0, high = attempts->count;

        *ret_found = false;
        while (low < high) {
                const size_t middle = low + (high - low) / 2;
                const int order = compare(attempts->items[middle], attempt);

                if (order == 0) {
                        *ret_found = true;
                        return middle;
                }
                if (order < 0)
                        low = middle + 1;
                else
                        high = middle;
        }
        return low;
}

/* What speaks against a rule once does so for good: an address that was refused is refused whatever
 * the other line says. */
static void merge(Attempt *attempt, const Attempt *other) {
        attempt->count += other->count;
        if (attempt->why_not[0] == '\0')
                memcpy(attempt->why_not, other->why_not, sizeof(attempt->why_not));
}

bool attempts_add(Attempts *attempts, const AuditLine *line) {
        cleanup(attempt_freep) Attempt *attempt = NULL;
        bool found;
        size_t at;

        if (!is_attempt(line))
                return true;
        attempt = attempt_new(line);
        if (attempt == NULL)
                return false;
        at = find(attempts, attempt, &found);
        if (found) {
                merge(attempts->items[at], attempt);
        } else if (attempts->count == ATTEMPTS_MAX) {
                attempts->beyond++;
        } else {
                memmove(&attempts->items[at + 1], &attempts->items[at],
                        (attempts->count - at) * sizeof(attempts->items[0]));
                attempts->items[at] = take_ptr(attempt);
                attempts->count++;
        }
        return true;
}

void attempts_donep(Attempts *attempts) {
        while (attempts->count > 0)
                (void)attempt_free(attempts->items[--attempts->count]);
}
