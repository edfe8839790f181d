#!/usr/bin/env python3
"""Many sandboxes: SBX_STRESS_RUNS (1000) in sequence, SBX_STRESS_AT_ONCE (50) side by side. None fails, nothing is left."""
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from harness import Workspace, images, need, wait_until  # noqa: E402

RUNS = int(os.environ.get("SBX_STRESS_RUNS", "1000"))
AT_ONCE = int(os.environ.get("SBX_STRESS_AT_ONCE", "50"))


def files_below(place: Workspace) -> int:
    return sum(len(files) + len(folders) for top in ("home", "run") for _, folders, files in os.walk(place.root / top))


def in_sequence(place: Workspace) -> None:
    began = time.monotonic()
    for number in range(RUNS):
        outcome = place.sbx("run", "--rm", "small", "echo", number)
        if (outcome.code, outcome.out, outcome.err) != (0, f"{number}\n", ""):
            sys.exit(f"run {number}: {outcome}")
        place.commands.clear()
    print(f"{RUNS} in sequence: {(time.monotonic() - began) / max(RUNS, 1) * 1000:.1f} ms each")


def at_once(place: Workspace) -> None:
    began = time.monotonic()
    outputs = [(place.work / f"out-{number}").open("w+b") for number in range(AT_ONCE)]
    started = [place.start("sbx", "run", "--rm", "small", "sh", "-c", f"sleep 1; ip -4 -o addr show eth0 >/dev/null && echo {number}",
                           stdout=output, stderr=output) for number, output in enumerate(outputs)]
    for number, process in enumerate(started):
        code = process.wait(120)
        said = (place.work / f"out-{number}").read_text(encoding="utf-8", errors="replace")
        if (code, said) != (0, f"{number}\n"):
            sys.exit(f"number {number} of {AT_ONCE} at once: exit code {code}: {said!r}")
    print(f"{AT_ONCE} at once: {time.monotonic() - began:.2f} s, one second of it asleep")


def main() -> None:
    need("userns", "fuse", "net", "tool:umoci", "tool:skopeo")
    with Workspace("stress") as place:
        loaded = place.sbx("load", f"oci:{images()}/small:latest")
        # Two at once make what stays: locks, probe results.
        other = place.start("sbx", "run", "--rm", "small", "sleep", "1")
        first = place.sbx("run", "--rm", "small", "sleep", "1")
        if loaded.code != 0 or first.code != 0 or other.wait(60) != 0:
            sys.exit(f"{loaded}\n{first}")
        if not wait_until(lambda: not place.left(), 2):
            sys.exit(f"processes left: {place.left()}")
        before = files_below(place)
        in_sequence(place)
        at_once(place)
        if not wait_until(lambda: not place.left(), 2):
            sys.exit(f"processes left: {place.left()}")
        if (after := files_below(place)) != before:
            sys.exit(f"{after - before} files are left below home and run")


if __name__ == "__main__":
    main()
