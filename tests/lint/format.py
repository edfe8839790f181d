#!/usr/bin/env python3
"""C++ is laid out as clang-format 14 does with .clang-format. `tools/format` mends it."""
import concurrent.futures
import os
import shutil
import subprocess
from pathlib import Path

from lintlib import Sample, cpp_files, main, text

PROGRAM = "clang-format-14"
STYLE = Path(__file__).resolve().parents[2] / ".clang-format"


def check_file(root: Path, file: Path) -> str | None:
    command = [PROGRAM, f"--style=file:{STYLE}", str(file)]
    wanted = subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout.decode(errors="surrogateescape")
    got = text(file)
    if wanted == got:
        return None
    pairs = zip(got.splitlines(), wanted.splitlines())
    line = next((number for number, (old, new) in enumerate(pairs, 1) if old != new), len(got.splitlines()))
    return f"{file.relative_to(root)}:{line}: not as clang-format lays it out (tools/format)"


def check(root: Path) -> list[str]:
    if not shutil.which(PROGRAM):
        return [f"{PROGRAM} is not installed (tools/setup test)"]
    sources = list(cpp_files(root, "src", "include", "tests"))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return [complaint for complaint in pool.map(lambda file: check_file(root, file), sources) if complaint]


SAMPLES = [
    Sample({"src/a.cpp": "int f(int* p) { return *p; }\n"}, []),
    Sample({"src/a.cpp": "int x;\nint f(int *p) { return *p; }\n"}, ["src/a.cpp:2"]),
]

if __name__ == "__main__":
    main(check, SAMPLES)
