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

/*
 * Where engines say what, over whatever the pod's author wrote under these very keys: containerd's
 * CRI plugin and CRI-O for each container of a pod (the last four of CRI-O are kubelet's labels of
 * the container), podman for each container in a pod of its own. A container that podman runs
 * outside of a pod is the doing of who has podman. A podman container's name and image are in its
 * storage alone, and its pause container has no annotation of the pod's.
 */
static const struct {
        Engine engine;
        const char *key;
        size_t offset;
} engine_keys[] = {
        { ENGINE_CONTAINERD, "io.kubernetes.cri.container-type", offsetof(EngineWord, type) },
        { ENGINE_CONTAINERD, "io.kubernetes.cri.sandbox-id", offsetof(EngineWord, pod) },
        { ENGINE_CONTAINERD, "io.kubernetes.cri.sandbox-name", offsetof(EngineWord, pod_name) },
        { ENGINE_CONTAINERD, "io.kubernetes.cri.sandbox-namespace",
                offsetof(EngineWord, pod_namespace) },
        { ENGINE_CONTAINERD, "io.kubernetes.cri.sandbox-uid", offsetof(EngineWord, pod_uid) },
        { ENGINE_CONTAINERD, "io.kubernetes.cri.container-name",
                offsetof(EngineWord, container_name) },
        { ENGINE_CONTAINERD, "io.kubernetes.cri.image-name", offsetof(EngineWord, image) },
        { ENGINE_CRIO, "io.kubernetes.cri-o.ContainerType", offsetof(EngineWord, type) },
        { ENGINE_CRIO, "io.kubernetes.cri-o.SandboxID", offsetof(EngineWord, pod) },
        { ENGINE_CRIO, "io.kubernetes.cri-o.ImageName", offsetof(EngineWord, image) },
        { ENGINE_CRIO, "io.kubernetes.pod.name", offsetof(EngineWord, pod_name) },
        { ENGINE_CRIO, "io.kubernetes.pod.namespace", offsetof(EngineWord, pod_namespace) },
        { ENGINE_CRIO, "io.kubernetes.pod.uid", offsetof(EngineWord, pod_uid) },
        { ENGINE_CRIO, "io.kubernetes.container.name", offsetof(EngineWord, container_name) },
        { ENGINE_PODMAN, "io.kubernetes.cri-o.SandboxID", offsetof(EngineWord, pod) },
};
#define KEY_COUNT (sizeof(engine_keys) / sizeof(*engine_keys))

static const EngineWord nothing = {
        .type = "",
        .pod = "",
        .pod_name = "",
        .pod_namespace = "",
        .pod_uid = "",
        .container_name = "",
        .image = "",
};

static const char **find_field(State *state, size_t key) {
        return (void *)((char *)&state->said[engine_keys[key].engine] + engine_keys[key].offset);
}

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

static int read_engines(Value annotations, State *state, Error *error) {
        for (size_t i = 0; i < KEY_COUNT; i++)
                if (value_string(value_member(annotations, engine_keys[i].key), "",
                            find_field(state, i), error) < 0)
                        return error_context(error, "annotation '%s'", engine_keys[i].key);
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

static void pack_state(State *state, Packer *result) {
        pack_u8(result, state->annotated);
        if (!state->annotated)
                return;
        pack_u8(result, state->stopped);
        pack_u32(result, state->pid);
        pack_string(result, state->id);
        pack_string(result, state->bundle);
        pack_string(result, state->policy);
        pack_string(result, state->target);
        for (size_t i = 0; i < KEY_COUNT; i++)
                pack_string(result, *find_field(state, i));
}

int state_parse(const void *state_text, Packer *result, Error *error) {
        const StateText *input = state_text;
        cleanup(tree_freep) Tree tree = { 0 };
        State state = {
                .id = "",
                .bundle = "",
                .policy = "",
                .target = "",
                .said = { nothing, nothing, nothing, nothing },
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
        if (r > 0 && (read_engines(annotations, &state, error) < 0 ||
                             read_container(root, &state, error) < 0))
                return -1;
        pack_state(&state, result);
        return 0;
}

int state_unpack(const void *data, size_t size, State *ret_state, Error *error) {
        Unpacker fields = unpacker(data, size);
        State state = {
                .annotated = unpack_u8(&fields) != 0,
                .said = { nothing, nothing, nothing, nothing },
                .engine = nothing,
        };

        if (state.annotated) {
                state.stopped = unpack_u8(&fields) != 0;
                state.pid = unpack_u32(&fields);
                state.id = unpack_string(&fields);
                state.bundle = unpack_string(&fields);
                state.policy = unpack_string(&fields);
                state.target = unpack_string(&fields);
                for (size_t i = 0; i < KEY_COUNT; i++)
                        *find_field(&state, i) = unpack_string(&fields);
        }
        if (!unpack_end(&fields) ||
                (state.annotated && (!state_name_is_plain(state.id) || state.bundle[0] != '/')))
                return error_set(error, ERROR_PEER, 0, "a malformed result of the state parser");
        *ret_state = state;
        return 0;
}

/* The key of a CRI engine that has a value, or NULL. */
static const char *find_said(State *state) {
        for (size_t i = 0; i < KEY_COUNT; i++)
                if (engine_keys[i].engine != ENGINE_PODMAN && (*find_field(state, i))[0] != '\0')
                        return engine_keys[i].key;
        return NULL;
}

int state_hear(State *state, Engine engine, Error *error) {
        const char *said = engine == ENGINE_UNKNOWN ? find_said(state) : NULL;
        const EngineWord *word = &state->said[engine];

        if (said != NULL)
                return error_set(error, ERROR_INPUT, 0,
                        "annotation '%s' is a container engine's, but no engine is known to keep "
                        "bundles at '%s': say which it is by 'engine' in the node configuration, "
                        "or leave the annotation out",
                        said, state->bundle);
        if (word->pod[0] != '\0' && !state_name_is_plain(word->pod))
                return error_set(error, ERROR_INPUT, 0,
                        "the engine's pod id '%s' is not a plain name", word->pod);
        state->engine = *word;
        return 0;
}

bool state_is_pause(const State *state) {
        return strcmp(state->engine.type, "sandbox") == 0;
}
