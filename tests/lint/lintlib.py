"""What the lint tests share: the list of files, C++ without comments and strings, and the main that proves a check
can fail before it trusts its silence.

A check is a function from the root of a tree to a list of complaints ("path:line: what"). With each check stand
samples: small trees with the complaints they must draw."""
import os
import re
import sys
import tempfile
from pathlib import Path
from typing import Callable, Iterator, NamedTuple

Check = Callable[[Path], list[str]]


class Sample(NamedTuple):
    """Files of a small tree, and a part of each complaint they must draw, no more and no fewer."""
    files: dict[str, str]
    complaints: list[str]


SKIPPED_FOLDERS = re.compile(r"^(\.git|\.cache|__pycache__|build.*)$")


def files(root: Path, *tops: str) -> Iterator[Path]:
    """Every file of the project below `tops` (default: all), without what is built or fetched."""
    for top in tops or (".",):
        for folder, folders, names in os.walk(root / top):
            relative = Path(folder).relative_to(root)
            folders[:] = sorted(f for f in folders if not SKIPPED_FOLDERS.match(f)
                                and not (relative == Path("subprojects")))
            for name in sorted(names):
                yield Path(folder) / name


def cpp_files(root: Path, *tops: str) -> Iterator[Path]:
    return (f for f in files(root, *tops) if f.suffix in (".cpp", ".hpp"))


def text(file: Path) -> str:
    return file.read_text(encoding="utf-8", errors="surrogateescape")


def line_of(content: str, offset: int) -> int:
    return content.count("\n", 0, offset) + 1


_NOT_CODE = re.compile(
    r'//[^\n]*'
    r'|/\*.*?\*/'
    r'|R"(?P<mark>[^(\s]*)\(.*?\)(?P=mark)"'
    r'|"(?:\\.|[^"\\\n])*"'
    r"|(?<![0-9a-fA-F])'(?:\\.|[^'\\\n])+'",
    re.DOTALL)


def code_only(content: str) -> str:
    """C++ with comments, strings and character constants blanked; every offset and line stays where it was."""
    return _NOT_CODE.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), content)


def _prove(check: Check, samples: list[Sample]) -> None:
    for sample in samples:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            for name, content in sample.files.items():
                file = root / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(content, encoding="utf-8")
            got = check(root)
            if len(got) != len(sample.complaints) or any(
                    not any(expected in complaint for complaint in got) for expected in sample.complaints):
                sys.exit(f"self-test: {sorted(sample.files)}:\n  expected {sample.complaints}\n  got      {got}")


def main(check: Check, samples: list[Sample]) -> None:
    """Proves the check on its samples, then checks the tree named on the command line."""
    if not any(sample.complaints for sample in samples):
        sys.exit("self-test: no sample shows that this check can fail")
    _prove(check, samples)
    complaints = check(Path(sys.argv[1]).resolve())
    for complaint in complaints:
        print(complaint)
    sys.exit(1 if complaints else 0)
