/* SPDX-License-Identifier: Apache-2.0 */

/* Files that want to hurt: bombs, depth, size, broken bytes, everything cut off anywhere; and how
 * much memory and time they get. */
#include "policy/parse.h"

#include "base/cleanup.h"
#include "policy/flat.h"
#include "tests/helpers/policies.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

#define MEMORY_MAX_KIB (16U * 1024U)
#define SECONDS_MAX 3.0

/* ---- making them ---- */

typedef struct Text {
        char bytes[POLICY_TEXT_MAX + 1];
        size_t size;
} Text;

static Text *text_new(const char *beginning) {
        Text *text = calloc(1, sizeof(*text));

        assert_non_null(text);
        text->size = strlen(beginning);
        memcpy(text->bytes, beginning, text->size);
        return text;
}

static void text_freep(Text **text) {
        free(*text);
}

/* Adds `piece`, in which the first %u is the number, as often as it fits in front of `end`. */
static void fill(Text *text, const char *piece, const char *end) {
        const char *number = strstr(piece, "%u");
        char one[256];

        for (unsigned i = 0;; i++) {
                int n = number != NULL ? snprintf(one, sizeof(one), "%.*s%u%s",
                                                 (int)(number - piece), piece, i, number + 2)
                                       : snprintf(one, sizeof(one), "%s", piece);

                assert_true(n > 0 && (size_t)n < sizeof(one));
                if (text->size + (size_t)n + strlen(end) > POLICY_TEXT_MAX)
                        break;
                memcpy(text->bytes + text->size, one, (size_t)n);
                text->size += (size_t)n;
        }
        memcpy(text->bytes + text->size, end, strlen(end));
        text->size += strlen(end);
}

static const struct {
        const char *name, *beginning, *piece, *end;
        bool valid;
} large[] = {
        { "one key", "version: 1\n", "k", ": 1\n", false },
        { "one key in quotes", "version: 1\n\"", "k", "\": 1\n", false },
        { "one value", "version: 1\nprocess: {run_as_user: ", "u", "}\n", false },
        { "one value of escapes", "version: 1\nprocess: {run_as_user: \"", "\\u00e9", "\"}\n",
                false },
        { "a folded value", "version: 1\nprocess:\n  run_as_user: >\n", "    a\n", "", false },
        { "brackets", "version: 1\nx: ", "[", "", false },
        { "braces", "version: 1\nx: ", "{", "", false },
        { "brackets and braces", "", "[{", "", false },
        { "question marks", "", "? ", "", false },
        { "hyphens", "", "- ", "", false },
        { "indentation", "", "a:\n ", "", false },
        { "commas", "version: 1\nx: [a", ",a", "]\n", false },
        { "unknown keys", "version: 1\n", "k%u: 1\n", "", false },
        { "one key again and again", "version: 1\n", "landlock: {}\n", "", false },
        { "comments", "version: 1\n", "# c\n", "", true },
        { "blank lines", "version: 1\n", "\n", "", true },
        { "policies", "version: 1\nnetwork_policies:\n", "  n%u: {}\n", "", true },
        { "one policy again and again", "version: 1\nnetwork_policies:\n", "  n: {}\n", "", false },
        { "endpoints", "version: 1\nnetwork_policies: {a: {endpoints: [", "{host: a.b%u,port: 1},",
                "]}}\n", true },
        { "endpoints with wildcards", "version: 1\nnetwork_policies: {a: {endpoints: [",
                "{host: '**.a%u.b.c',port: 1},", "]}}\n", true },
        { "endpoints with long hosts", "version: 1\nnetwork_policies: {a: {endpoints: [",
                "{host: a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.a.b%u,port: 1},", "]}}\n", true },
        { "one endpoint again and again",
                "version: 1\nnetwork_policies: {a: {binaries: [{path: /a}], endpoints: [",
                "{host: a.b,port: 1},", "]}}\n", false },
        { "ports", "version: 1\nnetwork_policies: {a: {endpoints: [{host: a.b,ports: [1", ",1%u",
                "]}]}}\n", false },
        { "addresses", "version: 1\nnetwork_policies: {a: {endpoints: [{port: 1, allowed_ips: [",
                "'1.1.1.1',", "]}]}}\n", true },
        { "binaries", "version: 1\nnetwork_policies: {a: {binaries: [", "{path: /%u},", "]}}\n",
                true },
        { "binaries that can be written", "version: 1\nnetwork_policies: {a: {binaries: [",
                "{path: /tmp/%u},", "]}}\n", true },
        { "rules",
                "version: 1\nnetwork_policies: {a: {endpoints: [{host: a.b,port: 1,protocol: "
                "rest,rules: [",
                "{allow: {method: G,path: /%u}},", "]}]}}\n", true },
        { "queries",
                "version: 1\nnetwork_policies: {a: {endpoints: [{host: a.b,port: 1,protocol: "
                "rest,rules: [{allow: {method: G,path: /, query: {",
                "q%u: a,", "}}}]}]}}\n", true },
        { "denied endpoints", "version: 1\nnetwork_policies: {a: {endpoints: [",
                "{host: a.b%u,port: 1,protocol: rest,access: full},", "]}}\n", true },
        { "contradictions", "version: 1\nnetwork_policies:\n",
                "  n%u: {endpoints: [{host: a.b,port: 1},{host: a.b,port: 1,tls: skip}], binaries: "
                "[{path: /%u}]}\n",
                "", false },
        { "routes", "version: 1\ninference: {allowed_routes: [", "a,", "]}\n", false },
};

