/* SPDX-License-Identifier: Apache-2.0 */

/*
 * containerd 2 merges drop-ins into its configuration key by key. containerd 1 replaces a plugin's
 * whole section by the drop-in's (so does a configuration of version 2 when containerd 1 reads it):
 * there a drop-in of ours would drop the node's registry mirrors, so the administrator adds the
 * handler himself, once, and we check that it is there. CRI-O merges, and knows hooks.d.
 */
#include "hook/install/runtime.h"

#include "base/file.h"
#include "base/syscalls.h"
#include "hook/print.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define CONFIG_SIZE_MAX (1024U * 1024U)
#define CONTAINERD_SPEC "/etc/navigator/containerd-spec.json"
#define CRIO_HOOKS "/etc/navigator/hooks.d"
#define CRIO_DEFAULT_HOOKS "/usr/share/containers/oci/hooks.d"
#define DROP_IN_VERSION_MIN 3U /* the configuration's version from which drop-ins merge */
#define CRI "plugins/io.containerd.cri.v1.runtime/containerd"

/* k3s and rke2 generate their configuration at each start; the directory is theirs for additions.
 */
static const RuntimeSite sites[] = {
        { "k3s", RUNTIME_CONTAINERD, "/run/k3s/containerd/containerd.sock",
                "/var/lib/rancher/k3s/agent/etc/containerd/config.toml",
                "/var/lib/rancher/k3s/agent/etc/containerd/config-v3.toml.d" },
        { "rke2", RUNTIME_CONTAINERD, "/run/k3s/containerd/containerd.sock",
                "/var/lib/rancher/rke2/agent/etc/containerd/config.toml",
                "/var/lib/rancher/rke2/agent/etc/containerd/config-v3.toml.d" },
        { "containerd", RUNTIME_CONTAINERD, "/run/containerd/containerd.sock",
                "/etc/containerd/config.toml", "/etc/containerd/conf.d" },
        { "CRI-O", RUNTIME_CRIO, "/run/crio/crio.sock", "/etc/crio/crio.conf",
                "/etc/crio/crio.conf.d" },
};

Runtime runtime_free(Runtime runtime) {
        for (size_t i = 0; i < runtime.file_count; i++)
                free(runtime.files[i].text);
        return (Runtime){ 0 };
}

static bool exists(int root, const char *path) {
        cleanup_fd int fd = sys_openat2_in_root(root, path, O_PATH | O_CLOEXEC, 0);

        return fd >= 0;
}

static const RuntimeSite *find_site(int root) {
        for (size_t i = 0; i < sizeof(sites) / sizeof(*sites); i++)
                if (exists(root, sites[i].socket) &&
                        (sites[i].kind == RUNTIME_CRIO || exists(root, sites[i].config)))
                        return &sites[i];
        return NULL;
}

