#!/usr/bin/env python3
"""sbx-overlay, the mount program: merged trees and upper directories as the kernel's overlay makes them, each readable by the
other; its command line, its end; images that podman builds, runs, compares and commits over it.

overlay_mount.py trees|program|acls|podman"""
import difflib
import errno
import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from harness import Workspace, need, wait_until  # noqa: E402

OVERLAY = os.environ.get("SBX_OVERLAY", "sbx-overlay")
MARKS = ("user.overlay.", "user.fuseoverlayfs.")

LAYERS = r"""set -e
mkdir a b c; cd c
mkdir -p etc/deep merged/below opaque/old filed hidden empty
echo c >etc/one; echo c >etc/two; echo deep >etc/deep/file; echo x >merged/c; echo x >merged/below/c; echo old >opaque/old/f
echo secret >hidden/f; echo kept >kept; echo c >both; echo setuid >setuid; chmod 4755 setuid; chown 3:4 etc/two; chmod 640 etc/two
ln -s etc/one link; chown -h 5:6 link; mkfifo fifo; setfattr -n user.color -v red kept; truncate -s 3M sparse; echo end >>sparse
touch -d 2001-02-03T04:05:06 etc/deep/file; echo gone >merged/gone; echo f >filed/f; chmod 1777 empty
cd ../b; mkdir -p merged opaque etc/deep; echo b >merged/b; echo b >both; echo new >opaque/new; setfattr -n user.overlay.opaque -v y opaque
mknod merged/gone c 0 0; mknod hidden c 0 0; echo b >etc/deep/b; echo 'now a file' >filed 2>/dev/null || true; rm -rf filed; echo file >filed
cd ../a; mkdir -p merged/below; echo a >merged/below/a; chown 7:8 merged; chmod 2775 merged
cd ..; mkdir u w m
"""
CHANGES = r"""cd "$1"
echo more >>etc/one; rm etc/two; mv both etc/moved; mv merged merged2; mkdir merged; echo n >merged/n; rm -r opaque; echo file >opaque
chown 9:10 setuid; chmod 4711 setuid; touch -d 2002-02-02T02:02:02 kept; setfattr -n user.more -v blue kept; chown -h 11:12 link
rm -r etc/deep; mkdir etc/deep; echo 1 >etc/deep/1; ln etc/deep/1 etc/deep/2; ln -s nowhere etc/sym; mkfifo etc/pipe; chmod 600 fifo
mkdir -m 1777 tmp; mkdir -m 2755 sgid; echo s >sgid/s; mkdir sgid/sub; chown 3:4 sgid; echo t >sgid/t; echo text >no; rm no; : >none
dd if=/dev/zero of=sparse bs=1 count=10 seek=100 conv=notrunc status=none; mv empty full; rmdir full 2>/dev/null; echo "exit $?" >status
mv kept kept2; ln kept2 kept; echo over >tmp/over; mv tmp/over filed; rm fifo; mkdir fifo; truncate -s 5 etc/moved; mkdir -p hidden/again
rename() { mv -T "$1" "$2"; }; rename sgid/sub sgid/moved; rename etc/deep etc/deeper; echo back >etc/two; chmod 000 none
"""


def listing(root: Path, marks: bool) -> dict:
    """Every path below: what it is. `marks`: as an upper directory, whiteouts and opaque marks included."""
    found = {}
    for folder, names, files in os.walk(root):
        for path in sorted(map(Path, [os.path.join(folder, name) for name in names + files])):
            st = path.lstat()
            facts = [stat.filemode(st.st_mode), st.st_uid, st.st_gid]
            if stat.S_ISCHR(st.st_mode):
                facts = ["device", st.st_rdev]
            elif not stat.S_ISDIR(st.st_mode):
                facts += [st.st_nlink, st.st_size]
            if stat.S_ISREG(st.st_mode):
                facts.append(hashlib.sha256(path.read_bytes()).hexdigest()[:12])
            if stat.S_ISLNK(st.st_mode):
                facts.append(os.readlink(path))
            elif stat.S_ISREG(st.st_mode) or stat.S_ISDIR(st.st_mode):
                names_here = [name for name in os.listxattr(path) if not name.startswith(MARKS)]
                facts += [(name, os.getxattr(path, name)) for name in sorted(names_here)]
                if marks and stat.S_ISDIR(st.st_mode) and "user.overlay.opaque" in os.listxattr(path):
                    value = os.getxattr(path, "user.overlay.opaque")
                    facts += [value] if value == b"y" else []
            if st.st_mtime < 1e9 + 1e8:
                facts.append(int(st.st_mtime))
            found[str(path.relative_to(root))] = facts
    return found


