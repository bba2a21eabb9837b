# SPDX-License-Identifier: Apache-2.0
"""Calls that are not made here, and the few files that may make some of them."""
import tree

NEVER = ("strcpy", "strcat", "sprintf", "vsprintf", "strtok", "atoi", "atol", "strtol", "strtoul", "gets", "system", "popen", "rand", "random",
         "access", "dup", "tmpnam", "mktemp", "alloca", "getpwnam", "getpwuid", "getgrnam", "getgrgid", "initgroups")

# New processes come from where the order of what happens in them is written down.
PROCESSES = ("fork", "vfork", "clone", "posix_spawn", "daemon")
PROCESS_FILES = ("base/jail.c", "hook/deliver.c", "sidecar/launcher/")

complaints = []
paths = tree.code()
for path in paths:
    source = tree.bare(tree.text(path))
    for line, match in tree.matches(rf"(?<![\w.>])({'|'.join(NEVER)})\s*\(", source):
        complaints.append(f"{path}:{line}: {match[1]}() is on the ban list")
    if not str(path).startswith(PROCESS_FILES):
        for line, match in tree.matches(rf"(?<![\w.>])({'|'.join(PROCESSES)})\s*\(", source):
            complaints.append(f"{path}:{line}: {match[1]}() outside {', '.join(PROCESS_FILES)}")
tree.finish(complaints, len(paths))