/* 1: there is no such file. */
static int read_config(int root, const char *path, char **ret_text, Error *error) {
        cleanup_fd int fd = sys_openat2_in_root(root, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
        size_t size;

        if (fd < 0 && errno == ENOENT)
                return 1;
        if (fd < 0)
                return error_set(error, ERROR_OS, errno, "cannot open '%s' on the node", path);
        return file_read_fd(fd, path, CONFIG_SIZE_MAX, ret_text, &size, error);
}

static int add_file(Runtime *runtime, const char *path, char **text, Error *error) {
        RuntimeFile *file = &runtime->files[runtime->file_count];
        int r = snprintf(file->path, sizeof(file->path), "%s", path);

        if (r < 0 || (size_t)r >= sizeof(file->path))
                return error_set(error, ERROR_LIMIT, 0, "'%s' is too long a path", path);
        file->text = take_ptr(*text);
        runtime->file_count++;
        return 0;
}

/* -- containerd */

static bool covers_drop_in(const char *pattern, void *context) {
        const char **drop_in = context;

        if (fnmatch(pattern, *drop_in, FNM_PATHNAME) != 0)
                return true;
        *drop_in = NULL; /* found: stop */
        return false;
}

/* The registration that only the administrator can make: is it there? */
static int check_by_hand(Toml config, const RuntimeSite *site, Error *error) {
        static const char *const handlers[] = {
                "plugins/io.containerd.grpc.v1.cri/containerd/runtimes/" RUNTIME_HANDLER,
                CRI "/runtimes/" RUNTIME_HANDLER,
        };

        for (size_t i = 0; i < sizeof(handlers) / sizeof(*handlers); i++) {
                int r = toml_has(config, handlers[i], error);

                if (r != 0)
                        return r < 0 ? -1 : 0;
        }
        return error_set(error, ERROR_INPUT, 0,
                "'%s' is of a version (below 3) to which containerd 1 does not merge drop-ins: add "
                "to it what "
                "'navigator-hook print-config containerd' prints, with base_runtime_spec = "
                "'" CONTAINERD_SPEC "' and the options of your default runtime, and restart %s",
                site->config, site->name);
}

typedef struct Options {
        char type[TOML_STRING_MAX];
        char binary[TOML_STRING_MAX]; /* "" = containerd's default */
        bool systemd;
        bool has_systemd;
} Options;

/* How the node starts its default runtime. */
static int read_options(Toml config, Options *options, Error *error) {
        char name[TOML_STRING_MAX] = "runc";
        char path[TOML_PATH_MAX];
        int r;

        if (toml_string(config, CRI "/default_runtime_name", name, error) < 0)
                return -1;
        (void)snprintf(options->type, sizeof(options->type), "io.containerd.runc.v2");
        (void)snprintf(path, sizeof(path), CRI "/runtimes/%.128s/runtime_type", name);
        if (toml_string(config, path, options->type, error) < 0)
                return -1;
        if (strcmp(options->type, "io.containerd.runc.v2") != 0)
                return error_set(error, ERROR_INPUT, 0,
                        "%s: the default runtime '%s' is of type '%s'; the hook needs runc or crun "
                        "(io.containerd.runc.v2)",
                        config.name, name, options->type);
        (void)snprintf(path, sizeof(path), CRI "/runtimes/%.128s/options/BinaryName", name);
        if (toml_string(config, path, options->binary, error) < 0)
                return -1;
        (void)snprintf(path, sizeof(path), CRI "/runtimes/%.128s/options/SystemdCgroup", name);
        r = toml_boolean(config, path, &options->systemd, error);
        options->has_systemd = r > 0;
        return r < 0 ? -1 : 0;
}

static char *write_drop_in(uint64_t version, const Options *options) {
        char *text = NULL;
        size_t size;
        FILE *stream = open_memstream(&text, &size);

        if (stream == NULL)
                return NULL;
        (void)fprintf(stream,
                "# Written by navigator-hook install, which owns this file. The options are those "
                "of the node's default runtime.\n"
                "version = %llu\n\n"
                "[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes." RUNTIME_HANDLER "]\n"
                "  runtime_type = '%s'\n"
                "  pod_annotations = ['navigator.sandbox/*']\n"
                "  base_runtime_spec = '" CONTAINERD_SPEC "'\n"
                "[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes." RUNTIME_HANDLER
                ".options]\n",
                (unsigned long long)version, options->type);
        if (options->binary[0] != '\0')
                (void)fprintf(stream, "  BinaryName = '%s'\n", options->binary);
        if (options->has_systemd)
                (void)fprintf(
                        stream, "  SystemdCgroup = %s\n", options->systemd ? "true" : "false");
        if (fclose(stream) == EOF) {
                free(text);
                return NULL;
        }
        return text;
}

static int add_containerd_spec(const RuntimeRequest *request, Runtime *runtime, Error *error) {
        cleanup_free char *text = NULL;
        size_t size;
        FILE *input =
                fmemopen((void *)(uintptr_t)request->base_spec, strlen(request->base_spec), "r");
        FILE *output = open_memstream(&text, &size);
        int r = -1;

        if (input != NULL && output != NULL)
                r = print_config("containerd-spec", request->hook, input, output, error);
        else
                (void)error_set(error, ERROR_OS, errno, "cannot make the OCI specification");
        if (input != NULL)
                (void)fclose(input);
        if (output != NULL)
                (void)fclose(output);
        return r < 0 ? -1 : add_file(runtime, CONTAINERD_SPEC, &text, error);
}

static int detect_containerd(const RuntimeRequest *request, Runtime *runtime, Error *error) {
        const RuntimeSite *site = runtime->site;
        cleanup_free char *text = NULL;
        cleanup_free char *drop_in = NULL;
        Options options = { .binary = "" };
        char path[TOML_STRING_MAX];
        const char *uncovered = path;
        Toml config;
        uint64_t version = 1;
        int r;

        r = read_config(request->root, site->config, &text, error);
        if (r != 0)
                return r < 0 ? -1
                             : error_set(error, ERROR_INPUT, 0, "%s has no configuration '%s'",
                                       site->name, site->config);
        config = (Toml){ .name = site->config, .text = text };
        if (toml_number(config, "version", &version, error) < 0 ||
                add_containerd_spec(request, runtime, error) < 0)
                return -1;
        if (version < DROP_IN_VERSION_MIN)
                return check_by_hand(config, site, error);

        (void)snprintf(path, sizeof(path), "%s/" RUNTIME_HANDLER ".toml", site->drop_ins);
        if (toml_strings(config, "imports", covers_drop_in, (void *)&uncovered, error) < 0)
                return -1;
        if (uncovered != NULL)
                return error_set(error, ERROR_INPUT, 0,
                        "'%s' imports no drop-ins from '%s': add  imports = ['%s/*.toml']  to its "
                        "top",
                        site->config, site->drop_ins, site->drop_ins);
        if (read_options(config, &options, error) < 0)
                return -1;
        drop_in = write_drop_in(version, &options);
        if (drop_in == NULL)
                return error_set(error, ERROR_OS, ENOMEM, "cannot write the drop-in");
        return add_file(runtime, path, &drop_in, error);
}

/* -- CRI-O */

/* CRI-O's packages put their runtimes there, distributions in /usr/bin. */
static const char *find_crio_runtime(int root) {
        static const char *const places[] = { "/usr/libexec/crio/crun", "/usr/libexec/crio/runc",
                "/usr/bin/crun", "/usr/bin/runc", "/usr/sbin/runc" };

        for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++)
                if (exists(root, places[i]))
                        return places[i];
        return NULL;
}

