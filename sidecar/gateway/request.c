/* SPDX-License-Identifier: Apache-2.0 */

/* One table of parameters drives the parse; what depends on several of them is checked afterwards.
 */
#include "sidecar/gateway/request.h"

#include "base/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

typedef struct Building {
        ExecRequest *request;
        size_t arguments, variables;
        size_t text_size; /* of all arguments and variables */
        unsigned seen;    /* bit n: the nth single parameter was given */
        bool login, login_given;
} Building;

typedef struct Parameter Parameter;
typedef int (*ParameterSet)(
        Building *building, const Parameter *parameter, const char *value, Error *error);

struct Parameter {
        const char *key;
        ParameterSet set;
        bool repeats;
        uint32_t flag; /* of a session, for booleans */
};

/* Kubernetes' rule (apimachinery, Convert_Slice_string_To_bool): absent, "0" and "false" are false,
 * anything else is true. */
static bool is_true(const char *value) {
        return strcmp(value, "0") != 0 && strcasecmp(value, "false") != 0;
}

static int count_text(Building *building, const char *value, Error *error) {
        building->text_size += strlen(value) + 1;
        if (building->text_size > WIRE_TEXT_MAX)
                return error_set(error, ERROR_LIMIT, 0,
                        "the command and its variables take more than %u KiB together",
                        WIRE_TEXT_MAX / 1024);
        return 0;
}

static int take_command(
        Building *building, const Parameter *parameter, const char *value, Error *error) {
        if (building->arguments == WIRE_ARGUMENTS_MAX)
                return error_set(error, ERROR_LIMIT, 0, "the command has more than %u arguments",
                        WIRE_ARGUMENTS_MAX);
        if (strlen(value) > WIRE_ARGUMENT_SIZE_MAX)
                return error_set(error, ERROR_LIMIT, 0,
                        "argument %zu of the command is longer than %u KiB", building->arguments,
                        WIRE_ARGUMENT_SIZE_MAX / 1024);
        if (count_text(building, value, error) < 0)
                return -1;
        building->request->start.arguments[building->arguments++] = value;
        return 0;
}

static bool is_variable_name(const char *text, size_t size) {
        for (size_t i = 0; i < size; i++) {
                bool letter = (text[i] >= 'A' && text[i] <= 'Z') ||
                              (text[i] >= 'a' && text[i] <= 'z') || text[i] == '_';

                if (!letter && (i == 0 || text[i] < '0' || text[i] > '9'))
                        return false;
        }
        return size > 0;
}

static int take_variable(
        Building *building, const Parameter *parameter, const char *value, Error *error) {
        size_t name = strcspn(value, "=");

        if (value[name] != '=' || !is_variable_name(value, name))
                return error_set(error, ERROR_INPUT, 0,
                        "'env' wants NAME=value, with a name of letters, digits and '_': '%.80s'",
                        value);
        if (strncmp(value, "NAVIGATOR_", 10) == 0)
                return error_set(error, ERROR_INPUT, 0,
                        "'%.*s' cannot be set: names with NAVIGATOR_ are ours", (int)name, value);
        if (strncmp(value, "TERM=", 5) == 0) {
                building->request->start.terminal = value + 5;
                return count_text(building, value, error);
        }
        if (building->variables == WIRE_ENVIRONMENT_MAX)
                return error_set(error, ERROR_LIMIT, 0, "more than %u variables ('env')",
                        WIRE_ENVIRONMENT_MAX);
        if (strlen(value) > WIRE_ARGUMENT_SIZE_MAX)
                return error_set(error, ERROR_LIMIT, 0, "the variable '%.*s' is longer than %u KiB",
                        (int)name, value, WIRE_ARGUMENT_SIZE_MAX / 1024);
        if (count_text(building, value, error) < 0)
                return -1;
        building->request->start.environment[building->variables++] = value;
        return 0;
}

static int take_flag(
        Building *building, const Parameter *parameter, const char *value, Error *error) {
        if (is_true(value))
                building->request->start.flags |= parameter->flag;
        return 0;
}

static int take_login(
        Building *building, const Parameter *parameter, const char *value, Error *error) {
        building->login_given = true;
        building->login = is_true(value);
        return 0;
}

static int take_container(
        Building *building, const Parameter *parameter, const char *value, Error *error) {
        if (strlen(value) > 253)
                return error_set(error, ERROR_INPUT, 0, "'container' is too long to be a name");
        building->request->start.container = value;
        return 0;
}

static int take_directory(
        Building *building, const Parameter *parameter, const char *value, Error *error) {
        if (value[0] != '/' || strlen(value) > 4095)
                return error_set(error, ERROR_INPUT, 0,
                        "'workdir' wants an absolute path of at most 4095 bytes: '%.80s'", value);
        building->request->start.directory = value;
        return 0;
}

