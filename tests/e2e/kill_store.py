#!/usr/bin/env python3
"""kill -9 of sbx and sbx-transfer at random moments of load, save, import and check: the store is whole afterwards, nothing is
left in it, and no half file has a name.

kill_store.py [ROUNDS]"""
import json
import os
import random
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from harness import Workspace, images, need, wait_until  # noqa: E402

VERBS = {
    "load": ["load", "-i", "whole.tar"],
    "load compressed": ["load", "-i", "whole.tar.gz"],
    "import": ["import", "root.tar", "imported"],
    "save": ["save", "-o", "saved.tar", "small"],
    "save compressed": ["save", "--compress", "zstd", "-o", "saved.tar", "small"],
    "save a layout": ["save", "--format", "oci-dir", "-o", "saved", "small"],
    "check": ["system", "check", "--repair"],
}


def must(place: Workspace, *words: str) -> str:
    done = place.sbx(*words)
    if done.code != 0:
        sys.exit(f"sbx {' '.join(words)}: exit code {done.code}: {done.out}{done.err}")
    return done.out


def look_around(place: Workspace, what: str) -> None:
    must(place, "images")
    report = json.loads(must(place, "system", "check", "--format", "json"))
    if report["Found"] != 0:
        sys.exit(f"after kill -9 of {what}: {report}")
    staging = place.root / "home/.local/share/sbx/store/staging"
    if os.listdir(staging):
        sys.exit(f"after kill -9 of {what}: left in staging: {os.listdir(staging)}")
    for name in ("saved", "saved.tar"):
        if (place.work / name).exists():
            # It was quicker than we: then it is whole.
            source = f"oci:{name}:docker.io/library/small:latest" if name == "saved" else f"oci-archive:{name}"
            must(place, "--root", str(place.work / "other"), "load", source)
            must(place, "--root", str(place.work / "other"), "rmi", "-f", "small")
            place.run("rm", "-rf", name)


def main() -> None:
    need("tool:umoci", "tool:skopeo")
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    source = images()
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    with Workspace("kill-store") as place:
        must(place, "load", "-t", "small", f"oci:{source}/small:latest")
        must(place, "save", "-o", "whole.tar", "small")
        place.run("gzip", "-k", "whole.tar")
        (place.work / "root.tar").write_bytes((source / "layers/base.tar").read_bytes())
        for name, words in VERBS.items():
            for _ in range(rounds):
                if "load" in name:
                    must(place, "rmi", "small")  # so that there is something to do
                process = place.start("sbx", *words)
                time.sleep(chance.uniform(0, 0.15))
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
                # sbx-transfer got the same signal, but a process with threads and buffers takes a moment to end, and holds its lock.
                wait_until(place.reap, 10)
                look_around(place, name)
                if "load" in name:
                    must(place, *words)
            must(place, *words)  # what was left does not stand in its way
            look_around(place, f"nothing ({name})")


if __name__ == "__main__":
    main()
