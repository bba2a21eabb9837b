/* SPDX-License-Identifier: Apache-2.0 */

/* The verb table. Words here are what people read first: an example says more than a sentence. */
#include "cli/verb.h"

#include "cli/audit.h"
#include "cli/exec.h"
#include "cli/policy.h"

#define OPTIONS(table) .options = (table), .option_count = sizeof(table) / sizeof(*(table))
#define LAST                                                                                       \
        { .name = NULL }

static const char *const outputs[] = { "text", "json", NULL };

#define OUTPUT                                                                                     \
        { "output", "text|json", outputs, "How to answer; json is for programs" }
#define CEILING                                                                                    \
        { "ceiling", "FILE", NULL, "Bound the policy by a node's ceiling.yaml" }
#define WORKDIR                                                                                    \
        { "workdir", "PATH", NULL, "The working directory that include_workdir adds (/sandbox)" }

static const VerbOption check_options[] = { OUTPUT, CEILING };
static const VerbOption show_options[] = { OUTPUT, CEILING, WORKDIR };
static const VerbOption explain_options[] = {
        OUTPUT,
        CEILING,
        WORKDIR,
        { "binary", "PATH", NULL, "The program that connects" },
        { "ancestors", "PATH[,PATH]", NULL, "The programs that started it, the nearest first" },
        { "address", "IP", NULL, "Also judge this address, as if the host had it" },
};
static const VerbOption diff_options[] = { OUTPUT };
static const VerbOption suggest_options[] = {
        { "policy", "FILE", NULL, "Leave out what this policy allows" },
        { "ceiling", "FILE", NULL, "Leave out what a node's ceiling.yaml does not allow" },
};
static const char *const preset_names[] = { "data-science", "development", "locked-down",
        "web-readonly", NULL };
static const char *const shells[] = { "bash", "zsh", NULL };
static const VerbOption preset_options[] = {
        { "python-index", "HOST[,HOST]", NULL, "The Python index and file hosts to allow" },
        { "python-index-from-pip", NULL, NULL, "Ask pip on this machine, and by pip the index" },
};

#define CONTAINER                                                                                  \
        { "container", "NAME", NULL, "The workload container, where the pod has several" }
#define SOCKET                                                                                     \
        { "socket", "PATH", NULL, "The gateway's socket (/run/navigator/exec.sock)" }

static const VerbOption exec_options[] = {
        CONTAINER,
        { "workdir", "PATH", NULL, "Where to start (the workload's own)" },
        { "timeout", "SECONDS", NULL, "End it after that long, with exit code 124" },
        { "tty", NULL, NULL, "A terminal for the command, also where this is none" },
        { "no-login", NULL, NULL, "Run it as given, without a login shell around it" },
        SOCKET,
};
static const VerbOption audit_options[] = {
        OUTPUT,
        { "follow", NULL, NULL, "Wait for what comes, until Ctrl-C" },
        { "last", "NUMBER", NULL, "Begin with that many lines (all; 10 with --follow)" },
        { "file", "FILE", NULL, "Read this file, or - for standard input" },
};
static const VerbOption shell_options[] = { CONTAINER, SOCKET };

