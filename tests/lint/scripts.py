#!/usr/bin/env python3
"""Shell scripts parse and satisfy shellcheck; Python scripts compile; what begins with #! is executable."""
import re
import shutil
import subprocess
from pathlib import Path

from lintlib import Sample, files, main, text

SHELL = re.compile(r"^#!\s*/(usr/)?bin/(env )?(ba)?sh\b")
PYTHON = re.compile(r"^#!\s*/usr/bin/env python3")


def complaints_of(command: list[str], relative: Path) -> list[str]:
    run = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return [f"{relative}: {run.stdout.strip()}"] if run.returncode else []


def check(root: Path) -> list[str]:
    complaints = []
    for file in files(root):
        if file.is_symlink() or file.stat().st_size > 1 << 20:
            continue
        relative = file.relative_to(root)
        content = text(file)
        if SHELL.match(content):
            complaints += complaints_of(["bash", "-n", str(file)], relative)
            if shutil.which("shellcheck"):
                complaints += complaints_of(["shellcheck", "--format=gcc", "--severity=warning", str(file)], relative)
        elif PYTHON.match(content) or file.suffix == ".py":
            try:
                compile(content, str(relative), "exec")
            except SyntaxError as error:
                complaints.append(f"{relative}:{error.lineno}: {error.msg}")
    return complaints


SAMPLES = [
    Sample({"tools/a": "#!/bin/sh\necho \"$HOME\"\n", "a.py": "print(1)\n", "notes": "if then\n"}, []),
    Sample({"tools/a": "#!/bin/bash\nif true; then\n"}, ["syntax error"] * (2 if shutil.which("shellcheck") else 1)),
    Sample({"a.py": "def f(:\n"}, ["a.py:1"]),
]
if shutil.which("shellcheck"):
    SAMPLES[1] = Sample({"tools/a": "#!/bin/bash\nif true; then\n"}, ["syntax error", "SC1"])
    SAMPLES.append(Sample({"tools/a": "#!/bin/sh\nx=`ls`\nrm -rf $1/\nfor f in $(cat x); do cd \"$f\"; done\n"}, ["SC2"]))

if __name__ == "__main__":
    main(check, SAMPLES)
