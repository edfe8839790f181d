#!/usr/bin/env python3
"""src/ROOM/FILE.cpp has tests/unit/ROOM/FILE_test.cpp, or a line in tests/lint/untested.txt that says why not."""
import fnmatch
from pathlib import Path

from lintlib import Sample, cpp_files, main, text


def exemptions(root: Path) -> dict[str, str]:
    """Pattern and reason; `#` begins a comment."""
    lines = text(root / "tests/lint/untested.txt").splitlines()
    pairs = (line.partition(":") for line in lines if line.strip() and not line.startswith("#"))
    return {pattern.strip(): reason.strip() for pattern, _, reason in pairs}


def check(root: Path) -> list[str]:
    complaints, exempt, used = [], exemptions(root), set()
    for pattern, reason in exempt.items():
        if not reason:
            complaints.append(f"tests/lint/untested.txt: {pattern}: without a reason")
    for file in cpp_files(root, "src"):
        if file.suffix != ".cpp":
            continue
        relative = file.relative_to(root)
        test = root / "tests/unit" / relative.relative_to("src").with_name(file.stem + "_test.cpp")
        matching = [pattern for pattern in exempt if fnmatch.fnmatch(str(relative), pattern)]
        if test.exists():
            complaints += [f"tests/lint/untested.txt: {pattern}: has a test now, drop the line"
                           for pattern in matching if pattern == str(relative)]
        elif not matching:
            complaints.append(f"{relative}: no {test.relative_to(root)}, and no reason in tests/lint/untested.txt")
        used.update(matching)
    return complaints + [f"tests/lint/untested.txt: {pattern}: matches no source" for pattern in exempt if pattern not in used]


LIST = "tests/lint/untested.txt"
SAMPLES = [
    Sample({LIST: "# c\nsrc/cli/*.cpp: run by e2e\n", "src/a/x.cpp": "", "tests/unit/a/x_test.cpp": "", "src/cli/m.cpp": ""}, []),
    Sample({LIST: "", "src/a/b/x.cpp": ""}, ["src/a/b/x.cpp: no tests/unit/a/b/x_test.cpp"]),
    Sample({LIST: "src/a/x.cpp:\n", "src/a/x.cpp": ""}, ["without a reason"]),
    Sample({LIST: "src/a/x.cpp: why\nsrc/gone.cpp: why\n", "src/a/x.cpp": "", "tests/unit/a/x_test.cpp": ""},
           ["has a test now", "matches no source"]),
]

if __name__ == "__main__":
    main(check, SAMPLES)
