/* SPDX-License-Identifier: Apache-2.0 */

/*
 * libyaml is driven by events, never by its document loader, so that a limit is met before memory
 * is spent: aliases, the means of a YAML bomb, are refused at the first one. What libyaml would
 * tolerate and a reader would misread (tabs, other encodings) is refused before it sees a byte.
 */
#include "policy/document.h"

#include "base/arena.h"
#include "policy/characters.h"

#include <string.h>
#include <yaml.h>

typedef struct Builder {
        Arena *arena;
        Diagnostics *diagnostics;
        yaml_parser_t *parser;
        Node *open[DOCUMENT_DEPTH_MAX]; /* lists and maps that have not ended */
        Node **tail[DOCUMENT_DEPTH_MAX];
        uint32_t depth;
        uint32_t nodes;
        Node *root;
} Builder;

/* ---- before libyaml ---- */

static const char *complaint(uint32_t character, size_t size, const char *rest, size_t left) {
        if (size == 0)
                return "the file is not UTF-8 from here on";
        if (character == '\r' && (left == 0 || *rest != '\n'))
                return "a carriage return is allowed only in front of a line feed: alone it ends a "
                       "line for the parser, but not for the eye";
        return character_refusal(character);
}

static int check_bytes(const char *text, size_t size, Diagnostics *diagnostics) {
        PolicyPosition position = { .line = 1, .column = 1 };
        size_t at = size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;

        while (at < size) {
                uint32_t character = 0;
                size_t step = character_read(text + at, size - at, &character);
                const char *wrong =
                        complaint(character, step, text + at + step, size - at - step);

                if (wrong != NULL)
                        return diagnostics_add(diagnostics, position, "%s", wrong);
                if (character == '\n') {
                        position.line++;
                        position.column = 0;
                }
                position.column++;
                at += step;
        }
        return 0;
}

/* ---- events to nodes ---- */

static PolicyPosition position_of(yaml_mark_t mark) {
        return (PolicyPosition){ .line = (uint32_t)mark.line + 1,
                .column = (uint32_t)mark.column + 1 };
}

static bool expects_key(const Builder *builder) {
        const Node *open = builder->depth > 0 ? builder->open[builder->depth - 1] : NULL;

        return open != NULL && open->kind == NODE_MAP && open->value == 0;
}

/* A map counts pairs; `value` says, while it is open, that a key waits for its value. */
static void attach(Builder *builder, Node *node) {
        Node *open;

        if (builder->depth == 0) {
                builder->root = node;
                return;
        }
        open = builder->open[builder->depth - 1];
        *builder->tail[builder->depth - 1] = node;
        builder->tail[builder->depth - 1] = &node->next;
        if (open->kind == NODE_LIST) {
                open->count++;
                return;
        }
        open->count += open->value;
        open->value = 1 - open->value;
}

static Node *add_node(Builder *builder, NodeKind kind, yaml_mark_t mark) {
        PolicyPosition position = position_of(mark);
        Node *node;

        if (++builder->nodes > DOCUMENT_NODES_MAX) {
                (void)diagnostics_add(
                        builder->diagnostics, position, "more than %u values", DOCUMENT_NODES_MAX);
                return NULL;
        }
        if (kind != NODE_SCALAR && expects_key(builder)) {
                (void)diagnostics_add(builder->diagnostics, position, "a key must be plain text");
                return NULL;
        }
        node = arena_alloc(builder->arena, sizeof(*node));
        if (node == NULL) {
                (void)diagnostics_add(builder->diagnostics, position,
                        "the file takes more memory than a policy may");
                return NULL;
        }
        node->kind = kind;
        node->position = position;
        attach(builder, node);
        return node;
}

static int refuse_decoration(
        Builder *builder, const yaml_char_t *anchor, const yaml_char_t *tag, yaml_mark_t mark) {
        if (anchor != NULL)
                return diagnostics_add(builder->diagnostics, position_of(mark),
                        "anchors are not allowed; write the value out where it is needed");
        if (tag != NULL)
                return diagnostics_add(builder->diagnostics, position_of(mark),
                        "tags are not allowed; values have the types of their keys");
        return 0;
}

/* What an escape puts into a text, or a block of several lines. */
static int check_text(
        Builder *builder, PolicyPosition position, const char *text, size_t size) {
        for (size_t at = 0; at < size;) {
                uint32_t character = 0;
                size_t step = character_read(text + at, size - at, &character);
                const char *wrong = character_refusal(character);

                if (character == '\n' || character == '\r')
                        return diagnostics_add(
                                builder->diagnostics, position, "a text has to be on one line");
                if (wrong != NULL)
                        return diagnostics_add(builder->diagnostics, position,
                                "%s, not even as an escape", wrong);
                at += step > 0 ? step : 1;
        }
        return 0;
}

