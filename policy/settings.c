/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What an endpoint says about requests beyond the model's words (rules of other protocols, limits,
 * rewriting) is kept as text, so that `show` prints it, the hash contains it, and `diff` sees every
 * change of it. The text is canonical: one line a key in the order of the key table, values as
 * JSON, names of maps sorted, values that say nothing left out.
 */
#include "policy/build.h"

#include "policy/read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Writer {
        Arena *arena; /* for sorting */
        FILE *out;
        bool failed;
} Writer;

static void write_node(Writer *writer, const Node *node);

static void write_scalar(Writer *writer, const Node *node) {
        if (!read_is_text(node)) {
                fputs(node->text, writer->out);
                return;
        }
        fputc('"', writer->out);
        for (const char *at = node->text; *at != '\0'; at++) {
                if (*at == '"' || *at == '\\')
                        fputc('\\', writer->out);
                fputc(*at, writer->out);
        }
        fputc('"', writer->out);
}

static int compare_names(const void *a, const void *b) {
        return strcmp((*(const Node *const *)a)->text, (*(const Node *const *)b)->text);
}

static void write_map(Writer *writer, const Node *map) {
        const Node **names = arena_array(writer->arena, map->count, sizeof(*names));
        uint32_t count = 0;

        if (names == NULL) {
                writer->failed = true;
                return;
        }
        for (const Node *name = map->first; name != NULL; name = name->next->next)
                names[count++] = name;
        if (count > 0)
                qsort(names, count, sizeof(const Node *), compare_names);
        fputc('{', writer->out);
        for (uint32_t i = 0; i < count; i++) {
                fputs(i > 0 ? ", " : "", writer->out);
                write_scalar(writer, names[i]);
                fputs(": ", writer->out);
                write_node(writer, names[i]->next);
        }
        fputc('}', writer->out);
}

static void write_list(Writer *writer, const Node *list) {
        fputc('[', writer->out);
        for (const Node *item = list->first; item != NULL; item = item->next) {
                fputs(item != list->first ? ", " : "", writer->out);
                write_node(writer, item);
        }
        fputc(']', writer->out);
}

/* No deeper than the document may be. */
static void write_node(Writer *writer, const Node *node) {
        if (node->kind == NODE_MAP)
                write_map(writer, node);
        else if (node->kind == NODE_LIST)
                write_list(writer, node);
        else
                write_scalar(writer, node);
}

/* The model has words for these; for rules only where they are about HTTP requests. */
static bool is_in_model(const PolicyEndpoint *endpoint, const Key *key) {
        if (strcmp(key->name, "rules") == 0 || strcmp(key->name, "deny_rules") == 0)
                return endpoint->protocol == POLICY_PROTOCOL_REST;
        return strcmp(key->name, "access") == 0 || strcmp(key->name, "path") == 0;
}

static void write_settings(
        Writer *writer, const DraftEndpoint *draft, const PolicyEndpoint *endpoint) {
        for (size_t i = 0; i < keys_endpoint.count; i++) {
                const Key *key = &keys_endpoint.keys[i];
                Draft node = *(const Draft *)(const void *)((const char *)draft + key->offset);

                if (key->effect != KEY_INSPECTION || node == NULL ||
                        !build_says_something(key, node) || is_in_model(endpoint, key))
                        continue;
                fprintf(writer->out, "%s: ", key->name);
                write_node(writer, node);
                fputc('\n', writer->out);
        }
}

const char *build_settings(
        Build *build, const DraftEndpoint *draft, const PolicyEndpoint *endpoint) {
        cleanup_free char *text = NULL;
        size_t size = 0;
        Writer writer = { .arena = build->arena, .out = open_memstream(&text, &size) };
        const char *copy = NULL;

        if (writer.out == NULL) {
                (void)build_no_memory(build);
                return NULL;
        }
        write_settings(&writer, draft, endpoint);
        if (fclose(writer.out) == 0 && !writer.failed)
                copy = arena_text(build->arena, text, size);
        if (copy == NULL)
                (void)build_no_memory(build);
        return copy;
}