/* ---- what they get ---- */

static double seconds_between(const struct timespec *from, const struct timespec *to) {
        return (double)(to->tv_sec - from->tv_sec) + (double)(to->tv_nsec - from->tv_nsec) / 1e9;
}

/* A value of /proc/self/status, in KiB. */
static unsigned long status_value(const char *name) {
        char line[256];
        unsigned long value = 0;
        FILE *status = fopen("/proc/self/status", "re");

        while (status != NULL && fgets(line, sizeof(line), status) != NULL)
                if (strncmp(line, name, strlen(name)) == 0)
                        value = strtoul(line + strlen(name), NULL, 10);
        if (status != NULL)
                (void)fclose(status);
        return value;
}

static void forget_peak(void) {
        FILE *clear = fopen("/proc/self/clear_refs", "we");

        if (clear == NULL)
                _exit(98);
        (void)fputs("5", clear);
        if (fclose(clear) != 0)
                _exit(97);
}

/* In a process of its own: parses, and ends with 0 (valid), 1 (not), or what went wrong. */
_Noreturn static void measure(const char *text, size_t size, int report) {
        struct timespec before, after;
        unsigned long resident, peak;
        Diagnostics diagnostics;
        Policy *policy = NULL;
        double seconds;
        int r;

        forget_peak();
        resident = status_value("VmRSS:");
        (void)clock_gettime(CLOCK_MONOTONIC, &before);
        r = policy_parse(text, size, &policy, &diagnostics);
        (void)clock_gettime(CLOCK_MONOTONIC, &after);
        peak = status_value("VmHWM:");
        seconds = seconds_between(&before, &after);
        dprintf(report, "%lu KiB, %.2f s", peak > resident ? peak - resident : 0, seconds);
        if (!SANITIZED && (peak < resident || peak - resident > MEMORY_MAX_KIB))
                _exit(2);
        if (!SANITIZED && seconds > SECONDS_MAX)
                _exit(3);
        if (r == 0) {
                Packer packer = packer_growing(POLICY_FLAT_SIZE_MAX);

                policy_pack(policy, &packer);
                if (packer.failed)
                        _exit(4);
        }
        _exit(r == 0 ? 0 : 1);
}

static void check_large(const char *name, const Text *text, bool valid) {
        char report[64] = "";
        int ends[2], status;
        pid_t child;

        assert_int_equal(pipe(ends), 0);
        child = fork();
        if (child == 0)
                measure(text->bytes, text->size, ends[1]);
        (void)close(ends[1]);
        (void)read(ends[0], report, sizeof(report) - 1);
        (void)close(ends[0]);
        assert_int_equal(waitpid(child, &status, 0), child);
        print_message("%s: %s\n", name, report);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != (valid ? 0 : 1))
                fail_msg("%s: status %d (%s)", name, status, report);
}

static void bounds_memory_and_time(void **state) {
        for (size_t i = 0; i < sizeof(large) / sizeof(*large); i++) {
                cleanup(text_freep) Text *text = text_new(large[i].beginning);

                fill(text, large[i].piece, large[i].end);
                check_large(large[i].name, text, large[i].valid);
        }
}