static int take_timeout(
        Building *building, const Parameter *parameter, const char *value, Error *error) {
        uint64_t seconds;

        if (!number_parse(value, strlen(value), EXEC_TIMEOUT_MAX, &seconds))
                return error_set(error, ERROR_INPUT, 0,
                        "'timeout' wants whole seconds, at most %u (0: none): '%.80s'",
                        EXEC_TIMEOUT_MAX, value);
        building->request->timeout_seconds = (uint32_t)seconds;
        return 0;
}

static const Parameter parameters[] = {
        { "command", take_command, true },
        { "container", take_container },
        { "stdin", take_flag, .flag = WIRE_SESSION_STDIN },
        { "stdout", take_flag, .flag = WIRE_SESSION_STDOUT },
        { "stderr", take_flag, .flag = WIRE_SESSION_STDERR },
        { "tty", take_flag, .flag = WIRE_SESSION_TTY },
        { "login", take_login },
        { "env", take_variable, true },
        { "workdir", take_directory },
        { "timeout", take_timeout },
};

static int take_pair(Building *building, const QueryPair *pair, Error *error) {
        for (unsigned i = 0; i < sizeof(parameters) / sizeof(*parameters); i++) {
                const Parameter *parameter = &parameters[i];

                if (strcmp(parameter->key, pair->key) != 0)
                        continue;
                if (!parameter->repeats && (building->seen & 1U << i) != 0)
                        return error_set(
                                error, ERROR_INPUT, 0, "'%s' is given twice", parameter->key);
                building->seen |= 1U << i;
                return parameter->set(building, parameter, pair->value, error);
        }
        return 0;
}

/* What kubectl cp runs on the other side. A profile that prints would end up in the archive, so
 * these run as given. */
static bool is_copy(const char *const *arguments) {
        if (strcmp(arguments[0], "tar") == 0 || strcmp(arguments[0], "test") == 0)
                return true;
        return strcmp(arguments[0], "sh") == 0 && arguments[1] != NULL &&
               strcmp(arguments[1], "-c") == 0 && arguments[2] != NULL &&
               strncmp(arguments[2], "tar cf - ", 9) == 0 && arguments[3] == NULL;
}

static int finish(Building *building, Error *error) {
        WireSessionStart *start = &building->request->start;
        const uint32_t streams = WIRE_SESSION_STDIN | WIRE_SESSION_STDOUT | WIRE_SESSION_STDERR;

        if (building->arguments == 0 || start->arguments[0][0] == '\0')
                return error_set(
                        error, ERROR_INPUT, 0, "'command' is missing: which program is to run?");
        if ((start->flags & streams) == 0)
                return error_set(error, ERROR_INPUT, 0,
                        "at least one of 'stdin', 'stdout', 'stderr' must be true");
        /* A terminal has one output; what a program writes to stderr comes by it. */
        if ((start->flags & WIRE_SESSION_TTY) != 0)
                start->flags &= ~(uint32_t)WIRE_SESSION_STDERR;
        if (start->terminal[0] == '\0' && (start->flags & WIRE_SESSION_TTY) != 0)
                start->terminal =
                        "xterm"; /* what container runtimes say when the client does not */
        if (building->login_given ? building->login : !is_copy(start->arguments))
                start->flags |= WIRE_SESSION_LOGIN;
        return 0;
}

/* A request lives as long as its session: the room for a thousand arguments does not. */
static void give_back(const char ***list, size_t count) {
        const char **smaller = realloc(*list, (count + 1) * sizeof(**list));

        if (smaller != NULL)
                *list = smaller;
}

int exec_request_new(const char *query, ExecRequest **ret_request, Error *error) {
        cleanup(exec_request_freep) ExecRequest *request = calloc(1, sizeof(*request));
        Building building = { .request = request };

        if (request == NULL)
                return error_set(error, ERROR_LIMIT, 0, "no memory for the request");
        request->start = (WireSessionStart){
                .container = "", .directory = "", .terminal = "", .caller = "", .source = ""
        };
        request->start.arguments = calloc(WIRE_ARGUMENTS_MAX + 1, sizeof(char *));
        request->start.environment = calloc(WIRE_ENVIRONMENT_MAX + 1, sizeof(char *));
        if (request->start.arguments == NULL || request->start.environment == NULL)
                return error_set(error, ERROR_LIMIT, 0, "no memory for the request");

        if (query_parse(query, &request->query, error) < 0)
                return -1;
        for (size_t i = 0; i < request->query.count; i++)
                if (take_pair(&building, &request->query.pairs[i], error) < 0)
                        return -1;
        if (finish(&building, error) < 0)
                return -1;
        give_back(&request->start.arguments, building.arguments);
        give_back(&request->start.environment, building.variables);
        *ret_request = take_ptr(request);
        return 0;
}

void exec_request_set_caller(ExecRequest *request, const char *caller, const char *source) {
        (void)snprintf(request->caller, sizeof(request->caller), "%s", caller);
        request->start.caller = request->caller;
        request->start.source = source;
}

ExecRequest *exec_request_free(ExecRequest *request) {
        if (request == NULL)
                return NULL;
        free(request->start.arguments);
        free(request->start.environment);
        query_done(&request->query);
        free(request);
        return NULL;
}
