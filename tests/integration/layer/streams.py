#!/usr/bin/env python3
"""gzip and zstd streams of every make, decompressed as a layer is and compared: all levels and strategies of zlib, flushes, stored
blocks, small windows, several members, all fields of the header; gzip, igzip, pigz and zopfli where they are installed. And
what must be refused: wrong checksums, lengths and header checksums, streams that stop, bytes behind the last member, large windows.

usage: streams.py INFLATE"""
import gzip
import itertools
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import zlib
from pathlib import Path

INFLATE = sys.argv[1]
CHANCE = random.Random(7)
FHCRC, FEXTRA, FNAME, FCOMMENT = 2, 4, 8, 16


def sample(size: int) -> bytes:
    """Text, zeros and noise in turns: all kinds of blocks."""
    out = bytearray()
    while len(out) < size:
        kind = CHANCE.randrange(3)
        out += (b"".join(b"line %d\n" % CHANCE.randrange(999) for _ in range(2000)), bytes(CHANCE.randrange(40000)),
                CHANCE.randbytes(20000))[kind]
    return bytes(out[:size])


def raw(data: bytes, level=6, strategy=zlib.Z_DEFAULT_STRATEGY, window=15, memory=8, flush=None) -> bytes:
    packer = zlib.compressobj(level, zlib.DEFLATED, -window, memory, strategy)
    if flush is None:
        return packer.compress(data) + packer.flush()
    out = b""
    for at in range(0, len(data), 7000):
        out += packer.compress(data[at:at + 7000]) + packer.flush(flush)
    return out + packer.flush()


def member(data: bytes, body: bytes | None = None, flags=0, wrong="", **how) -> bytes:
    header = struct.pack("<BBBBIBB", 31, 139, 8, flags, 0, 0, 3)
    if flags & FEXTRA:
        header += struct.pack("<H", 300) + bytes(range(256)) + bytes(44)
    if flags & FNAME:
        header += b"a name\0"
    if flags & FCOMMENT:
        header += b"c" * 5000 + b"\0"
    if flags & FHCRC:
        header += struct.pack("<H", zlib.crc32(header) & 0xffff ^ (wrong == "header"))
    trailer = struct.pack("<II", zlib.crc32(data) ^ (wrong == "checksum"), (len(data) + (wrong == "length")) & 0xffffffff)
    return header + (raw(data, **how) if body is None else body) + trailer


def tool(data: bytes, *command: str) -> bytes:
    return subprocess.run(command, input=data, stdout=subprocess.PIPE, check=True).stdout


def good_streams(data: bytes):
    for level in range(10):
        yield f"zlib level {level}", member(data, level=level), data
    for name in ("FILTERED", "HUFFMAN_ONLY", "RLE", "FIXED"):
        yield f"zlib Z_{name}", member(data, strategy=getattr(zlib, f"Z_{name}")), data
    for name in ("SYNC", "FULL"):  # what pigz and rsyncable streams are made of
        yield f"zlib Z_{name}_FLUSH", member(data, flush=getattr(zlib, f"Z_{name}_FLUSH")), data
    for window in (9, 12):
        yield f"window of 2^{window}", member(data, window=window, memory=1), data
    for count in range(5):
        for fields in itertools.combinations((FHCRC, FEXTRA, FNAME, FCOMMENT), count):
            yield f"header with fields {sum(fields)}", member(b"x" * 1000, flags=sum(fields)), b"x" * 1000
    yield "several members", b"".join(member(part, flags=FNAME) for part in (data[:5000], b"", data[5000:], b"")), data
    yield "an empty member", member(b""), b""
    yield "empty stored blocks", member(data, body=b"\0\0\0\xff\xff" * 1000 + raw(data)), data
    yield "python's gzip", gzip.compress(data), data
    for command in (["gzip", "-1"], ["gzip", "-6"], ["gzip", "-9"], ["igzip", "-0"], ["igzip", "-3"], ["pigz", "-1"], ["pigz", "-9"],
                    ["pigz", "-i", "-b", "32"], ["pigz", "-11"], ["zopfli", "--i1"]):
        if shutil.which(command[0]):
            yield " ".join(command), tool(data, *command, "-c"), data
    for options in (["-1"], ["-19"], ["--long=25"], ["--no-check"], ["--no-content-size"], ["-T2", "-B1MiB"]):
        yield "zstd " + " ".join(options), tool(data, "zstd", "-q", "-c", *options), data
    yield "frames of zstd", tool(data, "zstd", "-q", "-c") * 2, data * 2


def bad_streams(data: bytes):
    yield "flags that nobody knows", member(data, flags=32)
    for wrong in ("checksum", "length"):
        yield f"wrong {wrong}", member(data, wrong=wrong)
        yield f"wrong {wrong} in the second member", member(data) + member(data, wrong=wrong)
    yield "wrong checksum of the header", member(data, flags=FHCRC, wrong="header")
    whole = member(data)
    for size in (9, 11, 1000, len(whole) // 2, len(whole) - 9, len(whole) - 1):
        yield f"cut at {size}", whole[:size]
    for tail in (b"\0", bytes(512), b"garbage", b"\x1f", b"\x1f\x8b"):
        yield f"followed by {tail[:8]!r} ({len(tail)})", whole + tail
    yield "a block of the third kind", member(data, body=b"\x07" + raw(data))
    yield "a stored block that lies", member(data, body=b"\0\5\0\xff\xff" + raw(data))
    yield "a distance before the beginning", member(b"aaaa", body=b"\x4b\x04\x62\x00")
    for options in (["--long=26"], ["--long=27"], ["--ultra", "-22"]):
        yield f"the window of zstd {options}", tool(data, "zstd", "-q", "-c", *options)


def inflate(path: Path, step: int, piece: int) -> subprocess.CompletedProcess:
    return subprocess.run([INFLATE, path, str(step), str(piece)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, timeout=60)


def main() -> None:
    data = sample(400_000)
    path = Path(tempfile.mkdtemp(prefix="sbx-streams-")) / "stream"
    wrong, count = [], 0
    for name, stream, wanted in good_streams(data):
        path.write_bytes(stream)
        for step, piece in ((1 << 20, 1 << 18), (1, 5000), (4099, 1), (70_001, 999)):
            count += 1
            done = inflate(path, step, piece)
            if done.returncode != 0 or done.stdout != wanted:
                wrong.append(f"{name} in steps of {step}: {done.returncode} {done.stderr.decode()}")
    for name, stream in bad_streams(data):
        path.write_bytes(stream)
        for step in (1 << 20, 1, 4099):
            count += 1
            done = inflate(path, step, 1 << 18)
            if done.returncode != 1:
                wrong.append(f"{name} in steps of {step} is taken: {done.returncode} {done.stderr.decode()}")
    shutil.rmtree(path.parent)
    print("\n".join(wrong) or f"{count} streams: all as they should be")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