static int add_crio_hook(const RuntimeRequest *request, Runtime *runtime, Error *error) {
        cleanup_free char *text = NULL;
        size_t size;
        FILE *output = open_memstream(&text, &size);
        int r;

        if (output == NULL)
                return error_set(error, ERROR_OS, errno, "cannot make the hook's registration");
        r = print_config("crio", request->hook, stdin, output, error);
        (void)fclose(output);
        return r < 0 ? -1 : add_file(runtime, CRIO_HOOKS "/navigator.json", &text, error);
}

static int detect_crio(const RuntimeRequest *request, Runtime *runtime, Error *error) {
        const char *binary = find_crio_runtime(request->root);
        cleanup_free char *text = NULL;
        char path[TOML_STRING_MAX];

        if (binary == NULL)
                return error_set(error, ERROR_INPUT, 0,
                        "found no crun or runc on the node where CRI-O keeps them");
        (void)snprintf(
                path, sizeof(path), "%s/99-" RUNTIME_HANDLER ".conf", runtime->site->drop_ins);
        if (asprintf(&text,
                    "# Written by navigator-hook install, which owns this file.\n"
                    "[crio.runtime]\n"
                    "hooks_dir = [\"" CRIO_DEFAULT_HOOKS "\", \"" CRIO_HOOKS "\"]\n\n"
                    "[crio.runtime.runtimes." RUNTIME_HANDLER "]\n"
                    "runtime_path = \"%s\"\n"
                    "runtime_type = \"oci\"\n",
                    binary) < 0)
                return error_set(error, ERROR_OS, ENOMEM, "cannot write the drop-in");
        if (add_file(runtime, path, &text, error) < 0)
                return -1;
        return add_crio_hook(request, runtime, error);
}

int runtime_detect(const RuntimeRequest *request, Runtime *ret_runtime, Error *error) {
        cleanup(runtime_freep) Runtime runtime = { .site = find_site(request->root) };
        int r;

        if (runtime.site == NULL)
                return error_set(error, ERROR_INPUT, 0,
                        "found no container runtime on the node: no socket of containerd, k3s, "
                        "rke2 or CRI-O with its configuration");
        r = runtime.site->kind == RUNTIME_CRIO ? detect_crio(request, &runtime, error)
                                               : detect_containerd(request, &runtime, error);
        if (r < 0)
                return error_context(error, "%s", runtime.site->name);
        *ret_runtime = take(runtime, (Runtime){ 0 });
        return 0;
}
