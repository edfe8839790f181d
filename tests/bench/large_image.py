"""An image of three layers, about 500 MB and 30,000 files, of what lies below /usr of this machine, with gzip and with zstd
layers; made once and kept. So it differs from machine to machine, and on one machine stays what it is."""
import hashlib
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from oci_writer import Layout, MEDIA  # noqa: E402


class Part(NamedTuple):
    """A layer: what lies below the folders, in the order of the alphabet, until it is large enough."""
    folders: tuple[str, ...]
    bytes: int
    files: int
    largest: int  # files above this many bytes are left out


PARTS = (Part(("bin", "lib/x86_64-linux-gnu", "lib/aarch64-linux-gnu", "lib/gcc"), 200 << 20, 4000, 32 << 20),
         Part(("share",), 210 << 20, 22000, 1 << 20),
         Part(("include", "lib/python3", "lib/python3.11", "share/doc"), 110 << 20, 12000, 1 << 20))
PACKERS = {"gzip": ["gzip", "-6", "-n", "-c"], "zstd": ["zstd", "-q", "-3", "-c"]}


def write_layer(part: Part, path: Path) -> int:
    """Returns the number of its regular files."""
    size = files = 0
    seen = set()
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for folder in part.folders:
            for root, folders, names in os.walk(f"/usr/{folder}"):
                folders.sort()
                archive.add(root, root[1:], recursive=False, filter=as_root)
                for name in sorted(names):
                    source = f"{root}/{name}"
                    if source in seen or not os.access(source, os.R_OK) or os.path.getsize(source) > part.largest:
                        continue
                    seen.add(source)
                    archive.add(source, source[1:], recursive=False, filter=as_root)
                    files += not os.path.islink(source)
                    size += os.lstat(source).st_size
                    if size >= part.bytes or files >= part.files:
                        return files
    return files


def as_root(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = "root"
    info.mtime = 1600000000
    return info


def digest_of(path: Path) -> str:
    with open(path, "rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()


def make(folder: Path) -> dict:
    """Two layouts, folder/gzip and folder/zstd with the reference `large`. Returns what they hold: raw and packed bytes, files,
    and the blobs of the layers in their order."""
    about = folder / "about.json"
    if about.exists():
        return json.loads(about.read_text())
    folder.mkdir(parents=True, exist_ok=True)
    tars = [folder / f"{number}.tar" for number in range(len(PARTS))]
    told: dict = {"files": sum(write_layer(part, path) for part, path in zip(PARTS, tars)),
                  "raw": sum(path.stat().st_size for path in tars), "packed": {}, "blobs": {}}
    for kind, command in PACKERS.items():
        layout = Layout(folder / kind)
        layers = []
        for tar in tars:
            packed = folder / "packed"
            with open(tar, "rb") as source, open(packed, "wb") as sink:
                subprocess.run(command, stdin=source, stdout=sink, check=True)
            digest = digest_of(packed)
            layers.append({"mediaType": f"{MEDIA}layer.v1.tar+{kind}", "digest": digest, "size": packed.stat().st_size})
            packed.rename(layout.path(digest))
        layout.index(large=layout.manifest(layout.config([digest_of(tar) for tar in tars]), layers))
        told["packed"][kind] = sum(each["size"] for each in layers)
        told["blobs"][kind] = [each["digest"] for each in layers]
    for tar in tars:
        tar.unlink()
    about.write_text(json.dumps(told))
    return told
