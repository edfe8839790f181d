"""Writes OCI layouts blob by blob, right or wrong, for the tests of what sbx must refuse."""
import gzip
import hashlib
import io
import json
import platform
import subprocess
import tarfile
from pathlib import Path

MEDIA = "application/vnd.oci.image."
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def tar(*entries: dict) -> bytes:
    """Each entry: name, and perhaps kind, data, mode, link."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for entry in entries:
            info = tarfile.TarInfo(entry["name"])
            data = entry.get("data", b"")
            info.type, info.mode = entry.get("kind", tarfile.REGTYPE), entry.get("mode", 0o755)
            info.linkname, info.size = entry.get("link", ""), len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


class Layout:
    """A folder that is an OCI layout. Methods return descriptors; index() names them."""

    def __init__(self, folder: Path):
        self.folder = folder
        (folder / "blobs/sha256").mkdir(parents=True)
        (folder / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')

    def path(self, name: str) -> Path:
        return self.folder / "blobs/sha256" / name.removeprefix("sha256:")

    def blob(self, data: bytes, media_type: str) -> dict:
        self.path(digest(data)).write_bytes(data)
        return {"mediaType": MEDIA + media_type, "digest": digest(data), "size": len(data)}

    def layer(self, data: bytes, compression: str = "gzip") -> dict:
        if compression == "plain":
            return self.blob(data, "layer.v1.tar")
        if compression == "zstd":
            packed = subprocess.run(["zstd", "-q", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout
            return self.blob(packed, "layer.v1.tar+zstd")
        return self.blob(gzip.compress(data, mtime=0), "layer.v1.tar+gzip")

    def config(self, diff_ids: list[str], architecture: str = "", **settings) -> dict:
        document = {"architecture": architecture or ARCHITECTURES[platform.machine()], "os": "linux", "config": settings,
                    "rootfs": {"type": "layers", "diff_ids": diff_ids}}
        return self.blob(json.dumps(document).encode(), "config.v1+json")

    def manifest(self, config: dict, layers: list[dict]) -> dict:
        document = {"schemaVersion": 2, "mediaType": MEDIA + "manifest.v1+json", "config": config, "layers": layers}
        return self.blob(json.dumps(document).encode(), "manifest.v1+json")

    def nested_index(self, manifests: list[dict]) -> dict:
        document = {"schemaVersion": 2, "mediaType": MEDIA + "index.v1+json", "manifests": manifests}
        return self.blob(json.dumps(document).encode(), "index.v1+json")

    def index(self, **named: dict) -> None:
        """reference=descriptor, ..."""
        manifests = [{**descriptor, "annotations": {"org.opencontainers.image.ref.name": name}} for name, descriptor in named.items()]
        (self.folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": manifests}))

    def image(self, *tars: bytes, compression: str = "gzip", **settings) -> dict:
        """A right image of these layers."""
        return self.manifest(self.config([digest(each) for each in tars], **settings),
                             [self.layer(each, compression) for each in tars])