static void takes_256_kib_and_no_more(void **state) {
        cleanup(text_freep) Text *text = text_new("version: 1\n");
        cleanup_free char *longer = malloc(POLICY_TEXT_MAX + 1);
        Diagnostics diagnostics;
        Policy *policy = NULL;

        assert_non_null(longer);
        fill(text, "#", "\n");
        assert_int_equal(text->size, POLICY_TEXT_MAX);
        assert_int_equal(policy_parse(text->bytes, text->size, &policy, &diagnostics), 0);
        policy = policy_unref(policy);
        memcpy(longer, text->bytes, text->size);
        longer[text->size] = '\n';
        assert_int_equal(policy_parse(longer, text->size + 1, &policy, &diagnostics), -1);
        assert_string_equal(
                diagnostics.items[0].text, "the file is larger than 262144 bytes (262145)");
}

static void counts_values(void **state) {
        cleanup(text_freep) Text *text = text_new("version: 1\nx: [a");
        Diagnostics diagnostics;
        Policy *policy = NULL;

        fill(text, ",a", "]\n");
        assert_int_equal(policy_parse(text->bytes, text->size, &policy, &diagnostics), -1);
        assert_string_equal(diagnostics.items[0].text, "more than 65536 values");
        assert_int_equal(diagnostics.items[0].position.line, 2);
}

/* Each line nine times the one before: 9^9 values, if anybody followed. */
static void is_no_bomb(void **state) {
        static const char bomb[] = "a: &a [x,x,x,x,x,x,x,x,x]\n"
                                   "b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
                                   "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n";
        Diagnostics diagnostics;
        Policy *policy = NULL;

        assert_int_equal(policy_parse(bomb, sizeof(bomb) - 1, &policy, &diagnostics), -1);
        assert_int_equal(diagnostics.items[0].position.line, 1);
        assert_int_equal(diagnostics.items[0].position.column, 4);
}

/* ---- cut off anywhere ---- */

/* In memory of exactly that size, so that the sanitizers see a byte too many. */
static void cut_everywhere(const char *path) {
        cleanup_free char *text = NULL;
        size_t size;

        assert_int_equal(file_read(AT_FDCWD, path, POLICY_TEXT_MAX, &text, &size, NULL), 0);
        for (size_t kept = 0; kept < size; kept++) {
                cleanup_free char *copy = malloc(kept > 0 ? kept : 1);
                Diagnostics diagnostics;
                Policy *policy = NULL;

                assert_non_null(copy);
                memcpy(copy, text, kept);
                if (policy_parse(copy, kept, &policy, &diagnostics) == 0)
                        policy = policy_unref(
                                policy); /* YAML has no end mark: what is left may be a policy */
                else
                        assert_true(diagnostics.count > 0 && diagnostics.items[0].text[0] != '\0');
        }
}

static unsigned cut_folder(const char *folder) {
        DIR *directory = opendir(folder);
        const struct dirent *entry;
        unsigned count = 0;
        char path[512];

        assert_non_null(directory);
        while ((entry = readdir(directory)) != NULL) {
                if (entry->d_name[0] == '.')
                        continue;
                (void)snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
                cut_everywhere(path);
                count++;
        }
        (void)closedir(directory);
        return count;
}

static void survives_every_truncation(void **state) {
        assert_true(cut_folder("policy/presets") >= 4);
        assert_true(cut_folder("tests/data/policy/features") >= 20);
}

/* A byte that is not UTF-8, everywhere in a file. */
static void refuses_broken_bytes_everywhere(void **state) {
        cleanup_free char *text = NULL;
        size_t size;

        assert_int_equal(file_read(AT_FDCWD, "tests/data/policy/features/everything.yaml",
                                 POLICY_TEXT_MAX, &text, &size, NULL),
                0);
        for (size_t at = 0; at < size; at++) {
                static const char broken[] = { '\xff', '\x80', '\xc0', '\t', '\0', '\x1b' };

                for (size_t i = 0; i < sizeof(broken); i++) {
                        char saved = text[at];
                        Diagnostics diagnostics;
                        Policy *policy = NULL;

                        text[at] = broken[i];
                        assert_int_equal(policy_parse(text, size, &policy, &diagnostics), -1);
                        text[at] = saved;
                }
        }
}

int main(void) {
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(bounds_memory_and_time),
                cmocka_unit_test(takes_256_kib_and_no_more),
                cmocka_unit_test(counts_values),
                cmocka_unit_test(is_no_bomb),
                cmocka_unit_test(survives_every_truncation),
                cmocka_unit_test(refuses_broken_bytes_everywhere),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