static int add_scalar(Builder *builder, const yaml_event_t *event) {
        Node *node;

        if (refuse_decoration(builder, event->data.scalar.anchor, event->data.scalar.tag,
                    event->start_mark) < 0)
                return -1;
        node = add_node(builder, NODE_SCALAR, event->start_mark);
        if (node == NULL)
                return -1;
        if (check_text(builder, node->position, (const char *)event->data.scalar.value,
                    event->data.scalar.length) < 0)
                return -1;
        node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
        node->text = arena_text(
                builder->arena, (const char *)event->data.scalar.value, event->data.scalar.length);
        if (node->text == NULL)
                return diagnostics_add(builder->diagnostics, node->position,
                        "the file takes more memory than a policy may");
        return 0;
}

static int open_node(Builder *builder, NodeKind kind, const yaml_char_t *anchor,
        const yaml_char_t *tag, yaml_mark_t mark) {
        Node *node;

        if (refuse_decoration(builder, anchor, tag, mark) < 0)
                return -1;
        if (builder->depth == DOCUMENT_DEPTH_MAX)
                return diagnostics_add(builder->diagnostics, position_of(mark),
                        "nested deeper than %u levels", DOCUMENT_DEPTH_MAX);
        node = add_node(builder, kind, mark);
        if (node == NULL)
                return -1;
        builder->open[builder->depth] = node;
        builder->tail[builder->depth] = &node->first;
        builder->depth++;
        return 0;
}

static int take_event(Builder *builder, const yaml_event_t *event) {
        switch (event->type) {
        case YAML_SCALAR_EVENT:
                return add_scalar(builder, event);
        case YAML_SEQUENCE_START_EVENT:
                return open_node(builder, NODE_LIST, event->data.sequence_start.anchor,
                        event->data.sequence_start.tag, event->start_mark);
        case YAML_MAPPING_START_EVENT:
                return open_node(builder, NODE_MAP, event->data.mapping_start.anchor,
                        event->data.mapping_start.tag, event->start_mark);
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_END_EVENT:
                builder->depth--;
                return 0;
        case YAML_ALIAS_EVENT:
                return diagnostics_add(builder->diagnostics, position_of(event->start_mark),
                        "aliases are not allowed; write the value out where it is needed");
        case YAML_DOCUMENT_START_EVENT:
                if (builder->root != NULL)
                        return diagnostics_add(builder->diagnostics, position_of(event->start_mark),
                                "a second document is not allowed; a policy is one");
                return 0;
        case YAML_NO_EVENT:
        case YAML_STREAM_START_EVENT:
        case YAML_STREAM_END_EVENT:
        case YAML_DOCUMENT_END_EVENT:
        default:
                return 0;
        }
}

static int report_syntax(const Builder *builder) {
        const yaml_parser_t *parser = builder->parser;
        const char *problem = parser->problem != NULL ? parser->problem : "not YAML";

        if (parser->error == YAML_MEMORY_ERROR)
                return diagnostics_add(builder->diagnostics, (PolicyPosition){ 0 },
                        "not enough memory to read it");
        if (parser->context != NULL && parser->context_mark.line != parser->problem_mark.line)
                return diagnostics_add(builder->diagnostics, position_of(parser->problem_mark),
                        "not YAML: %s (%s that began in line %zu)", problem, parser->context,
                        parser->context_mark.line + 1);
        return diagnostics_add(
                builder->diagnostics, position_of(parser->problem_mark), "not YAML: %s", problem);
}

static int take_events(Builder *builder) {
        for (bool done = false; !done;) {
                yaml_event_t event;
                int r;

                if (!yaml_parser_parse(builder->parser, &event))
                        return report_syntax(builder);
                done = event.type == YAML_STREAM_END_EVENT;
                r = take_event(builder, &event);
                yaml_event_delete(&event);
                if (r < 0)
                        return -1;
        }
        return 0;
}

int document_parse(
        Arena *arena, const char *text, size_t size, Node **ret_root, Diagnostics *diagnostics) {
        yaml_parser_t parser;
        Builder builder = { .arena = arena, .diagnostics = diagnostics, .parser = &parser };
        int r;

        if (check_bytes(text, size, diagnostics) < 0)
                return -1;
        if (!yaml_parser_initialize(&parser))
                return diagnostics_add(
                        diagnostics, (PolicyPosition){ 0 }, "not enough memory to read it");
        yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
        r = take_events(&builder);
        yaml_parser_delete(&parser);
        if (r == 0)
                *ret_root = builder.root;
        return r;
}
