/* SPDX-License-Identifier: Apache-2.0 */

/* A path is cut into segments and compared with the patterns of one table. Nothing is decoded: no
 * path served here has a byte to escape. */
#include "sidecar/gateway/route.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#define SEGMENTS_MAX 16U
#define PROXY_SEGMENTS 7U /* api v1 namespaces NS pods NAME proxy */

typedef struct Segment {
        const char *text;
        size_t size;
} Segment;

typedef struct Pattern {
        RouteKind kind;
        const char *segments[8]; /* "*" is a name; ended by NULL */
} Pattern;

static const Pattern patterns[] = {
        { ROUTE_LIVE, { "healthz" } },
        { ROUTE_LIVE, { "livez" } },
        { ROUTE_READY, { "readyz" } },
        { ROUTE_VERSION, { "version" } },
        { ROUTE_API, { "api" } },
        { ROUTE_GROUPS, { "apis" } },
        { ROUTE_RESOURCES, { "api", "v1" } },
        { ROUTE_NAMESPACE, { "api", "v1", "namespaces", "*" } },
        { ROUTE_POD, { "api", "v1", "namespaces", "*", "pods", "*" } },
        { ROUTE_EXEC, { "api", "v1", "namespaces", "*", "pods", "*", "exec" } },
        { ROUTE_PORT_FORWARD, { "api", "v1", "namespaces", "*", "pods", "*", "portforward" } },
};

static bool segment_is(Segment segment, const char *text) {
        return segment.size == strlen(text) && memcmp(segment.text, text, segment.size) == 0;
}

/* One trailing slash is forgiven, as the API server does. */
static bool split(const char *path, size_t size, Segment *segments, size_t *ret_count) {
        size_t count = 0;
        size_t at = 1;

        while (at < size) {
                const char *slash = memchr(path + at, '/', size - at);
                size_t end = slash != NULL ? (size_t)(slash - path) : size;

                if (end == at || count == SEGMENTS_MAX)
                        return false;
                segments[count++] = (Segment){ path + at, end - at };
                at = end + 1;
        }
        *ret_count = count;
        return true;
}

static bool is_proxy_prefix(const Segment *segments, size_t count) {
        return count >= PROXY_SEGMENTS && segment_is(segments[0], "api") &&
               segment_is(segments[1], "v1") && segment_is(segments[2], "namespaces") &&
               (segment_is(segments[4], "pods") || segment_is(segments[4], "services")) &&
               segment_is(segments[6], "proxy");
}

static bool matches(const Pattern *pattern, const Segment *segments, size_t count) {
        for (size_t i = 0; i < count; i++)
                if (pattern->segments[i] == NULL ||
                        (strcmp(pattern->segments[i], "*") != 0 &&
                                !segment_is(segments[i], pattern->segments[i])))
                        return false;
        return pattern->segments[count] == NULL;
}

static bool is_letter_or_digit(char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_name(Segment segment, size_t most) {
        bool good = segment.size <= most && is_letter_or_digit(segment.text[0]) &&
                    is_letter_or_digit(segment.text[segment.size - 1]);

        for (size_t i = 0; good && i < segment.size; i++)
                good = is_letter_or_digit(segment.text[i]) || segment.text[i] == '-' ||
                       segment.text[i] == '.';
        return good;
}

static int copy_name(Segment segment, const char *what, char *name, size_t most, Error *error) {
        if (!is_name(segment, most))
                return error_set(error, ERROR_INPUT, 0, "'%.*s' cannot be the name of a %s",
                        (int)(segment.size > 80 ? 80 : segment.size), segment.text, what);
        memcpy(name, segment.text, segment.size);
        name[segment.size] = '\0';
        return 0;
}

static int fill(RouteKind kind, const Segment *segments, Route *route, Error *error) {
        route->kind = kind;
        if (kind < ROUTE_NAMESPACE)
                return 0;
        if (copy_name(segments[3], "namespace", route->pod_namespace, ROUTE_NAMESPACE_MAX, error))
                return -1;
        if (kind == ROUTE_NAMESPACE)
                return 0;
        return copy_name(segments[5], "pod", route->pod, ROUTE_POD_MAX, error);
}

int route_parse(const char *target, Route *ret_route, Error *error) {
        size_t size = strcspn(target, "?");
        Route route = { .query = target[size] == '?' ? target + size + 1 : "" };
        Segment all[SEGMENTS_MAX] = { 0 };
        const Segment *segments = all;
        size_t count = 0;

        if (target[0] != '/')
                return error_set(error, ERROR_INPUT, 0, "the request's target is not a path");
        *ret_route = route;
        if (!split(target, size, all, &count))
                return 0;
        if (is_proxy_prefix(segments, count)) {
                segments += PROXY_SEGMENTS;
                count -= PROXY_SEGMENTS;
        }
        if (count >= sizeof(patterns->segments) / sizeof(*patterns->segments))
                return 0;
        for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
                if (!matches(&patterns[i], segments, count))
                        continue;
                if (fill(patterns[i].kind, segments, &route, error) < 0)
                        return -1;
                *ret_route = route;
                return 0;
        }
        return 0;
}
