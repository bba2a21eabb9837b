/* SPDX-License-Identifier: Apache-2.0 */

#include "webhook/inject.h"

#include "base/cleanup.h"
#include "webhook/settings.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#define POLICY_ANNOTATION "navigator.sandbox/policy"
#define POLICY_CONFIG_MAP "configmap/"
#define POLICY_VOLUME "navigator-policy"
#define POLICY_PATH "/run/navigator-policy" /* hook/source.c looks there */
#define DEFAULT_CONTAINER "kubectl.kubernetes.io/default-container"
#define RUNTIME_CLASS "navigator"
#define USER_NAMESPACE_IDS 65536 /* a pod's user namespace has the ids below */
#define PATH_SIZE 128U

typedef struct Work {
        const Settings *settings;
        const json_t *metadata, *spec, *annotations;
        const char *sidecar;    /* its name */
        const char *config_map; /* of the policy; NULL: the policy is elsewhere */
        json_t *patch;
        int failed; /* memory ran out on the way */
} Work;

static json_t *document_free(json_t *document) {
        json_decref(document);
        return NULL;
}
DEFINE_CLEANUP(json_t *, document_free);

/* --- operations --- */

/* Takes the value. */
static void operate(Work *work, const char *name, const char *path, json_t *value) {
        if (value == NULL ||
                json_array_append_new(work->patch,
                        json_pack("{s:s, s:s, s:o}", "op", name, "path", path, "value", value)) < 0)
                work->failed = 1;
}

static void add(Work *work, const char *path, json_t *value) {
        operate(work, "add", path, value);
}

printf_like(2, 3) static void write_path(char path[static PATH_SIZE], const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        (void)vsnprintf(path, PATH_SIZE, format, arguments);
        va_end(arguments);
}

/* --- the pod --- */

static bool is_true(const json_t *object, const char *key) {
        return json_is_true(json_object_get(object, key));
}

static bool has(const json_t *object, const char *key) {
        return json_object_get(object, key) != NULL;
}

static const char *annotation(const Work *work, const char *key) {
        return json_string_value(json_object_get(work->annotations, key));
}

/* Refused elsewhere, with a reason that says more than the API server's own about what contradicts
 * it. */
static bool shares_with_host(const json_t *spec) {
        return is_true(spec, "hostPID") || is_true(spec, "hostIPC") || is_true(spec, "hostNetwork");
}

static bool id_fits(const json_t *id) {
        return !json_is_integer(id) || json_integer_value(id) < USER_NAMESPACE_IDS;
}

static bool context_fits(const json_t *context) {
        const json_t *groups = json_object_get(context, "supplementalGroups");

        for (size_t i = 0; i < json_array_size(groups); i++)
                if (!id_fits(json_array_get(groups, i)))
                        return false;
        return id_fits(json_object_get(context, "runAsUser")) &&
               id_fits(json_object_get(context, "runAsGroup")) &&
               id_fits(json_object_get(context, "fsGroup"));
}

/* The runtime cannot start a container with an id that its user namespace lacks. */
static bool ids_fit(const json_t *spec) {
        static const char *const lists[] = { "containers", "initContainers" };

        for (size_t k = 0; k < sizeof(lists) / sizeof(*lists); k++) {
                const json_t *containers = json_object_get(spec, lists[k]);

                for (size_t i = 0; i < json_array_size(containers); i++)
                        if (!context_fits(json_object_get(
                                    json_array_get(containers, i), "securityContext")))
                                return false;
        }
        return context_fits(json_object_get(spec, "securityContext"));
}

static void patch_fields(Work *work) {
        const json_t *spec = work->spec;

        if (!has(spec, "shareProcessNamespace") && !shares_with_host(spec))
                add(work, "/spec/shareProcessNamespace", json_true());
        if (!has(spec, "runtimeClassName"))
                add(work, "/spec/runtimeClassName", json_string(RUNTIME_CLASS));
        if (work->settings->user_namespaces && !has(spec, "hostUsers") && !shares_with_host(spec) &&
                ids_fit(spec))
                add(work, "/spec/hostUsers", json_false());
        if (work->settings->default_container && annotation(work, DEFAULT_CONTAINER) == NULL)
                add(work, "/metadata/annotations/kubectl.kubernetes.io~1default-container",
                        json_string(work->sidecar));
        if (!has(work->metadata, "labels"))
                add(work, "/metadata/labels", json_object());
        add(work, "/metadata/labels/navigator.sandbox~1injected", json_string("true"));
}

static void patch_volumes(Work *work) {
        const json_t *volumes = work->settings->volumes;

        if (!has(work->spec, "volumes"))
                add(work, "/spec/volumes", json_array());
        for (size_t i = 0; i < json_array_size(volumes); i++)
                add(work, "/spec/volumes/-", json_incref(json_array_get(volumes, i)));
        if (work->config_map != NULL)
                add(work, "/spec/volumes/-",
                        json_pack("{s:s, s:{s:s}}", "name", POLICY_VOLUME, "configMap", "name",
                                work->config_map));
}

