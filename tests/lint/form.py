# SPDX-License-Identifier: Apache-2.0
"""The form of files: their length, their licence line, nothing left behind, nothing at the top of the tree that is not meant to be there."""
import tree

LINES_MAX = 700
LICENCE = "SPDX-License-Identifier: Apache-2.0"
LEFT_BEHIND = r"\b(TODO|FIXME|XXX|HACK)\b|not implemented(?!\")|for now\b"
WITH_LICENCE = (".c", ".h", ".py", ".cmake", ".yaml", ".yml", ".go", ".sh", "")

TOP = {*tree.CODE, "charts", "cmake", "docs", "e2e", "manifests", "tests", ".ci", ".clang-format", ".clang-tidy", ".editorconfig", ".gitignore", "CMakeLists.txt",
       "CMakePresets.json", "CONTRIBUTING.md", "LICENSE", "NEWS.md", "README.md", "SECURITY.md"}

complaints = [f"{name}: does not belong at the top of the tree" for name in sorted({path.parts[0] for path in tree.files()} - TOP)]
paths = [path for path in tree.files() if path.suffix in (*WITH_LICENCE, ".md") and path.name not in ("LICENSE", ".gitignore")]
for path in paths:
    source = tree.text(path)
    lines = source.splitlines()
    if len(lines) > LINES_MAX and path.suffix != ".yaml":
        complaints.append(f"{path}: {len(lines)} lines, more than {LINES_MAX}")
    program = path.suffix or source.startswith("#!")
    if path.suffix in WITH_LICENCE and program and path.parts[0] in (*tree.CODE, "tests", "e2e", "cmake") and "data" not in path.parts \
            and "corpus" not in path.parts and LICENCE not in "\n".join(lines[:3]):
        complaints.append(f"{path}:1: no '{LICENCE}'")
    if path.parts[0] in tree.CODE:
        complaints += [f"{path}:{line}: '{match[0]}' was left behind" for line, match in tree.matches(LEFT_BEHIND, source)]
        complaints += [f"{path}:{line}: a blank at the end of the line" for line, _ in tree.matches(r"[ \t]+$", source)]
tree.finish(complaints, len(paths))
