"""Writes SIF files, the container format of apptainer and singularity, as github.com/apptainer/sif lays them out."""
import struct
from pathlib import Path

ARCHITECTURES = {"x86_64": "02", "aarch64": "04", "riscv64": "12", "ppc64le": "06", "s390x": "11"}
DEFFILE, PARTITION, JSON, OCI_INDEX = 0x4001, 0x4004, 0x4006, 0x400A
SQUASHFS, EXT3, ENCRYPTED = 1, 2, 5
SYSTEM, PRIMARY, DATA, OVERLAY = 1, 2, 3, 4
HEADER, DESCRIPTOR, DATA_OFFSET = 128, 585, 32768


def partition(data: bytes, architecture: str, file_system: int = SQUASHFS, kind: int = PRIMARY) -> dict:
    extra = struct.pack("<ii3s", file_system, kind, architecture.encode())
    return {"type": PARTITION, "name": "squashfs", "data": data, "extra": extra}


def write_sif(path: Path, parts: list[dict], version: str = "01", architecture: str = "00", total: int = 48) -> None:
    """Each part: type, name, data, extra (the bytes of its kind). Data begin at multiples of 4096, as apptainer puts them."""
    table, data, at = b"", b"", DATA_OFFSET
    for number, part in enumerate(parts, 1):
        table += struct.pack("<iBIIIqqqqqqq128s384s", part["type"], 1, number, 0xF0000001, 0, at, len(part["data"]),
                             len(part["data"]), 0, 0, 0, 0, part.get("name", "").encode(), part.get("extra", b""))
        padded = part["data"] + bytes(-len(part["data"]) % 4096)
        data, at = data + padded, at + len(padded)
    table = table.ljust(total * DESCRIPTOR, b"\0")
    header = struct.pack("<32s10s3s3s16sqqqqqqqq", b"#!/usr/bin/env run-singularity\n", b"SIF_MAGIC", version.encode(),
                         architecture.encode(), bytes(16), 0, 0, total - len(parts), total, HEADER, len(table), DATA_OFFSET,
                         len(data))
    assert len(header) == HEADER and len(table) == total * DESCRIPTOR
    Path(path).write_bytes((header + table).ljust(DATA_OFFSET, b"\0") + data)
