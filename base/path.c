/* SPDX-License-Identifier: Apache-2.0 */

#include "base/path.h"

#include <string.h>

static bool is_component(const char *at, size_t size, const char *name) {
        return size == strlen(name) && memcmp(at, name, size) == 0;
}

/* The component at *at, which is moved behind it; its size, 0 at the end. */
static size_t next_component(const char **at, const char **ret_component) {
        size_t size;

        *at += strspn(*at, "/");
        size = strcspn(*at, "/");
        *ret_component = *at;
        *at += size;
        return size;
}

static PathForm judge(const char *path, size_t *ret_size) {
        const char *component, *at = path;
        size_t size, total = 0;

        if (path[0] != '/')
                return PATH_RELATIVE;
        while ((size = next_component(&at, &component)) > 0) {
                if (is_component(component, size, ".."))
                        return PATH_TRAVERSAL;
                if (!is_component(component, size, "."))
                        total += size + 1;
        }
        *ret_size = total > 0 ? total : 1;
        return PATH_NORMAL;
}

PathForm path_normalise(const char *path, char *ret_path, size_t room) {
        const char *component, *at = path;
        size_t size, total = 0;
        PathForm form = judge(path, &total);
        char *end = ret_path;

        if (form != PATH_NORMAL)
                return form;
        if (total >= room)
                return PATH_LONG;
        while ((size = next_component(&at, &component)) > 0) {
                if (is_component(component, size, "."))
                        continue;
                *end++ = '/';
                memmove(end, component, size);
                end += size;
        }
        if (end == ret_path)
                *end++ = '/';
        *end = '\0';
        return PATH_NORMAL;
}

bool path_covers(const char *directory, const char *path) {
        size_t size = strlen(directory);

        if (size == 1) /* "/" */
                return path[0] == '/';
        return strncmp(directory, path, size) == 0 && (path[size] == '\0' || path[size] == '/');
}