/* --- the containers that the author wrote --- */

static void mount_policy(Work *work, const char *list, size_t i, const json_t *container) {
        char path[PATH_SIZE];

        write_path(path, "/spec/%s/%zu/volumeMounts", list, i);
        if (!has(container, "volumeMounts"))
                add(work, path, json_array());
        write_path(path, "/spec/%s/%zu/volumeMounts/-", list, i);
        add(work, path,
                json_pack("{s:s, s:s, s:b}", "name", POLICY_VOLUME, "mountPath", POLICY_PATH,
                        "readOnly", 1));
}

/* The entry of a list with this name, or NULL. */
static json_t *find(const json_t *list, const char *name) {
        for (size_t i = 0; name != NULL && i < json_array_size(list); i++) {
                json_t *entry = json_array_get(list, i);
                const char *found = json_string_value(json_object_get(entry, "name"));

                if (found != NULL && strcmp(found, name) == 0)
                        return entry;
        }
        return NULL;
}

/* A variable of the same name is replaced where it stands; the others come first, so that the
 * author's may refer to them. */
static void set_variables(Work *work, const char *list, size_t i, const json_t *container) {
        const json_t *ours = work->settings->proxy_variables;
        const json_t *theirs = json_object_get(container, "env");
        char path[PATH_SIZE];

        if (theirs == NULL) {
                write_path(path, "/spec/%s/%zu/env", list, i);
                add(work, path, json_array());
        }
        for (size_t k = 0; k < json_array_size(theirs); k++) {
                const json_t *name = json_object_get(json_array_get(theirs, k), "name");
                json_t *variable = find(ours, json_string_value(name));

                write_path(path, "/spec/%s/%zu/env/%zu", list, i, k);
                if (variable != NULL)
                        operate(work, "replace", path, json_incref(variable));
        }
        write_path(path, "/spec/%s/%zu/env/0", list, i);
        for (size_t k = json_array_size(ours); k-- > 0;) { /* each before those already there */
                json_t *variable = json_array_get(ours, k);
                const char *name = json_string_value(json_object_get(variable, "name"));

                if (find(theirs, name) == NULL)
                        add(work, path, json_incref(variable));
        }
}

static void patch_containers(Work *work, const char *list) {
        const json_t *containers = json_object_get(work->spec, list);

        for (size_t i = 0; i < json_array_size(containers); i++) {
                const json_t *container = json_array_get(containers, i);

                if (work->config_map != NULL)
                        mount_policy(work, list, i, container);
                if (json_array_size(work->settings->proxy_variables) > 0)
                        set_variables(work, list, i, container);
        }
}

/* --- the sidecar --- */

/* Before everything else that starts. */
static void patch_sidecar(Work *work) {
        if (!has(work->spec, "initContainers"))
                add(work, "/spec/initContainers", json_array());
        add(work, "/spec/initContainers/0", json_incref(work->settings->sidecar));
        /* where the launcher sees what becomes of the policy while the pod runs */
        if (work->config_map != NULL)
                mount_policy(work, "initContainers", 0, work->settings->sidecar);
}

/* --- all of it --- */

static bool is_wanted(const Work *work) {
        const char *value = annotation(work, INJECT_ANNOTATION);

        return value != NULL && strcmp(value, "true") == 0 &&
               find(json_object_get(work->spec, "containers"), work->sidecar) == NULL &&
               find(json_object_get(work->spec, "initContainers"), work->sidecar) == NULL;
}

static void find_policy(Work *work) {
        const char *policy = annotation(work, POLICY_ANNOTATION);
        size_t prefix = strlen(POLICY_CONFIG_MAP);

        if (policy != NULL && strncmp(policy, POLICY_CONFIG_MAP, prefix) == 0 &&
                policy[prefix] != '\0')
                work->config_map = policy + prefix;
}

int inject(const Settings *settings, const json_t *pod, json_t **ret_patch, Error *error) {
        cleanup(document_freep) json_t *patch = json_array();
        Work work = {
                .settings = settings,
                .metadata = json_object_get(pod, "metadata"),
                .spec = json_object_get(pod, "spec"),
                .annotations = json_object_get(json_object_get(pod, "metadata"), "annotations"),
                .sidecar = json_string_value(json_object_get(settings->sidecar, "name")),
                .patch = patch,
        };

        if (!json_is_object(work.metadata) ||
                !json_is_array(json_object_get(work.spec, "containers")))
                return error_set(error, ERROR_INPUT, 0, "this is no pod: it has no containers");
        if (!is_wanted(&work))
                return 0;
        find_policy(&work);
        patch_fields(&work);
        patch_volumes(&work);
        patch_containers(&work, "containers");
        patch_containers(&work, "initContainers");
        patch_sidecar(&work);
        if (work.failed)
                return error_set(error, ERROR_LIMIT, 0, "no memory for the patch");
        *ret_patch = take_ptr(patch);
        return 1;
}