def differences(what: str, wanted: dict, got: dict) -> list[str]:
    return [f"{what}: {path}: kernel {wanted.get(path)}, sbx-overlay {got.get(path)}"
            for path in sorted(wanted.keys() | got.keys()) if wanted.get(path) != got.get(path)]


def shell(script: str, *arguments, folder: Path) -> str:
    ran = subprocess.run(["bash", "-c", script, "bash", *map(str, arguments)], cwd=folder, text=True, check=False,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    if ran.returncode != 0:
        sys.exit(f"exit code {ran.returncode}: {ran.stdout[-2000:]}")
    return ran.stdout


def mount(folder: Path, kernel: bool, upper: str = "u", work: str = "w") -> None:
    options = f"lowerdir=a:b:c,upperdir={upper},workdir={work}"
    if kernel:
        shell(f"mount -t overlay overlay -o userxattr,{options} m", folder=folder)
    else:
        shell(f'"$1" -o {options} m', OVERLAY, folder=folder)


def inside_trees(top: Path) -> list[str]:
    """In a user namespace with many ids, as its root."""
    views, uppers = {}, {}
    for name in ("kernel", "ours"):
        folder = top / name
        folder.mkdir()
        shell(LAYERS, folder=folder)
        mount(folder, name == "kernel")
        before = listing(folder / "m", marks=False)
        shell(CHANGES, folder / "m", folder=folder)
        views[name] = before, listing(folder / "m", marks=False)
        shell("umount m", folder=folder)
        uppers[name] = listing(folder / "u", marks=True)
    found = differences("before the changes", views["kernel"][0], views["ours"][0])
    found += differences("after them", views["kernel"][1], views["ours"][1])
    found += differences("upper directory", uppers["kernel"], uppers["ours"])
    if len(views["kernel"][1]) < 30:
        found.append(f"only {len(views['kernel'][1])} paths were compared")
    # Each reads what the other wrote, and what it wrote itself.
    for writer in ("kernel", "ours"):
        for reader in ("kernel", "ours"):
            folder = top / writer
            mount(folder, reader == "kernel")
            found += differences(f"{reader} over the upper directory of {writer}", views["kernel"][1],
                                 listing(folder / "m", marks=False))
            shell("umount m", folder=folder)
    return found


def inside_links(top: Path) -> list[str]:
    """The names of one lower file stay one file: POSIX, where the kernel's overlay separates them."""
    shell("mkdir a u w m; echo one >a/one; mkdir a/far; ln a/one a/far/two; ln a/one a/three", folder=top)
    shell('"$1" -o lowerdir=a,upperdir=u,workdir=w m', OVERLAY, folder=top)
    said = shell("cd m; numbers=$(stat -c %i one far/two three | uniq | wc -l); echo more >>one; rm three; mv far/two far/moved; "
                 "cat far/moved; stat -c '%h' one far/moved; echo $numbers; stat -c %i one far/moved | uniq | wc -l", folder=top)
    shell("umount m", folder=top)
    wanted = "one\nmore\n2\n2\n1\n1\n"
    return [] if said == wanted else [f"hard links: {said!r}, not {wanted!r}"]


def posix(low: Path) -> dict:
    """What other overlays in user space are known to get wrong, in the folder we are in; `low` has a file f from a lower directory."""
    said = {}

    def say(what: str, do) -> None:
        try:
            said[what] = do()
        except OSError as error:
            said[what] = errno.errorcode[error.errno]

    def unlinked(path) -> tuple:
        with open(path, "w+b", buffering=0) as file:
            os.unlink(path)
            os.write(file.fileno(), b"xy")
            os.fchmod(file.fileno(), 0o640)
            st = os.fstat(file.fileno())
            return st.st_nlink, st.st_size, stat.filemode(st.st_mode), os.pread(file.fileno(), 9, 0)

    def in_group_folder() -> list:
        os.mkdir("group")
        os.chown("group", 0, 500)
        os.chmod("group", 0o2777)
        if os.fork() == 0:
            os.setgroups([])
            os.setresgid(600, 600, 600)
            os.setresuid(700, 700, 700)
            os.mkdir("group/dir", 0o755)
            for name, mode in (("exec", 0o2775), ("plain", 0o2765)):
                os.close(os.open(f"group/{name}", os.O_CREAT | os.O_WRONLY, mode))
            os.mknod("group/fifo", stat.S_IFIFO | 0o660)
            os.symlink("x", "group/link")
            os._exit(0)
        os.wait()
        return [(name, stat.filemode(st.st_mode), st.st_uid, st.st_gid)
                for name in ("dir", "exec", "plain", "fifo", "link") for st in [os.lstat(f"group/{name}")]]

    def deep() -> int:
        for _ in range(40):  # 8,000 bytes, twice PATH_MAX
            os.mkdir("d" * 200)
            os.chdir("d" * 200)
        Path("end").touch()
        os.rename("end", "ended")
        os.unlink("ended")
        for _ in range(40):
            os.chdir("..")
            os.rmdir("d" * 200)
        return len(os.listdir("."))

    say("a file without a name", lambda: unlinked("new"))
    say("a lower one", lambda: unlinked(low / "f"))
    say("set-group-id", in_group_folder)
    for length in (255, 256, 1024):
        say(f"make {length}", lambda: os.close(os.open("n" * length, os.O_CREAT | os.O_WRONLY)))  # noqa: B023
        say(f"look up {length}", lambda: os.stat("m" * length))  # noqa: B023
        say(f"rename to {length}", lambda: os.rename("group", "g" * length))  # noqa: B023
        say(f"link to {length}", lambda: os.link("n" * 255, "l" * length))  # noqa: B023
    for length in (4095, 4096):
        say(f"symlink of {length}", lambda: os.symlink("s" * length, f"to{length}") or len(os.readlink(f"to{length}")))  # noqa: B023
    say("deep", lambda: os.mkdir("deep") or os.chdir("deep") or deep())
    return said


def inside_posix(top: Path) -> list[str]:
    said = {}
    for name, options in (("plain", None), ("native", ""), ("override", ",xattr_permissions=2")):
        folder = top / name
        folder.mkdir()
        shell("mkdir -p a/low u w m; echo lower >a/low/f", folder=folder)
        if options is None:
            shell("cp -a a/low m", folder=folder)
        else:
            shell(f'"$1" -o lowerdir=a,upperdir=u,workdir=w{options} m', OVERLAY, folder=folder)
        work = folder / "m/work"
        work.mkdir()
        os.chdir(work)
        said[name] = posix(folder / "m/low")
        os.chdir(top)
        shell("rm -rf m/*; ls -A m", folder=folder)
        if options is not None:
            shell("umount m", folder=folder)
    found = [f"{name}: {what}: {said[name].get(what)}, not {wanted}" for name in ("native", "override")
             for what, wanted in said["plain"].items() if said[name].get(what) != wanted]
    return found + ([] if len(said["plain"]) == 18 else [f"{len(said['plain'])} things were compared"])


ACLS = r"""cd "$1"; umask 027
show() { getfacl -nP "$@"; stat -c '%n %A' "$@"; }
as() { id=$1; shift; setpriv --reuid "$id" --regid "$((id + 1))" --clear-groups "$@" 2>&1; echo "$id: exit $?"; }
echo f >f; setfacl -m u:33:rw,g:44:r,g:66:- f; show f; chmod 604 f; show f; chmod 670 f; chmod 755 .
as 33 cat f; as 34 cat f; as 43 cat f; as 65 cat f; as 33 sh -c 'echo more >>f'; as 43 sh -c 'echo more >>f'; as 33 setfacl -m u:33:rwx f
mkdir d; setfacl -d -m u:33:rwX,g::rx,o::r d; setfacl -m m::rwx d; echo x >d/x; mkdir d/sub; mkdir -m 700 d/own; touch d/sub/y
ln -s x d/l; (umask 0; echo z >d/z); install -m 640 f d/installed; show d d/x d/sub d/own d/sub/y d/z d/installed
cp -a d copy; show copy copy/x copy/sub; mv f d/f; show d/f; ln d/f d/g; setfacl -x u:33 d/g; show d/f; cp --preserve=all d/f h; show h
setfacl -k d; touch d/plain; show d d/plain; setfacl -b d/f; show d/f; setfacl -b d/f; setfacl -k d; rm d/x; touch d/x; show d/x
echo s >s; chown 33:44 s; chmod 2775 s; as 33 setfacl -m u:1:r s; show s; chmod 2775 s; setfacl -m u:1:rw s; show s; as 34 setfacl -m u:2:r s
setfacl -m u:5:rwx,m::r s; as 5 sh -c 'cat s; echo n >>s'; setfacl -d -m u:1:r s 2>&1; getfattr -m- s d copy; setfattr -x system.posix_acl_access s
show s; setfattr -n system.posix_acl_access -v 0x02 s 2>&1; setfacl -m u:33:--x copy; as 33 ls copy; as 33 ls copy/sub
tar c --acls copy | (mkdir t; cd t; tar x --acls); show t/copy t/copy/x
"""


def inside_acls(top: Path) -> list[str]:
    """ACLs are as those of the file system below, in both forms, also of what lies in a lower directory, and at the next mount."""
    said = {}
    for name, options in (("plain", None), ("native", ""), ("override", ",xattr_permissions=2")):
        folder = top / name
        shell("mkdir -p a/low u w m; echo l >a/low/l; setfacl -m u:33:rw a/low/l; setfacl -dm g:44:rwx a/low; setfacl -m u:33:rx a/low",
              folder=Path(shell('mkdir "$1"; printf %s "$1"', folder, folder=top)))
        start = f'"$1" -o acl,lowerdir=a,upperdir=u,workdir=w{options} m'
        if options is None:
            shell("cp -a a/low m", folder=folder)
        else:
            shell(start, OVERLAY, folder=folder)
        lower = "cd m/low; umask 077; getfacl -n . l; chmod g+w l; touch new; mkdir sub; getfacl -n l new sub; cd ../..; "
        said[name] = shell(lower + ACLS, "m", folder=folder)
        again = "find m -printf '%M %p\\n' | sort; find m ! -type l | sort | xargs getfacl -nP"
        said[name] += shell(again, folder=folder)
        if options is not None:
            shell("umount m", folder=folder)
            shell(start, OVERLAY, folder=folder)
            if shell(again, folder=folder) not in said[name]:
                said[name] += "at the next mount it is different"
            shell("umount m", folder=folder)
    found = []
    for name in ("native", "override"):
        found += difflib.unified_diff(said["plain"].splitlines(), said[name].splitlines(), "plain", name, lineterm="", n=6)
    if said["plain"].count("user:33:") < 10:
        found.append("nothing was compared")
    return found


def inside_program(top: Path) -> list[str]:
    found = []

    def expect(what: str, good: bool, said: object = "") -> None:
        if not good:
            found.append(f"{what}: {said}")

    def call(*words) -> subprocess.CompletedProcess:
        return subprocess.run([OVERLAY, *map(str, words)], cwd=top, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=20, check=False)

    def mounted() -> bool:
        return f" {top}/m fuse.sbx-overlay " in Path("/proc/self/mounts").read_text(encoding="utf-8")

    shell(r"mkdir 'a:1' 'b,2' u w m; echo a >'a:1/a'; echo b >'b,2/b'; chown 5:6 'b,2/b'", folder=top)
    lower = r"lowerdir=a\:1:b\,2"
    # The pipes of `call` end only when nobody holds them any more: the process in the background must not.
    ran = call("-o", f"{lower},upperdir=u,workdir=w,volatile", "m")
    expect("mount", ran.returncode == 0 and not ran.stdout and not ran.stderr and mounted(), ran)
    expect("escaped names", sorted(os.listdir(top / "m")) == ["a", "b"], os.listdir(top / "m"))
    shell("umount m", folder=top)
    expect("ends with the mount", wait_until(lambda: not servers(top), 5), servers(top))

    call("-o", lower, "-o", "squash_to_uid=7,squash_to_gid=8,static_nlink", "m")
    st = os.stat(top / "m/b")
    expect("squashed", (st.st_uid, st.st_gid) == (7, 8), st)
    expect("static_nlink", os.stat(top / "m").st_nlink == 1)
    try:
        (top / "m/new").touch()
        expect("read-only without an upper directory", False)
    except OSError as error:
        expect("read-only without an upper directory", error.errno == 30, error)
    for pid in servers(top):
        os.kill(pid, signal.SIGTERM)
    expect("SIGTERM unmounts", wait_until(lambda: not mounted() and not servers(top), 5), servers(top))

    call("-o", f"{lower},upperdir=u,workdir=w,uidmapping=0:0:5:5:100:10,gidmapping=0:0:1000", "m")
    expect("mapped", os.stat(top / "m/b").st_uid == 100, os.stat(top / "m/b"))
    shell("echo x >m/c; chown 101:3 m/c", folder=top)
    on_disk = os.stat(top / "u/c")
    expect("mapped back", (on_disk.st_uid, on_disk.st_gid) == (6, 3), on_disk)
    shell("umount m; rm -rf u w; mkdir u w", folder=top)

    call("-o", f"{lower},upperdir=u,workdir=w,xattr_permissions=2", "m")
    shell("chown 9:10 m/b; chmod 4711 m/b", folder=top)
    over = os.getxattr(top / "u/b", "user.containers.override_stat")
    st = os.stat(top / "m/b")
    expect("override", over == b"9:10:04711" and (top / "u/b").read_text() == "b\n", over)
    expect("override shows", (st.st_uid, st.st_gid, stat.S_IMODE(st.st_mode)) == (9, 10, 0o4711), st)
    shell("umount m", folder=top)

    # Not yet written, but data: the kernel still has it.
    call("-o", f"{lower},upperdir=u,workdir=w,noxattrs=1", "m")
    with open(top / "m/fresh", "wb") as fresh:
        os.truncate(fresh.fileno(), 1 << 20)
        os.pwrite(fresh.fileno(), b"x" * 4096, 1 << 19)
        expect("SEEK_DATA", os.lseek(fresh.fileno(), 1 << 19, os.SEEK_DATA) == 1 << 19)
        expect("SEEK_HOLE", os.lseek(fresh.fileno(), 1 << 19, os.SEEK_HOLE) > 1 << 19)
    for name, done in (("setxattr", lambda: os.setxattr(top / "m/fresh", "user.x", b"y")), ("listxattr", lambda: os.listxattr(top / "m/b"))):
        try:
            expect(f"noxattrs: {name}", False, done())
        except OSError as error:
            expect(f"noxattrs: {name}", error.errno == errno.EOPNOTSUPP, error)
    shell("umount m", folder=top)

    foreground = subprocess.Popen([OVERLAY, "-f", "-o", "lowerdir=u", "m"], cwd=top)
    expect("foreground", wait_until(mounted, 5) and foreground.poll() is None)
    foreground.terminate()
    expect("foreground ends", foreground.wait(5) == 0 and not mounted(), foreground.returncode)

    call("-o", f"{lower},upperdir=u,workdir=w", "m")
    with open(top / "m/busy", "w", encoding="utf-8") as busy:
        for pid in servers(top):
            os.kill(pid, signal.SIGTERM)
        expect("SIGTERM unmounts what is busy", wait_until(lambda: not mounted(), 5))
        busy.write("gathered")
    expect("nothing of it is lost", wait_until(lambda: not servers(top), 5) and (top / "u/busy").read_text() == "gathered", servers(top))

    for words, said in ((("-o", "lowerdir=nowhere", "m"), "nowhere"), (("-o", "lowerdir=u,ino32_t", "m"), "'ino32_t'"),
                        (("-o", "lowerdir=u", "nowhere"), "nowhere"), (("-o", "lowerdir=u,upperdir=u", "m"), "'workdir'"),
                        (("-o", "lowerdir=u"), "mount point")):
        ran = call(*words)
        expect(f"refuses {words}", ran.returncode == 1 and said in ran.stderr and not mounted(), ran)
    expect("--version", call("--version").stdout.startswith("sbx-overlay "))
    expect("--help", "lowerdir=" in call("--help").stdout)
    return found


def servers(top: Path) -> list[int]:
    """Of mounts of this test: only they have the folder open."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit() and int(entry) != os.getpid():
            try:
                state = Path(f"/proc/{entry}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0]
                name = Path(f"/proc/{entry}/comm").read_text(encoding="utf-8").strip()
                opened = {os.readlink(fd) for fd in Path(f"/proc/{entry}/fd").iterdir()}
            except OSError:
                continue
            if name == "sbx-overlay" and state != "Z" and any(path.startswith(str(top)) for path in opened):
                found.append(int(entry))
    return found


CONTAINERFILE = """FROM scratch
COPY busybox /bin/busybox
COPY etc /etc
COPY tree /tree
RUN ["/bin/busybox", "--install", "-s", "/bin"]
RUN echo more >>/tree/one && rm -r /tree/gone && mv /tree/sub /tree/moved && mkdir /tree/gone && echo new >/tree/gone/new && \
  chown 1:2 /tree/one && chmod 4750 /tree/tool
RUN rm /tree/moved/two && ln -s /etc /tree/link && mkfifo /tree/fifo && ln /tree/one /tree/one2 && mkdir -p /tree/sub && echo b >/tree/sub/back
"""
BUILT = ["", "/fifo", "/gone", "/gone/new", "/link", "/moved", "/one", "/one2", "/sub", "/sub/back", "/tool"]
DIFFERENCE = ["A /tree/link2", "A /tree/run", "C /tree", "C /tree/gone", "C /tree/gone/new", "D /tree/link", "D /tree/sub"]
COMMITTED = """. drwxr-xr-x 0 0
./fifo prw-r--r-- 0 0
./gone drwxr-xr-x 0 0
./gone/new -rw-r----- 3 0
./link2 lrwxrwxrwx 0 0
./moved drwxr-xr-x 0 0
./one -rw-r--r-- 1 2
./one2 -rw-r--r-- 1 2
./run -rw-r--r-- 0 0
./tool -rwsr-x--- 0 0
one
more
new
"""


def podman(place: Workspace) -> list[str]:
    base = place.work
    shell("mkdir -p c/etc c/tree/sub c/tree/gone; cp $(command -v busybox) c/busybox; echo one >c/tree/one; echo two >c/tree/sub/two; "
          "echo g >c/tree/gone/g; echo t >c/tree/tool; echo root:x:0:0:root:/:/bin/sh >c/etc/passwd", folder=base)
    (base / "c/Containerfile").write_text(CONTAINERFILE)
    policy = place.root / "home/.config/containers/policy.json"
    policy.parent.mkdir(parents=True)
    policy.write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    engine = ["podman", "--root", base / "storage", "--runroot", place.root / "r", "--storage-driver", "overlay", "--storage-opt",
              f"overlay.mount_program={OVERLAY}", "--cgroup-manager", "cgroupfs", "--events-backend", "none", "--log-level", "error"]
    found = []

    def call(*words, must: bool = True) -> str:
        ran = place.run(*words, timeout=120)
        if must and ran.code != 0:
            found.append(f"{' '.join(map(str, words[-4:]))}: exit code {ran.code}: {ran.err[-1000:]}")
        return ran.out if ran.code == 0 else ""

    def expect(what: str, wanted, got) -> None:
        if wanted != got:
            found.append(f"{what}: {got!r}, not {wanted!r}")

    try:
        call(*engine, "build", "--isolation", "chroot", "-q", "-t", "built", "c")
        # crun wants a unified or a legacy cgroup tree, runc takes a mixed one too.
        runtime = next((each for each in ("crun", "runc") if not found and place.run(
            *engine, "--runtime", each, "run", "--rm", "--net=none", "built", "true", timeout=60).code == 0), None)
        if runtime is None:
            return found or ["neither crun nor runc runs a container here"]
        engine += ["--runtime", runtime]
        out = call(*engine, "run", "--net=none", "--name", "k", "built", "sh", "-c",
                   "find /tree | sort; rm -r /tree/sub; echo run >/tree/run; mv /tree/link /tree/link2; "
                   "chown 3 /tree/gone/new; chmod 640 /tree/gone/new")
        expect("the built image", [f"/tree{path}" for path in BUILT], out.split())
        expect("diff", DIFFERENCE, sorted(line for line in call(*engine, "diff", "k").splitlines() if "/tree" in line))
        call(*engine, "commit", "-q", "k", "committed")
        expect("the committed image", COMMITTED, call(
            *engine, "run", "--net=none", "--rm", "committed", "sh", "-c",
            "cd /tree; find . | sort | xargs stat -c '%n %A %u %g'; cat one gone/new"))
        graph = json.loads(call(*engine, "info", "--format", "json"))["store"]["graphOptions"]["overlay.mount_program"]
        expect("what podman info says", True, "sbx-overlay" in graph["Version"])
        call(*engine, "rm", "-f", "-a")
        call(*engine, "rmi", "-f", "-a")
    finally:
        call("podman", "unshare", "sh", "-c", f"umount -l {base}/storage/overlay 2>/dev/null; rm -rf {base}/storage", must=False)
        call(*engine, "system", "migrate", must=False)  # ends the process that podman leaves
    return found


def main() -> None:
    if sys.argv[1] == "inside":
        top = Path(sys.argv[3])
        top.mkdir()
        found = {"trees": inside_trees, "links": inside_links, "posix": inside_posix, "acls": inside_acls, "program": inside_program}[sys.argv[2]](top)
        print("\n".join(found))
        sys.exit(1 if found else 0)
    need("userns", "fuse", "ids:full", *{"podman": ["tool:podman", "tool:busybox"], "acls": ["tool:setfacl"]}.get(sys.argv[1], []))
    with Workspace("overlay-mount-" + sys.argv[1]) as place:
        if sys.argv[1] == "podman":
            found = podman(place)
        else:
            found = []
            place.environment["SBX_OVERLAY"] = OVERLAY
            for part in ("trees", "links", "posix") if sys.argv[1] == "trees" else (sys.argv[1],):
                ran = place.run("unshare", "-Um", "--map-root-user", "--map-auto", sys.executable, os.path.abspath(__file__), "inside", part,
                                place.work / part, timeout=120, join=True)
                found += [ran.out or f"exit code {ran.code}"] if ran.code != 0 else []
            place.run("unshare", "-Um", "--map-root-user", "--map-auto", "sh", "-c", f"rm -rf {place.work}/*")
        print("\n".join(found) or "as it should be")
        if found:
            sys.exit(1)
        time.sleep(0.2)  # servers end a moment after their mounts


if __name__ == "__main__":
    main()
