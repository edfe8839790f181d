#!/usr/bin/env python3
"""`sbx export`: every file of a container that has ended, compared with what the container saw, and with what `sbx import` makes of it."""
import subprocess
import sys
import tarfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from harness import Workspace, full_ids, images, need  # noqa: E402

CHANGES = r"""
set -e
echo changed >>/etc/profile.local
mkdir -p "/new/with space" && echo data >"/new/with space/file"
chmod 4751 /new && touch -d "2001-02-03 04:05:06" /new/old
ln -s "/new/../x y" /new/link; ln /new/old /new/second
mkfifo /new/pipe
rm -rf /usr/share || true
mv /etc/passwd /etc/passwd.moved
head -c 3000000 /dev/urandom >/new/large
i=0; d=/new; while [ $i -lt 60 ]; do d=$d/aaaaaaaaaaaaaaaaaaaa; i=$((i+1)); done; mkdir -p "$d"; echo deep >"$d/file"
chown 3:4 "/new/with space/file" 2>/dev/null || true
find / -xdev \( -path /proc -o -path /sys -o -path /dev \) -prune -o -print0 >/tmp/seen
sha256sum /new/large /bin/busybox | sed 's| /| |'
"""


def check(holds: bool, what: str, outcome=None) -> None:
    if not holds:
        sys.exit(f"{what}: {outcome}")
    print(f"{what}: ok")


def main() -> None:
    need("userns", "fuse", "tool:umoci")
    with Workspace("export") as place:
        image = f"oci:{images()}/small:latest"
        ran = place.sbx("run", "--net=none", "--name", "changed", image, "sh", "-c", CHANGES)
        check(ran.code == 0, "a container that changes its files", ran)
        written = place.sbx("export", "-o", "tree.tar", "changed")
        check((written.code, written.out, written.err) == (0, "", ""), "export", written)
        by_id = next(line.split()[0] for line in place.sbx("system", "df", "-v").out.splitlines() if "changed" in line)
        with open(place.work / "second.tar", "wb") as out:
            place.start("sbx", "export", by_id, stdout=out).wait(60)
        check((place.work / "tree.tar").read_bytes() == (place.work / "second.tar").read_bytes(), "by id, to a pipe: the same bytes")
        with tarfile.open(place.work / "tree.tar") as tar:
            members = {member.name: member for member in tar.getmembers()}
            seen = {name[1:].decode(errors="surrogateescape") for name in tar.extractfile("tmp/seen").read().split(b"\0")} - {""}
            mounts = {"etc/hosts", "etc/hostname", "etc/resolv.conf", "etc/passwd", "etc/group"}
            ours = {name for name in members if name.split("/")[0] not in ("proc", "sys", "dev")}
            check(ours - mounts == {n for n in seen if n.split("/")[0] not in ("proc", "sys", "dev")} - mounts, "all that the container saw",
                  sorted(ours ^ seen))
            check("etc/passwd" not in members and "etc/passwd.moved" in members, "what was moved")
            check(members["new"].mode == 0o4751 and members["new/old"].mtime == 981173106, "modes and times", members["new/old"].mtime)
            check(members["new/link"].linkname == "/new/../x y", "symlinks")
            check(members["new/second"].islnk() and members["new/second"].linkname == "new/old", "hard links")
            check(members["new/pipe"].isfifo(), "fifos")
            owner = members["new/with space/file"]
            check((owner.uid, owner.gid) == (3, 4) or not full_ids(), "owners", (owner.uid, owner.gid))
            check(sum(name.endswith("aaaa/file") for name in members) == 1, "long names")
        sums = ran.out.splitlines()
        imported = place.sbx("import", "tree.tar", "again")
        check(imported.code == 0, "import", imported)
        again = place.sbx("run", "--rm", "--net=none", "again", "sh", "-c", "cat /new/old /etc/profile.local; sha256sum new/large bin/busybox")
        check(again.out.splitlines() == ["changed", *sums], "what import makes of it", (again, sums))
        listed = subprocess.run(["tar", "-tf", place.work / "tree.tar"], check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        # POSIX's word for names that are no UTF-8 is new to GNU tar, which reads them all the same.
        check(all(b"hdrcharset" in line for line in listed.stderr.splitlines()), "GNU tar reads it", listed.stderr)
        running = place.start("sbx", "run", "--rm", "--net=none", "--name", "busy", image, "sh", "-c", "echo up; exec sleep 60", stdout=subprocess.PIPE)
        running.stdout.readline()
        refused = place.sbx("export", "busy")
        check(refused.code == 125 and "running" in refused.err and refused.out == "", "one that runs", refused)
        running.kill()
        running.wait()
        running.stdout.close()
        for words, reason in ((("nosuch",), "no such container"), ((), "CONTAINER"), (("-o", "/nosuch/file", "changed"), "/nosuch")):
            wrong = place.sbx("export", *words)
            check(wrong.code == 125 and reason in wrong.err, f"export {' '.join(words)}", wrong)
        plain = place.sbx("run", "--net=none", "--name", "plain", "host", "true")
        refused = place.sbx("export", "plain")
        check(plain.code == 0 and refused.code == 125 and "no image" in refused.err, "one without an image", refused)
        place.sbx("rmi", "--force", *place.sbx("images", "-q").out.split())
        gone = place.sbx("export", "-o", "gone.tar", "changed")
        check(gone.code == 125 and "removed" in gone.err and not (place.work / "gone.tar").exists(), "one whose image is gone", gone)


if __name__ == "__main__":
    main()
