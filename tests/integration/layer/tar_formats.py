#!/usr/bin/env python3
"""Archives by GNU tar, bsdtar and Python's tarfile in all their formats, read by sbx's tar reader.

usage: tar_formats.py TAR_LIST
Every entry must come back with the metadata of the file it was made from, and its data must stand in the
archive where the reader says.
"""
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile

TYPES = {"regular": 0, "directory": 1, "symlink": 2, "hard link": 3, "char": 4, "block": 5, "fifo": 6}
LONG = "l" * 90 + "/" + "m" * 120 + "/" + "n" * 200


def make_tree(root):
    """A tree with everything a format may find hard; returns nothing."""
    def write(path, data, mode=0o644):
        path = os.path.join(root, path)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as f:
            f.write(data)
        os.chmod(path, mode)
    write("plain", b"plain data\n")
    write("empty", b"")
    write("exact", b"x" * 512)
    write("setuid", b"#!", 0o4755)
    write("caf\u00e9 \u2603", b"unicode")
    write(LONG, b"long")
    write("d" * 100, b"name of 100 bytes")
    write("old", b"old")
    os.utime(os.path.join(root, "old"), ns=(10**9, -1_500_000_000))
    os.utime(os.path.join(root, "plain"), ns=(0, 1_234_567_890_123_456_789))
    os.symlink("plain", os.path.join(root, "symlink"))
    os.symlink("t" * 150, os.path.join(root, "longlink"))
    os.link(os.path.join(root, "plain"), os.path.join(root, "zhard"))
    os.link(os.path.join(root, LONG), os.path.join(root, "zhardlong"))
    os.mkfifo(os.path.join(root, "fifo"))
    os.mkdir(os.path.join(root, "sticky"))
    os.chmod(os.path.join(root, "sticky"), 0o1777)
    with open(os.path.join(root, "sparse"), "wb") as f:
        for i in range(40):  # more extents than an old GNU header holds
            f.seek(i * 65536 + 4096)
            f.write(bytes([65 + i % 26]) * 4096)
        f.truncate(5_000_000)
    with open(os.path.join(root, "hole"), "wb") as f:
        f.truncate(100_000)
    if os.geteuid() == 0:
        os.chown(os.path.join(root, "exact"), 3_000_000, 4_000_000)  # more than octal holds in 8 bytes
        os.mknod(os.path.join(root, "null"), 0o20666, os.makedev(1, 3))
        os.mknod(os.path.join(root, "blk"), 0o60660, os.makedev(259, 70000))
    try:
        os.setxattr(os.path.join(root, "plain"), "user.sbx", b"a\0=b\n")
        os.setxattr(os.path.join(root, "plain"), "user.none", b"")
    except OSError:
        print("note: no user xattrs here", file=sys.stderr)


def content(archive, entry):
    """The file's bytes by the index alone."""
    with open(archive, "rb") as f:
        if not entry["sparse"]:
            f.seek(entry["data_offset"])
            return f.read(entry["size"])
        out = bytearray(entry["size"])
        for offset, length, at in entry.get("extents", []):
            f.seek(at)
            out[offset:offset + length] = f.read(length)
        return bytes(out)


