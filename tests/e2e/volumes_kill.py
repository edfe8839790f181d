#!/usr/bin/env python3
"""kill -9 of sbx while it makes, fills and removes a volume: the next command finds the volume whole or not at all, and nothing is left
beside it.

volumes_kill.py [ROUNDS]"""
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from harness import Workspace, need, wait_until  # noqa: E402

FOLDERS, FILES = 20, 60
COUNT = "find /data -type f | wc -l; cat /data/*/* | wc -c"
BORN = 10  # seconds in which what has no lock yet is left alone


def make_root(root: Path) -> str:
    """A directory tree to run; what COUNT says of it."""
    for folder in range(FOLDERS):
        (root / "data" / str(folder)).mkdir(parents=True)
        for file in range(FILES):
            (root / "data" / str(folder) / str(file)).write_bytes(bytes(1000 + file))
    (root / "bin").mkdir()
    shutil.copy(shutil.which("busybox"), root / "bin/busybox")
    for name in ("sh", "find", "wc", "cat"):
        (root / "bin" / name).symlink_to("busybox")
    return f"{FOLDERS * FILES}\n{FOLDERS * sum(1000 + file for file in range(FILES))}\n"


def must(place: Workspace, *words: str) -> str:
    done = place.sbx(*words)
    if done.code != 0:
        sys.exit(f"sbx {' '.join(words)}: exit code {done.code}: {done.out}{done.err}")
    return done.out


def main() -> None:
    need("userns", "fuse")
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 12
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    with Workspace("volumes-kill") as place:
        whole = make_root(place.work / "root")
        command = ["run", "--rm", "--net", "none", "-v", "data:/data", f"dir:{place.work}/root", "/bin/sh", "-c", COUNT]
        volumes = place.root / "home/.local/share/sbx/volumes"
        begun = time.monotonic()
        must(place, *command)
        length = time.monotonic() - begun
        caught = 0
        for number in range(rounds):
            must(place, "volume", "rm", "data")
            process = place.start("sbx", *command)
            if number % 2 == 0:  # in the middle of the copy
                wait_until(lambda: (volumes / "data/_new").exists(), 5, 0.001)
            time.sleep(chance.uniform(0, length / 2))
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            wait_until(place.reap, 10)
            caught += (volumes / "data/_new").exists()
            found = must(place, *command)
            if found != whole:
                sys.exit(f"round {number}: the volume has {found.split()}, not {whole.split()}")
            if (volumes / "data/_new").exists() or (volumes / "data/unused").exists():
                sys.exit(f"round {number}: left in the volume: {os.listdir(volumes / 'data')}")
        if caught == 0:
            sys.exit("no copy was killed in the middle")
        for number in range(rounds):  # removal
            process = place.start("sbx", "volume", "rm", "data")
            time.sleep(chance.uniform(0, 0.05))
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            wait_until(place.reap, 10)
            if must(place, *command) != whole:
                sys.exit(f"after kill -9 of volume rm: {os.listdir(volumes)}")
        if left := set(os.listdir(volumes)) - {"data"}:
            time.sleep(BORN)
            must(place, "volume", "ls")
            if left := set(os.listdir(volumes)) - {"data"}:
                sys.exit(f"left beside the volume: {left}")
        must(place, "volume", "rm", "data")
        if os.listdir(volumes):
            sys.exit(f"left: {os.listdir(volumes)}")


main()
