# SPDX-License-Identifier: Apache-2.0
"""The built executables, as readelf sees them: hardening.py FOLDER."""
import subprocess
import sys
from pathlib import Path

import tree

PROGRAMS = ("navigator-hook", "navigator-sidecar", "navigator-gateway", "navigator-egress", "navigator-webhook", "navigator")


def check(program: Path) -> list:
    text = subprocess.run(["readelf", "--wide", "--file-header", "--program-headers", "--dynamic", "--symbols", program], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, check=True).stdout
    stack = next((line for line in text.splitlines() if "GNU_STACK" in line), "")
    wanted = {
        "is position independent": "Type:                              DYN" in text,
        "has read-only relocations (RELRO)": "GNU_RELRO" in text,
        "binds at start (NOW)": "BIND_NOW" in text or "Flags: NOW" in text,
        "has a stack protector": "__stack_chk_fail" in text,
        "has a stack that is not executable": bool(stack) and " RWE " not in stack,
        "has no segment both writable and executable": not any(" RWE " in line for line in text.splitlines() if "LOAD" in line),
        "has no search path for libraries": "RPATH" not in text and "RUNPATH" not in text,
    }
    sanitized = "__asan_init" in text  # a sanitizer's runtime cannot be linked into a static program
    if program.name in ("navigator-hook", "navigator-sidecar") and not sanitized:
        wanted["needs no shared library"] = "(NEEDED)" not in text
    return [f"{program.name}: it is not so that it {what}" for what, true in wanted.items() if not true]


folder = Path(sys.argv[1])
programs = [folder / name for name in PROGRAMS if (folder / name).exists()]
tree.finish([complaint for program in programs for complaint in check(program)], len(programs))
