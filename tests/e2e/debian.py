#!/usr/bin/env python3
"""A real distribution in an image of three layers: python, gcc, apt-get of a local package, su, a web server; and every
path of it as `umoci unpack` makes it."""
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
from harness import SUPPORT, Workspace, need  # noqa: E402
from tree import compare_image  # noqa: E402

HELLO = '#include <stdio.h>\\nint main(void) { puts("compiled"); return 3; }\\n'
SERVER = """
python3 -m http.server --directory /usr/share 8000 >/dev/null 2>&1 &
python3 - <<'X'
import time, urllib.request
for attempt in range(100):
    try:
        print(urllib.request.urlopen("http://127.0.0.1:8000/").status)
        break
    except OSError:
        time.sleep(0.1)
X
kill %1
"""


def make_package(place: Workspace) -> Path:
    """A package with a program, a configuration file, and a script that runs when it is installed."""
    root = place.work / "package"
    (root / "DEBIAN").mkdir(parents=True)
    (root / "usr/bin").mkdir(parents=True)
    (root / "etc/greeter").mkdir(parents=True)
    (root / "DEBIAN/control").write_text("Package: greeter\nVersion: 1.0\nArchitecture: all\nMaintainer: Nobody <n@example.org>\n"
                                         "Description: says hello\nDepends: python3\n")
    (root / "DEBIAN/postinst").write_text("#!/bin/sh\nset -e\nadduser --version >/dev/null 2>&1 || true\n"
                                          "chown daemon:daemon /etc/greeter\nchmod 2750 /etc/greeter\n")
    (root / "usr/bin/greeter").write_text("#!/usr/bin/python3\nprint(open('/etc/greeter/words').read(), end='')\n")
    (root / "etc/greeter/words").write_text("hello from a package\n")
    for program in ("DEBIAN/postinst", "usr/bin/greeter"):
        (root / program).chmod(0o755)
    subprocess.run(["dpkg-deb", "--root-owner-group", "--build", str(root), str(place.work / "greeter.deb")], check=True,
                   stdout=subprocess.DEVNULL)
    return place.work / "greeter.deb"


def expect(place: Workspace, what: str, wanted: str, code: int, *arguments) -> None:
    outcome = place.sbx("run", "--rm", *arguments, timeout=300)
    if (outcome.code, outcome.out) != (code, wanted):
        sys.exit(f"{what}: exit code {outcome.code}\n{outcome.out}{outcome.err}")
    print(f"{what}: ok")


def main() -> None:
    need("userns", "fuse", "net", "ids:full", "subids", "tool:umoci", "tool:mmdebstrap", "tool:dpkg-deb")
    cache = Path(os.environ.get("SBX_TEST_CACHE", Path.home() / ".cache/sbx-test"))
    made = subprocess.run([str(SUPPORT / "make_debian_image.sh"), str(cache / "debian")], check=False)
    if made.returncode != 0:
        sys.exit("the image could not be made (mmdebstrap needs a Debian mirror)")
    image = f"{cache}/debian/debian:debian"
    with Workspace("debian") as place:
        loaded = place.sbx("load", "--tag", "debian", f"oci:{image}", timeout=300)
        if loaded.code != 0:
            sys.exit(f"sbx load: {loaded}")
        expect(place, "python", "3 42\n", 0, "debian", "python3", "-c",
               "import json, sys; print(sys.version_info[0], json.loads('42'))")
        package = make_package(place)
        expect(place, "apt-get install", "hello from a package\ndaemon:daemon 2750\n", 0, "-v", f"{package}:/tmp/greeter.deb:ro", "debian",
               "sh", "-c", "apt-get install -y -qq --no-install-recommends /tmp/greeter.deb >/dev/null 2>/tmp/err || cat /tmp/err; greeter; "
               "stat -c '%U:%G %a' /etc/greeter")
        expect(place, "gcc", "compiled\n", 3, "debian", "sh", "-c",
               f"printf '{HELLO}' >/tmp/x.c && gcc -o /tmp/x /tmp/x.c && /tmp/x")
        expect(place, "su", "tester\n/home/tester\n", 0, "debian", "su", "tester", "-c", "id -un; echo $HOME")
        expect(place, "web server", "200\n", 0, "debian", "bash", "-c", SERVER)
        compare_image(place, image, "debian", 5000)


if __name__ == "__main__":
    main()
