/* SPDX-License-Identifier: Apache-2.0 */

#include "sidecar/egress/reply.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define BODY_MAX (REPLY_SIZE_MAX - 512U)
/* Of a list that could be long, as many as a reader takes in. */
#define SHOWN_MAX 16U
#define TEXT_SHOWN_MAX                                                                             \
        256U /* bytes of one text in the body; six for each when they are escaped                  \
              */
#define DETAIL_SHOWN_MAX 1024U
/* Bytes of the status line behind the code: a line that people read in an error message. */
#define PHRASE_MAX 240U

/* A JSON text under construction. */
typedef struct Body {
        char text[BODY_MAX];
        size_t size;
        bool follows; /* a comma comes before the next member */
} Body;

static void put(Body *body, const char *text, size_t size) {
        if (size > sizeof(body->text) - body->size)
                return;
        memcpy(body->text + body->size, text, size);
        body->size += size;
}

static void put_word(Body *body, const char *word) {
        put(body, word, strlen(word));
}

static void put_string(Body *body, const char *text, size_t most) {
        char escaped[8];

        put_word(body, "\"");
        for (size_t i = 0; i < most && text[i] != '\0'; i++) {
                const unsigned char byte = (unsigned char)text[i];

                /* Bytes above ASCII come from paths that need not be UTF-8. */
                if (byte < 0x20 || byte >= 0x7f || byte == '"' || byte == '\\' || byte == '<') {
                        (void)snprintf(escaped, sizeof(escaped), "\\u%04x", byte);
                        put(body, escaped, 6);
                } else {
                        put(body, (const char *)&byte, 1);
                }
        }
        put_word(body, "\"");
}

static void comma(Body *body) {
        if (body->follows)
                put_word(body, ",");
        body->follows = true;
}

static void open(Body *body, const char *bracket) {
        put_word(body, bracket);
        body->follows = false;
}

static void close(Body *body, const char *bracket) {
        put_word(body, bracket);
        body->follows = true;
}

static void key(Body *body, const char *name) {
        comma(body);
        put_string(body, name, TEXT_SHOWN_MAX);
        put_word(body, ":");
}

static void text_member(Body *body, const char *name, const char *text) {
        if (text == NULL || text[0] == '\0')
                return;
        key(body, name);
        put_string(body, text, TEXT_SHOWN_MAX);
}

static void number_item(Body *body, unsigned long number) {
        char text[24];

        (void)snprintf(text, sizeof(text), "%lu", number);
        put_word(body, text);
}

/* The entry that would have to stand in network_policies. */
static void missing_rule(Body *body, const Refusal *refusal) {
        const PolicyDecision *decision = refusal->decision;
        const char *name = decision->network != NULL ? decision->network->key : "new_rule";

        key(body, "missing_rule");
        open(body, "{");
        key(body, name);
        open(body, "{");
        key(body, "endpoints");
        open(body, "[{");
        text_member(body, "host", refusal->destination->host);
        key(body, "port");
        number_item(body, refusal->destination->port);
        close(body, "}]");
        key(body, "binaries");
        open(body, "[{");
        text_member(body, "path", refusal->binary[0] != '\0' ? refusal->binary : "/**");
        close(body, "}]");
        close(body, "}}");
}

/* The nearest requests that the policy does allow. */
static void what_is_allowed(Body *body, const PolicyDecision *decision) {
        const PolicyEndpoint *endpoint = decision->endpoint;

        key(body, "allowed");
        open(body, "{");
        text_member(body, "host", endpoint->host);
        key(body, "ports");
        open(body, "[");
        for (uint32_t i = 0; i < endpoint->port_count && i < SHOWN_MAX; i++) {
                comma(body);
                number_item(body, endpoint->ports[i]);
        }
        close(body, "]");
        key(body, "binaries");
        open(body, "[");
        for (uint32_t i = 0; i < decision->network->binary_count && i < SHOWN_MAX; i++) {
                comma(body);
                put_string(body, decision->network->binaries[i].path, TEXT_SHOWN_MAX);
        }
        close(body, "]}");
}

/* Only where a rule could help: no rule opens a forbidden address. */
static bool rule_would_help(PolicyReason reason) {
        return reason == POLICY_REASON_HOST || reason == POLICY_REASON_PORT ||
               reason == POLICY_REASON_BINARY || reason == POLICY_REASON_ADDRESS_PRIVATE;
}

static void write_body(const Refusal *refusal, Body *body) {
        const PolicyDecision *decision = refusal->decision;

        open(body, "{");
        text_member(body, "error", refusal->error);
        key(body, "detail");
        put_string(body, refusal->detail, DETAIL_SHOWN_MAX);
        if (refusal->destination != NULL) {
                text_member(body, "host", refusal->destination->host);
                key(body, "port");
                number_item(body, refusal->destination->port);
        }
        text_member(body, "binary", refusal->binary);
        if (decision != NULL) {
                text_member(
                        body, "policy", decision->network != NULL ? decision->network->name : NULL);
                text_member(
                        body, "rule", decision->endpoint != NULL ? decision->endpoint->host : NULL);
        }
        text_member(body, "reason", refusal->reason);
        if (decision != NULL && refusal->destination != NULL && rule_would_help(decision->reason))
                missing_rule(body, refusal);
        if (decision != NULL && decision->network != NULL && decision->endpoint != NULL)
                what_is_allowed(body, decision);
        if (refusal->generation != 0) {
                key(body, "policy_generation");
                number_item(body, refusal->generation);
        }
        close(body, "}\n");
}

static const char *status_text(unsigned status) {
        static const struct {
                unsigned status;
                const char *text;
        } texts[] = {
                { 400, "Bad Request" },
                { 403, "Forbidden" },
                { 405, "Method Not Allowed" },
                { 408, "Request Timeout" },
                { 411, "Length Required" },
                { 431, "Request Header Fields Too Large" },
                { 501, "Not Implemented" },
                { 502, "Bad Gateway" },
                { 503, "Service Unavailable" },
                { 504, "Gateway Timeout" },
                { 505, "HTTP Version Not Supported" },
        };

        for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
                if (texts[i].status == status)
                        return texts[i].text;
        return "Refused";
}

/*
 * The detail is in the status line, too: of an answer to CONNECT, which has no content by
 * RFC 9110 9.3.6, many clients show nothing else (pip, curl -v, Java, Go). A reason phrase is
 * printable text (RFC 9112 4); what is not becomes '?', so that nothing ends the line early.
 */
static void write_phrase(const Refusal *refusal, char ret_phrase[static PHRASE_MAX]) {
        (void)snprintf(
                ret_phrase, PHRASE_MAX, "%s: %s", status_text(refusal->status), refusal->detail);
        for (char *byte = ret_phrase; *byte != '\0'; byte++)
                if (*byte < 0x20 || *byte > 0x7e)
                        *byte = '?';
}

size_t reply_write(const Refusal *refusal, char ret_text[static REPLY_SIZE_MAX]) {
        Body body = { 0 };
        char phrase[PHRASE_MAX];
        int head;

        write_body(refusal, &body);
        write_phrase(refusal, phrase);
        head = snprintf(ret_text, REPLY_SIZE_MAX - sizeof(body.text),
                "HTTP/1.1 %u %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n"
                "X-Navigator-Policy: %s\r\nConnection: close\r\n\r\n",
                refusal->status, phrase, body.size, refusal->error);
        memcpy(ret_text + head, body.text, body.size);
        return (size_t)head + body.size;
}
