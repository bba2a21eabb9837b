/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Order matters for containers that are not ours: once the text is JSON and has no annotation of
 * ours, nothing else in it is looked at, so that no strangeness of theirs can make us fail.
 */
#include "hook/state.h"

#include "hook/tree.h"

#include <string.h>

#define PID_MAX 4194304U    /* the kernel's PID_MAX_LIMIT */
#define ANNOTATION_MAX 512U /* "configmap/" and a DNS name fit with room */
#define NAME_MAX_PLAIN 128U

/* Where engines say what. The first that is there counts; containerd's and CRI-O's overwrite what a
 * pod's author writes under them. */
static const struct {
        const char *key;
        size_t offset;
} engine_keys[] = {
        { "io.kubernetes.cri.sandbox-id", offsetof(State, pod) },
        { "io.kubernetes.cri.sandbox-name", offsetof(State, pod_name) },
        { "io.kubernetes.cri.sandbox-namespace", offsetof(State, pod_namespace) },
        { "io.kubernetes.cri.sandbox-uid", offsetof(State, pod_uid) },
        { "io.kubernetes.cri.container-name", offsetof(State, container_name) },
        { "io.kubernetes.cri.image-name", offsetof(State, image) },
        { "io.kubernetes.cri-o.SandboxID", offsetof(State, pod) },
        { "io.kubernetes.pod.name", offsetof(State, pod_name) },
        { "io.kubernetes.pod.namespace", offsetof(State, pod_namespace) },
        { "io.kubernetes.pod.uid", offsetof(State, pod_uid) },
        { "io.kubernetes.container.name", offsetof(State, container_name) },
        { "io.kubernetes.cri-o.ImageName", offsetof(State, image) },
};

static const char *const type_keys[] = { "io.kubernetes.cri.container-type",
        "io.kubernetes.cri-o.ContainerType" };

bool state_name_is_plain(const char *name) {
        size_t length =
                strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.");

        return length > 0 && length <= NAME_MAX_PLAIN && name[length] == '\0' && name[0] != '.';
}

static bool is_printable(const char *text) {
        for (; *text != '\0'; text++)
                if ((unsigned char)*text < 0x20 || (unsigned char)*text >= 0x7f)
                        return false;
        return true;
}

/* The value of one annotation of ours. */
static int read_value(const char *key, Value value, const char **ret_text, Error *error) {
        const char *text = NULL;

        if (value_string(value, "", &text, error) < 0 || text == NULL)
                return error_set(
                        error, ERROR_INPUT, 0, "annotation '%s' is not a string without NUL", key);
        if (text[0] == '\0')
                return error_set(error, ERROR_INPUT, 0, "annotation '%s' is empty", key);
        if (strlen(text) > ANNOTATION_MAX)
                return error_set(error, ERROR_LIMIT, 0,
                        "annotation '%s' has %zu bytes, more than %u", key, strlen(text),
                        ANNOTATION_MAX);
        if (!is_printable(text))
                return error_set(error, ERROR_INPUT, 0,
                        "annotation '%s' has a byte that is not printable ASCII", key);
        *ret_text = text;
        return 0;
}

static int read_ours(const char *key, Value value, State *state, Error *error) {
        const char *text;

        if (strcmp(key, ANNOTATION_INJECT) != 0 && strcmp(key, ANNOTATION_POLICY) != 0 &&
                strcmp(key, ANNOTATION_TARGET) != 0)
                return error_set(error, ERROR_INPUT, 0,
                        "unknown annotation '%s'; known: %s, %s, %s", key, ANNOTATION_INJECT,
                        ANNOTATION_POLICY, ANNOTATION_TARGET);
        if (read_value(key, value, &text, error) < 0)
                return -1;
        if (strcmp(key, ANNOTATION_INJECT) == 0) {
                if (strcmp(text, "true") != 0)
                        return error_set(error, ERROR_INPUT, 0,
                                "annotation '%s' is '%s'; the only value is 'true', and leaving it "
                                "out opts out",
                                key, text);
                state->annotated = true;
        } else if (strcmp(key, ANNOTATION_POLICY) == 0)
                state->policy = text;
        else
                state->target = text;
        return 0;
}

/* 1: some annotation is ours; 0: none. */
static int read_annotations(Value annotations, State *state, Error *error) {
        void *iterator = NULL;
        const char *key;
        Value value;
        int ours = 0;

        while (value_next(annotations, &iterator, &key, &value)) {
                if (strncmp(key, ANNOTATION_PREFIX, strlen(ANNOTATION_PREFIX)) != 0)
                        continue;
                if (read_ours(key, value, state, error) < 0)
                        return -1;
                ours = 1;
        }
        if (ours && !state->annotated)
                return error_set(error, ERROR_INPUT, 0,
                        "annotations under '%s' without '%s: \"true\"'", ANNOTATION_PREFIX,
                        ANNOTATION_INJECT);
        return ours;
}

