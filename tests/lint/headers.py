#!/usr/bin/env python3
"""Every header compiles on its own. Arguments: the root, then the compiler and its flags.

A header that compiled is not compiled again while nothing of the project's headers has changed: the answer is kept in
$SBX_TEST_CACHE, under a hash of all of them and the command."""
import concurrent.futures
import hashlib
import os
import subprocess
import sys
from pathlib import Path

from lintlib import Sample, cpp_files, main, text

COMPILER = sys.argv[2:] or ["c++"]


def headers(root: Path) -> list[Path]:
    return [file for file in cpp_files(root, "src", "include") if file.suffix == ".hpp"]


def compile_alone(root: Path, header: Path) -> str | None:
    command = [*COMPILER, "-std=c++20", "-fsyntax-only", "-D_GNU_SOURCE", "-D_FILE_OFFSET_BITS=64",
               f"-I{root}/src", f"-I{root}/include", "-include", str(header), "-x", "c++", os.devnull]
    run = subprocess.run(command, text=True, stderr=subprocess.PIPE, check=False)
    if run.returncode == 0:
        return None
    first = next((line for line in run.stderr.splitlines() if "error" in line), run.stderr)
    return f"{header.relative_to(root)}: does not compile on its own: {first}"


def stamp(root: Path, found: list[Path]) -> Path | None:
    if "SBX_TEST_CACHE" not in os.environ:
        return None
    everything = hashlib.sha256(" ".join(COMPILER).encode())
    for header in found:
        everything.update(f"{header.relative_to(root)}\0{text(header)}\0".encode(errors="surrogateescape"))
    return Path(os.environ["SBX_TEST_CACHE"]) / f"headers-{everything.hexdigest()}"


def check(root: Path) -> list[str]:
    found = headers(root)
    known_good = stamp(root, found)
    if known_good and known_good.exists():
        return []
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        complaints = [answer for answer in pool.map(lambda header: compile_alone(root, header), found) if answer]
    if known_good and not complaints:
        known_good.touch()
    return complaints


SAMPLES = [
    Sample({"src/a/a.hpp": "#pragma once\n#include <string>\nstd::string f();\n"}, []),
    Sample({"src/a/a.hpp": "#pragma once\nstd::string f();\n", "include/sbx/b.hpp": "#pragma once\nint f();\n"},
           ["src/a/a.hpp: does not compile on its own"]),
]

if __name__ == "__main__":
    main(check, SAMPLES)
