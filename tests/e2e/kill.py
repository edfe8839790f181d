#!/usr/bin/env python3
"""kill -9 of each of our processes, while the sandbox starts and while it runs: within a second nothing of it is left,
the message says what happened, and the next sbx leaves no state behind.

kill.py supervisor|fs|net|init [ROUNDS]"""
import os
import random
import re
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from harness import Workspace, images, need, wait_until  # noqa: E402

# How each process calls itself, and what the supervisor says when it is gone.
ROLES = {"fs": (re.compile(r"^sbx: fs\b"), "file system"), "net": (re.compile(r"^sbx: net\b"), "network"),
         "init": (re.compile(r"^sbx: init\b"), None)}


def parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])
    except OSError:
        return -1


def find(place: Workspace, role: str, supervisor: int) -> int | None:
    """The one of this sandbox: the network process of the last one may still be closing its tap."""
    return next((pid for pid, words in place.left().items() if ROLES[role][0].match(words) and parent(pid) == supervisor), None)


def mounts() -> str:
    return Path("/proc/self/mountinfo").read_text(encoding="utf-8")


def state_files(place: Workspace) -> list[str]:
    """What a sandbox may have left on disk: anything below containers/ and the runtime folder."""
    found = []
    for top in (place.root / "home/.local/share/sbx/containers", place.root / "run"):
        for folder, folders, files in os.walk(top):
            found += [os.path.join(folder, name) for name in folders + files]
    # One lock file and empty folders may stay for the next run.
    return [path for path in found if not (os.path.isdir(path) and not os.listdir(path)) and not path.endswith("lock")
            and not os.path.isdir(path)]


def one_round(place: Workspace, image: str, role: str, delay: float | None, before: str) -> None:
    """delay: seconds after the start, or None: once the command runs."""
    errors = open(place.work / "err", "w+b")
    started = place.start("sbx", "run", "--rm", image, "sh", "-c", "echo up >/dev/stderr; exec sleep 1000", stderr=errors)
    if delay is None:
        if not wait_until(lambda: b"up" in (place.work / "err").read_bytes(), 20):
            sys.exit(f"the sandbox did not start: {(place.work / 'err').read_text()}")
    else:
        time.sleep(delay)
    victim = started.pid if role == "supervisor" else find(place, role, started.pid)
    if victim is None:  # not there yet, at this early moment; the supervisor ends it then
        victim = started.pid
    when = "while it ran" if delay is None else f"{delay * 1000:.1f} ms after the start"
    os.kill(victim, signal.SIGKILL)
    if not wait_until(lambda: (place.reap() if started.poll() is not None else None, not place.left())[1], 1):
        sys.exit(f"killed {role} {when}: a second later there are {place.left()}")
    if mounts() != before:
        sys.exit(f"killed {role} {when}: a mount is left on the host")
    message = (place.work / "err").read_text(errors="replace")
    if role != "supervisor" and delay is None:
        # It is a zombie by now: no process any more for left(), but not yet asked for its code.
        code, word = started.wait(1), ROLES[role][1]
        if word and (code != 125 or not re.search(rf"^sbx: .*{word}", message, re.MULTILINE)):
            sys.exit(f"killed {role} {when}: exit code {code}, and it said: {message!r}")
        if role == "init" and code not in (125, 137):
            sys.exit(f"killed {role} {when}: exit code {code}, and it said: {message!r}")
    after = place.sbx("run", "--rm", image, "echo", "next")
    if (after.code, after.out) != (0, "next\n"):
        sys.exit(f"killed {role} {when}: the next run ended with {after}")
    if left := state_files(place):
        sys.exit(f"killed {role} {when}: left on disk: {left}")


def check_kept(place: Workspace, role: str) -> None:
    """A container that is not to go with its end keeps what was written to it."""
    with open(place.work / "err", "w+b") as errors:
        started = place.start("sbx", "run", "--name", "kept", "small", "sh", "-c", "echo a >/written; echo up >&2; exec sleep 1000",
                              stderr=errors)
    if not wait_until(lambda: b"up" in (place.work / "err").read_bytes(), 20):
        sys.exit(f"the sandbox did not start: {(place.work / 'err').read_text()}")
    os.kill(started.pid if role == "supervisor" else find(place, role, started.pid), signal.SIGKILL)
    started.wait(5)
    wait_until(lambda: not place.left(), 5)
    written = place.sbx("export", "-o", "kept.tar", "kept")
    if written.code != 0 or b"written" not in (place.work / "kept.tar").read_bytes():
        sys.exit(f"killed {role}: the changes of the container are lost: {written}")
    place.sbx("system", "prune", "--force")


def main() -> None:
    role, rounds = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 12
    need("userns", "fuse", "net", "tool:umoci", "tool:skopeo")
    with Workspace(f"kill-{role}") as place:
        loaded = place.sbx("load", f"oci:{images()}/small:latest")
        if loaded.code != 0:
            sys.exit(f"sbx load: {loaded}")
        before = mounts()
        check_kept(place, role)
        one_round(place, "small", role, None, before)
        seed = int(os.environ.get("SBX_TEST_SEED", str(random.randrange(1 << 32))))
        print(f"SBX_TEST_SEED={seed}")
        generator = random.Random(seed)
        for _ in range(rounds):
            one_round(place, "small", role, generator.uniform(0, 0.03), before)


if __name__ == "__main__":
    main()
