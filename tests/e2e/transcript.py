#!/usr/bin/env python3
"""transcript.py FILE.t: runs the commands of a transcript and compares what they print with what stands there.

A transcript is prose with indented sessions:

  $ sbx run --rm small echo hello      a command; `  > ` goes on with it
  hello                                what it prints, stdout and stderr as they come
  [exit 3]                             its exit code, if not 0

A line that ends in ` (re)` is a regular expression, one that ends in ` (glob)` knows `*`. All commands of a file run in
one bash. Lines `# needs: userns fuse net …`, `# timeout: SECONDS` may stand in the prose.
Variables: $SBX $IMAGES $TREE_LIST $SUPPORT. SBX_ACCEPT=1 rewrites the file to what came out."""
import difflib
import fnmatch
import os
import re
import sys
import uuid
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import harness  # noqa: E402  (found by the line above)


class Step(NamedTuple):
    before: list[str]    # prose, as it stands
    command: list[str]   # lines without their marks
    expected: list[str]  # lines without their indent, [exit N] among them


def parse(text: str) -> tuple[list[Step], list[str]]:
    """Steps, and the prose after the last."""
    steps, prose = [], []
    for line in text.splitlines():
        if line.startswith("  $ "):
            steps.append(Step(prose, [line[4:]], []))
            prose = []
        elif line.startswith("  > ") and steps and not prose and not steps[-1].expected:
            steps[-1].command.append(line[4:])
        elif line.startswith("  ") and steps and not prose:
            steps[-1].expected.append(line[2:])
        else:
            prose.append(line)
    return steps, prose


def script_of(steps: list[Step], mark: str) -> str:
    """One bash script that prints the mark, the step's number and its exit code after each step."""
    lines = ["exec 2>&1 </dev/null"]
    for number, step in enumerate(steps):
        lines += [*step.command, f'printf "\\n{mark} {number} %d\\n" $?']
    return "\n".join(lines) + "\n"


def outcomes(output: str, steps: list[Step], mark: str) -> list[list[str]]:
    """What each step printed, with its [exit N]; steps never reached show that."""
    results, current = [], ""
    for line in output.splitlines(keepends=True):
        if not line.startswith(mark):
            current += line
            continue
        code = int(line.split()[2])
        body = current[:-1] if current.endswith("\n") else current  # the line break printed before the mark
        shown = body.split("\n") if body else []
        if shown and shown[-1] == "":
            shown.pop()
        elif shown:
            shown[-1] += " (no-eol)"
        results.append(shown + ([f"[exit {code}]"] if code else []))
        current = ""
    while len(results) < len(steps):
        results.append(current.splitlines() + ["[not reached]"])
        current = ""
    return results


def matches(expected: str, got: str) -> bool:
    if expected.endswith(" (re)"):
        return re.fullmatch(expected[:-5], got) is not None
    if expected.endswith(" (glob)"):
        return fnmatch.fnmatchcase(got, expected[:-7])
    return expected == got


def same(expected: list[str], got: list[str]) -> bool:
    return len(expected) == len(got) and all(map(matches, expected, got))


def shown(step: Step, lines: list[str]) -> list[str]:
    commands = [("  $ " if index == 0 else "  > ") + line for index, line in enumerate(step.command)]
    return step.before + commands + ["  " + line if line else "  " for line in lines]


def directive(text: str, name: str) -> str:
    found = re.search(rf"^# {name}: (.*)$", text, re.MULTILINE)
    return found[1] if found else ""


def run(file: Path) -> int:
    text = file.read_text(encoding="utf-8")
    harness.need(*directive(text, "needs").split())
    steps, rest = parse(text)
    if not steps:
        print(f"{file}: no commands")
        return 1
    mark = f"--{uuid.uuid4()}--"
    with harness.Workspace(file.stem) as place:
        if "$IMAGES" in text:
            place.environment["IMAGES"] = str(harness.images())
        script = place.root / "script"
        script.write_text(script_of(steps, mark), encoding="utf-8")
        done = place.run("bash", script, timeout=float(directive(text, "timeout") or 60), join=True)
        output = done.out + ("\n[timed out]\n" if done.code is None else "")
        output = output.replace(str(place.root), "$ROOT")
        results = outcomes(output, steps, mark)
        merged = [step.expected if same(step.expected, got) else got for step, got in zip(steps, results)]
        after = [line for step, lines in zip(steps, merged) for line in shown(step, lines)] + rest
        if after == text.splitlines():
            return 0
        if os.environ.get("SBX_ACCEPT"):
            file.write_text("\n".join(after) + "\n", encoding="utf-8")
            print(f"{file}: accepted")
            return 0
        sys.stdout.writelines(line + "\n" for line in difflib.unified_diff(
            text.splitlines(), after, str(file), "what came out", lineterm=""))
        sys.exit(1)


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1])))
