#!/usr/bin/env python3
"""Files of at most 700 lines, functions of at most 80 (src/ and include/; measured by universal-ctags).

A longer function carries NOLINT(readability-function-size) and a reason on its first line."""
import json
import re
import subprocess
from pathlib import Path

from lintlib import Sample, cpp_files, files, main, text

FILE_LINES = 700
FUNCTION_LINES = 80
MEASURED = {".cpp", ".hpp", ".py", ".sh", ".build"}
EXEMPT = re.compile(r"NOLINT\(readability-function-size\)\W+\w+")


def functions(sources: list[Path]) -> list[dict]:
    if not sources:
        return []
    command = ["ctags", "--output-format=json", "--fields=+neP", "--languages=C++", "--langmap=C++:.cpp.hpp",
               "--kinds-C++=f", "-f", "-", "-L", "-"]
    run = subprocess.run(command, input="\n".join(map(str, sources)), text=True, check=True, stdout=subprocess.PIPE)
    return [json.loads(line) for line in run.stdout.splitlines()]


def check(root: Path) -> list[str]:
    complaints = []
    for file in files(root, "src", "include", "tests", "tools"):
        if file.suffix in MEASURED or file.parent.name == "tools":
            count = len(text(file).splitlines())
            if count > FILE_LINES:
                complaints.append(f"{file.relative_to(root)}: {count} lines, {FILE_LINES} are the limit")
    for tag in functions(list(cpp_files(root, "src", "include"))):
        length = tag.get("end", tag["line"]) - tag["line"] + 1
        file = Path(tag["path"])
        if length > FUNCTION_LINES and not EXEMPT.search(text(file).splitlines()[tag["line"] - 1]):
            complaints.append(f"{file.relative_to(root)}:{tag['line']}: {tag['name']}() has {length} lines, "
                              f"{FUNCTION_LINES} are the limit")
    return complaints


def function_of(lines: int, note: str = "") -> str:
    return f"int f() {{{note}\n" + "  g();\n" * (lines - 2) + "}\n"


SAMPLES = [
    Sample({"src/a/a.cpp": function_of(FUNCTION_LINES), "src/a/b.cpp": "int x;\n" * FILE_LINES}, []),
    Sample({"src/a/a.cpp": "namespace n {\n" + function_of(FUNCTION_LINES + 1) + "}\n"}, ["a.cpp:2: f() has 81 lines"]),
    Sample({"src/a/a.cpp": function_of(90, "  // NOLINT(readability-function-size): one case a line")}, []),
    Sample({"src/a/a.cpp": function_of(90, "  // NOLINT(readability-function-size)")}, ["f() has 90"]),
    Sample({"tests/a.py": "x = 1\n" * (FILE_LINES + 1)}, ["701 lines"]),
]

if __name__ == "__main__":
    main(check, SAMPLES)