static int read_engine(Value annotations, State *state, Error *error) {
        for (size_t i = 0; i < sizeof(engine_keys) / sizeof(*engine_keys); i++) {
                const char **field = (void *)((char *)state + engine_keys[i].offset);

                if ((*field)[0] != '\0')
                        continue;
                if (value_string(value_member(annotations, engine_keys[i].key), "", field, error) <
                        0)
                        return error_context(error, "annotation '%s'", engine_keys[i].key);
        }
        for (size_t i = 0; i < sizeof(type_keys) / sizeof(*type_keys); i++) {
                const char *type = "";

                if (value_string(value_member(annotations, type_keys[i]), "", &type, error) < 0)
                        return error_context(error, "annotation '%s'", type_keys[i]);
                if (strcmp(type, "sandbox") == 0)
                        state->pause = true;
        }
        if (state->pod[0] != '\0' && !state_name_is_plain(state->pod))
                return error_set(error, ERROR_INPUT, 0,
                        "the engine's pod id '%s' is not a plain name", state->pod);
        return 0;
}

static int read_container(Value root, State *state, Error *error) {
        const char *status = "creating";
        uint64_t pid = 0;

        if (value_string(root, "status", &status, error) < 0 ||
                value_string(root, "id", &state->id, error) < 0 ||
                value_string(root, "bundle", &state->bundle, error) < 0 ||
                value_number(root, "pid", PID_MAX, &pid, error) < 0)
                return -1;
        if (!state_name_is_plain(state->id))
                return error_set(
                        error, ERROR_INPUT, 0, "state: 'id' is missing or not a plain name");
        if (state->bundle[0] != '/')
                return error_set(error, ERROR_INPUT, 0,
                        "state: 'bundle' is missing or not an absolute path");
        state->stopped = strcmp(status, "stopped") == 0;
        if (!state->stopped && strcmp(status, "creating") != 0 && strcmp(status, "created") != 0)
                return error_set(error, ERROR_INPUT, 0,
                        "state: 'status' is '%s': a container is prepared before it runs, or never",
                        status);
        if (!state->stopped && pid == 0)
                return error_set(error, ERROR_INPUT, 0,
                        "state: 'pid' is missing or 0: there is no container to prepare");
        state->pid = (uint32_t)pid;
        return 0;
}

static void pack_state(const State *state, Packer *result) {
        pack_u8(result, state->annotated);
        if (!state->annotated)
                return;
        pack_u8(result, state->pause);
        pack_u8(result, state->stopped);
        pack_u32(result, state->pid);
        pack_string(result, state->id);
        pack_string(result, state->bundle);
        pack_string(result, state->policy);
        pack_string(result, state->target);
        pack_string(result, state->pod);
        pack_string(result, state->pod_name);
        pack_string(result, state->pod_namespace);
        pack_string(result, state->pod_uid);
        pack_string(result, state->container_name);
        pack_string(result, state->image);
}

int state_parse(const void *state_text, Packer *result, Error *error) {
        const StateText *input = state_text;
        cleanup(tree_freep) Tree tree = { 0 };
        State state = {
                .id = "",
                .bundle = "",
                .policy = "",
                .target = "",
                .pod = "",
                .pod_name = "",
                .pod_namespace = "",
                .pod_uid = "",
                .container_name = "",
                .image = "",
        };
        Value root = { 0 }, annotations = { 0 };
        int r;

        if (tree_parse("state", input->text, input->size, &tree, error) < 0 ||
                value_object(tree_root(&tree), "", &root, error) < 0 ||
                value_object(root, "annotations", &annotations, error) < 0)
                return -1;
        r = read_annotations(annotations, &state, error);
        if (r < 0)
                return -1;
        if (r > 0 && (read_engine(annotations, &state, error) < 0 ||
                             read_container(root, &state, error) < 0))
                return -1;
        pack_state(&state, result);
        return 0;
}

int state_unpack(const void *data, size_t size, State *ret_state, Error *error) {
        Unpacker fields = unpacker(data, size);
        State state = { .annotated = unpack_u8(&fields) != 0 };

        if (state.annotated) {
                state.pause = unpack_u8(&fields) != 0;
                state.stopped = unpack_u8(&fields) != 0;
                state.pid = unpack_u32(&fields);
                state.id = unpack_string(&fields);
                state.bundle = unpack_string(&fields);
                state.policy = unpack_string(&fields);
                state.target = unpack_string(&fields);
                state.pod = unpack_string(&fields);
                state.pod_name = unpack_string(&fields);
                state.pod_namespace = unpack_string(&fields);
                state.pod_uid = unpack_string(&fields);
                state.container_name = unpack_string(&fields);
                state.image = unpack_string(&fields);
        }
        if (!unpack_end(&fields) ||
                (state.annotated &&
                        (!state_name_is_plain(state.id) || state.bundle[0] != '/' ||
                                (state.pod[0] != '\0' && !state_name_is_plain(state.pod)))))
                return error_set(error, ERROR_PEER, 0, "a malformed result of the state parser");
        *ret_state = state;
        return 0;
}
