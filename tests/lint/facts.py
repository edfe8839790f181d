#!/usr/bin/env python3
"""Small facts that drift: the version in README.md and NEWS.md, paths of the machine the sources lie on, merge marks."""
import re
from pathlib import Path

from lintlib import Sample, files, line_of, main, text

MARKS = re.compile(r"^(<{7} |={7}$|>{7} )", re.MULTILINE)


def own_paths(root: Path) -> list[str]:
    """The folder of the sources and those above it, as far as they are particular to this machine."""
    folders = [root, *root.parents]
    return [str(folder) for folder in folders if len(folder.parts) > 2 and str(folder) not in ("/usr/src", "/var/tmp")]


def check(root: Path) -> list[str]:
    complaints = []
    version = re.search(r"version: '([^']+)'", text(root / "meson.build"))[1]
    for name in ("README.md", "NEWS.md"):
        if not re.search(rf"(?<![\d.]){re.escape(version)}(?![\d.]*\d)", text(root / name)):
            complaints.append(f"{name}: does not name version {version} of meson.build")
    paths = own_paths(root)
    for file in files(root):
        if file.is_symlink() or file.stat().st_size > 1 << 20 or file.suffix in (".o", ".pyc"):
            continue
        content = text(file)
        relative = file.relative_to(root)
        complaints += [f"{relative}:{line_of(content, content.index(path))}: names {path}, a path of this machine"
                       for path in paths[:1] if path in content]
        complaints += [f"{relative}:{line_of(content, mark.start())}: a merge mark" for mark in MARKS.finditer(content)]
    return complaints


TOP = {"meson.build": "project('x', version: '1.2.3')\n", "README.md": "Version 1.2.3.\n", "NEWS.md": "## 1.2.3\n"}
SAMPLES = [
    Sample(TOP, []),
    Sample({**TOP, "NEWS.md": "## 1.2.30\n"}, ["NEWS.md: does not name"]),
    Sample({**TOP, "a.cpp": "x\n<<<<<<< HEAD\n"}, ["a.cpp:2: a merge mark"]),
]

if __name__ == "__main__":
    main(check, SAMPLES)