static const Verb policy_verbs[] = {
        { .name = "check",
                .arguments = "FILE...",
                .summary =
                        "Say whether policy files are valid, and what in them has no effect here",
                .help = "Errors are FILE:LINE:COLUMN: TEXT, up to 20 a file. Warnings do not make "
                        "a file invalid.\n"
                        "\n"
                        "  navigator policy check policy.yaml\n"
                        "  kubectl get configmap NAME -o 'jsonpath={.data.policy\\.yaml}' | "
                        "navigator policy check -\n"
                        "\n"
                        "Exit code: 0 all valid, 1 one is not, 2 a file could not be read.\n",
                OPTIONS(check_options),
                .minimum = 1,
                .maximum = -1,
                .run = policy_check },
        { .name = "show",
                .arguments = "FILE",
                .summary = "Print the effective policy: defaults and baseline filled in and "
                           "marked, and its hash",
                .help = "  navigator policy show policy.yaml\n"
                        "  navigator policy show --ceiling /etc/navigator/ceiling.yaml "
                        "policy.yaml\n"
                        "\n"
                        "Exit code: 0 shown, 1 the policy is not valid, 2 it could not be read.\n",
                OPTIONS(show_options),
                .minimum = 1,
                .maximum = 1,
                .run = policy_show },
        { .name = "explain",
                .arguments = "FILE PATH|HOST:PORT",
                .summary = "Say what would happen, and which line decides",
                .help = "  navigator policy explain policy.yaml /sandbox/project\n"
                        "  navigator policy explain policy.yaml api.github.com:443 --binary "
                        "/usr/bin/curl\n"
                        "  navigator policy explain policy.yaml db.internal:5432 --binary "
                        "/usr/bin/psql --address 10.1.2.3\n"
                        "\n"
                        "Exit code: 0 allowed, 1 denied or the policy is not valid, 2 it could not "
                        "be read.\n",
                OPTIONS(explain_options),
                .minimum = 2,
                .maximum = 2,
                .run = policy_explain },
        { .name = "diff",
                .arguments = "OLD NEW",
                .summary = "Say what a change opens and what it closes",
                .help = "For reviews: what cannot be shown to be covered by the old policy counts "
                        "as opened.\n"
                        "\n"
                        "  git show main:policy.yaml | navigator policy diff - policy.yaml\n"
                        "\n"
                        "Exit code: 0 nothing is opened, 1 something is or a policy is not valid, "
                        "2 one could not be read.\n",
                OPTIONS(diff_options),
                .minimum = 2,
                .maximum = 2,
                .run = policy_diff },
        { .name = "suggest",
                .arguments = "[FILE...]",
                .summary = "Turn what the audit says was denied into rules to paste",
                .help = "  kubectl logs POD -c navigator | navigator policy suggest -\n"
                        "  kubectl exec POD -c navigator -- navigator policy suggest\n"
                        "  navigator policy suggest --policy policy.yaml audit.log\n"
                        "\n"
                        "A rule has the programs, hosts and ports that were seen, and no pattern. "
                        "What a rule cannot or should not\n"
                        "allow (an address that is refused, a program that nobody knows) is said "
                        "on "
                        "standard error.\n"
                        "To learn what a workload needs, let 'enforcement: audit' of an endpoint "
                        "let "
                        "through and record.\n"
                        "\n"
                        "Exit code: 0 printed, 1 there is nothing to suggest, 2 something could "
                        "not "
                        "be read.\n",
                OPTIONS(suggest_options),
                .minimum = 0,
                .maximum = -1,
                .run = policy_suggest },
        { .name = "preset",
                .arguments = "[NAME]",
                .summary = "Print a policy to start from; without NAME, list them",
                .help = "  navigator policy preset\n"
                        "  navigator policy preset locked-down > policy.yaml\n"
                        "  navigator policy preset development --python-index-from-pip > "
                        "policy.yaml\n"
                        "\n"
                        "Hosts of package indexes are values: what nobody names is left out, and "
                        "the output says so.\n"
                        "\n"
                        "Exit code: 0 printed, 2 there is no such preset, or pip has no answer.\n",
                OPTIONS(preset_options),
                .minimum = 0,
                .maximum = 1,
                .words = preset_names,
                .run = policy_preset },
        LAST,
};

static const Verb root_verbs[] = {
        { .name = "policy",
                .summary = "Check, show, explain, compare and suggest policy files",
                .help = "A policy file says which paths, which network hosts and which user a "
                        "sandbox session has.\n"
                        "Its format is in navigator-policy(5).\n",
                .verbs = policy_verbs },
        { .name = "exec",
                .arguments = "COMMAND [ARGUMENT...]",
                .summary = "Run a command in the sandbox, from the sidecar's container",
                .help = "  navigator exec -- id\n"
                        "  navigator exec --timeout 60 -- env DEBUG=1 make test\n"
                        "  kubectl exec POD -c navigator -- navigator exec --container app -- id\n"
                        "\n"
                        "Standard input is passed on; at a terminal the command has one, too.\n"
                        "In the sidecar's image bash, sh, tar, python3 and other names are this "
                        "verb: kubectl exec -it POD -c navigator -- bash\n"
                        "\n"
                        "Exit code: the command's; 124 after the timeout, 125 when there was no "
                        "session.\n",
                OPTIONS(exec_options),
                .minimum = 1,
                .maximum = -1,
                .passes_rest = true,
                .run = exec_run },
        { .name = "shell",
                .arguments = "",
                .summary = "Open a login shell in the sandbox, from the sidecar's container",
                .help = "Exit code: the shell's; 125 when there was no session.\n",
                OPTIONS(shell_options),
                .run = shell_run },
        { .name = "audit",
                .arguments = "[FIELD=VALUE...]",
                .summary = "Show what was decided and done, also as it happens",
                .help = "  kubectl exec -it POD -c navigator -- navigator audit --follow "
                        "verdict=denied\n"
                        "  kubectl exec POD -c navigator -- navigator audit 'event=session_*' "
                        "caller!=ci\n"
                        "  kubectl logs POD -c navigator | navigator audit --file - "
                        "'host=*.example.com'\n"
                        "\n"
                        "Fields are those of docs/formats/audit.md, or an attribute's path: "
                        "dst_endpoint.port=443. In a value * and ? stand for\n"
                        "anything and any character. Filters of one field are alternatives, "
                        "different fields all have to fit.\n"
                        "--output json prints the lines as they are, OCSF events.\n"
                        "\n"
                        "Exit code: 0 shown, 2 the audit could not be read.\n",
                OPTIONS(audit_options),
                .minimum = 0,
                .maximum = -1,
                .run = audit_run },
        { .name = "completion",
                .arguments = "bash|zsh",
                .summary = "Print a completion script for a shell",
                .help = "  source <(navigator completion bash)\n"
                        "  navigator completion zsh > ~/.zsh/completions/_navigator\n",
                .minimum = 1,
                .maximum = 1,
                .words = shells,
                .run = completion_run },
        LAST,
};

const Verb verb_root = { .name = "navigator",
        .summary = "A sandbox for the pods a cluster already runs",
        .help = "Exit code: 0 done or yes, 1 the answer is no, 2 it could not be done.\n",
        .verbs = root_verbs };