def check(archive, entries, root, features):
    """`features`: what this format can hold: nsec, negative, xattr, sparse."""
    bad = []
    by_path = {e["path"]: e for e in entries}
    for path, e in by_path.items():
        full = os.path.join(root, path)
        st = os.lstat(full)
        def same(what, got, wanted):
            if got != wanted:
                bad.append(f"{path}: {what} is {got}, should be {wanted}")
        if e["type"] == TYPES["hard link"]:
            same("inode", os.lstat(os.path.join(root, e["link"])).st_ino, st.st_ino)
            continue
        kind = {0o100000: 0, 0o40000: 1, 0o120000: 2, 0o20000: 4, 0o60000: 5, 0o10000: 6}[st.st_mode & 0o170000]
        same("type", e["type"], kind)
        if kind != TYPES["symlink"]:
            same("mode", e["mode"], st.st_mode & 0o7777)
        same("uid", e["uid"], st.st_uid)
        same("gid", e["gid"], st.st_gid)
        if st.st_mtime_ns >= 0 or "negative" in features:
            same("mtime", e["mtime_sec"], st.st_mtime_ns // 10**9)
        if "nsec" in features and (st.st_mtime_ns >= 0 or "negative" in features):
            same("mtime ns", e["mtime_nsec"], st.st_mtime_ns % 10**9)
        if kind == TYPES["symlink"] and path not in features.get("cannot", set()):
            same("target", e["link"], os.readlink(full))
        if kind in (4, 5):
            same("rdev", e["rdev"], st.st_rdev)
        if kind == TYPES["regular"]:
            same("size", e["size"], st.st_size)
            with open(full, "rb") as f:
                if f.read() != content(archive, e):
                    bad.append(f"{path}: other content")
            if path == "sparse":
                same("sparse", e["sparse"], "sparse" in features)
        if "xattr" in features:
            xattrs = {n: os.getxattr(full, n, follow_symlinks=False).hex()
                      for n in os.listxattr(full, follow_symlinks=False) if n.startswith("user.")}
            got = {n: v for n, v in e.get("xattrs", {}).items() if n.startswith("user.")}
            same("xattrs", got, xattrs)
    expected = {os.path.relpath(os.path.join(d, n), root)
                for d, dirs, files in os.walk(root) for n in dirs + files}
    missing = expected - set(by_path) - features.get("cannot", set())
    extra = set(by_path) - expected - {""}
    if missing or extra:
        bad.append(f"missing {sorted(missing)}, extra {sorted(extra)}")
    return bad


def python_tar(fmt):
    def make(archive, root):
        with tarfile.open(archive, "w", format=fmt) as t:
            for d, dirs, files in sorted(os.walk(root)):
                for n in sorted(dirs + files):
                    full = os.path.join(d, n)
                    info = t.gettarinfo(full, os.path.relpath(full, root))
                    try:
                        with (open(full, "rb") if info.isreg() else open(os.devnull, "rb")) as f:
                            t.addfile(info, f if info.isreg() else None)
                    except ValueError:  # too long for ustar
                        continue
    return make


def command(*args):
    def make(archive, root):
        # ustar and v7 refuse what they cannot hold and write the rest.
        subprocess.run([*args, "-cf", archive, "-C", root, "."], check=False, stderr=subprocess.DEVNULL)
    return make


def formats():
    """(name, maker, features). Times before 1970 are not asked of writers that round or lose them."""
    long = {LONG, "zhardlong", os.path.dirname(LONG), os.path.dirname(os.path.dirname(LONG)), "longlink"}
    ustar = {"cannot": long | {"old", "exact", "blk", "d" * 100, "caf\u00e9 \u2603"}}
    pax = {"nsec": 1, "negative": 1}
    yield "gnu", command("tar", "--format=gnu"), {"negative": 1}
    yield "gnu sparse", command("tar", "--format=gnu", "--sparse"), {"negative": 1, "sparse": 1}
    yield "oldgnu sparse", command("tar", "--format=oldgnu", "--sparse"), {"negative": 1, "sparse": 1}
    yield "gnu ustar", command("tar", "--format=ustar"), ustar
    yield "gnu v7", command("tar", "--format=v7"), {"cannot": ustar["cannot"] | {"fifo", "null", "sticky"}}
    yield "gnu pax", command("tar", "--format=pax", "--xattrs"), {**pax, "xattr": 1}
    for version in ("0.0", "0.1", "1.0"):
        yield (f"gnu pax sparse {version}",
               command("tar", "--format=pax", "--sparse", f"--sparse-version={version}"), {**pax, "sparse": 1})
    yield "gnu pax global", command("tar", "--format=pax", "--pax-option=comment=x,globexthdr.name=g"), pax
    if shutil.which("bsdtar"):
        for f in ("ustar", "gnutar", "v7"):
            yield f"bsdtar {f}", command("bsdtar", f"--format={f}"), {
                "cannot": set() if f == "gnutar" else ustar["cannot"] | {"fifo", "null", "sticky"}}
        yield "bsdtar pax", command("bsdtar", "--format=pax", "--xattrs"), {"nsec": 1, "xattr": 1, "sparse": 1}
    yield "python gnu", python_tar(tarfile.GNU_FORMAT), {}
    yield "python ustar", python_tar(tarfile.USTAR_FORMAT), ustar
    yield "python pax", python_tar(tarfile.PAX_FORMAT), {"negative": 1}


def main():
    tar_list = sys.argv[1]
    failed = 0
    with tempfile.TemporaryDirectory() as work:
        root = os.path.join(work, "root")
        os.mkdir(root)
        make_tree(root)
        for name, make, features in formats():
            archive = os.path.join(work, "archive.tar")
            make(archive, root)
            bad = []
            outputs = []
            for step in ("1048576", "700"):  # arrival in other pieces must not matter
                run = subprocess.run([tar_list, archive, step], capture_output=True, text=True)
                if run.returncode != 0:
                    bad.append(run.stderr.strip())
                outputs.append(run.stdout)
            if outputs[0] != outputs[1]:
                bad.append("pieces matter")
            bad += check(archive, [json.loads(line) for line in outputs[0].splitlines()], root, features)
            print(f"{'FAIL' if bad else 'ok  '} {name}")
            for line in bad[:10]:
                print(f"     {line}")
            failed += bool(bad)
            os.unlink(archive)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
