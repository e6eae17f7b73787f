"""Writes files for the fuzzer to begin from into FOLDER/READER: those of the tests' golden files, and small ones made here.

    python3 seeds.py FOLDER
"""

import base64
import gzip
import io
import json
import struct
import sys
import tarfile
import zipfile
from pathlib import Path

tests = Path(__file__).resolve().parents[1] / "Tests"
data = gzip.decompress((tests / "FoveaPicturesTests/Golden/pictures.bin.gz").read_bytes())
start = 4 + struct.unpack_from("<I", data)[0]
for case in json.loads(data[4:start])["decode"]:
    place, count = case["file"]
    folder = Path(sys.argv[1]) / case["name"].split()[0]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / str(place)).write_bytes(data[start + place:start + place + count])


def write(reader, name, content):
    folder = Path(sys.argv[1]) / reader
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def archive(members):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


for file in sorted((tests / "FoveaDatasetsTests/Golden").iterdir()):
    content = file.read_bytes()
    if file.name.endswith(".tar.gz"):
        write("tar", file.name, content)
        write("tar", file.stem, gzip.decompress(content))
    elif file.suffix in [".mat", ".arff"]:
        for reader in [file.suffix[1:], "svhn-" + file.suffix[1:]]:
            write(reader, file.name, content)

idx = struct.pack(">I3I", 0x00000803, 2, 3, 4) + bytes(range(24))
write("idx", "images", idx)
write("idx", "images.gz", gzip.compress(idx))
write("cifar-10", "batch", bytes([7]) + bytes(3072))
write("cifar-100", "batch", bytes([1, 40]) + bytes(3072))
batches = {f"cifar-10-batches-bin/data_batch_{n}.bin": bytes([n]) + bytes(3072) for n in range(1, 6)}
batches["cifar-10-batches-bin/test_batch.bin"] = bytes(3073)
batches["cifar-10-batches-bin/batches.meta.txt"] = b"\n".join(b"c%d" % n for n in range(10)) + b"\n"
write("cifar-archive", "archive.tar.gz", archive(batches))
write("cifar-archive", "archive.tar", gzip.decompress(archive(batches)))
samples = {"a.ppm": b"P6 1 1 255 abc", "a.cls": b"1", "b.ppm": b"P6 1 1 255 def", "b.cls": b"0\n"}
write("shard", "shard.tar", gzip.decompress(archive(samples)))
row = ",".join(["0"] * 3072 + ["3"])
columns = "".join(f"@attribute p{n} numeric\n" for n in range(3072))
write("svhn-arff", "rows", f"@relation r\n{columns}@attribute class numeric\n@data\n{row}\n{row}\n".encode())
write("openml", "description", json.dumps({"data_set_description": {
    "id": "41081", "name": "SVHN", "version": "1", "format": "ARFF", "licence": "Public",
    "url": "https://example.org/data/v1/download/1/SVHN.arff", "md5_checksum": "0" * 32}}).encode())

models = tests / "FoveaSavingTests/Fixtures"


def unchecked(content):
    """A ZIP archive whose stored members say that they have no checksum, so that it can be changed anywhere."""
    content = bytearray(content)
    place = content.find(b"PK\1\2")
    while place >= 0:
        method, = struct.unpack_from("<H", content, place + 10)
        local, = struct.unpack_from("<I", content, place + 42)
        if method == zipfile.ZIP_STORED:
            content[place + 16:place + 20] = content[local + 14:local + 18] = bytes(4)
        place = content.find(b"PK\1\2", place + 4)
    return bytes(content)


for cases in json.loads(gzip.decompress((models / "hdf5.json.gz").read_bytes())).values():
    for number, case in enumerate(cases):
        write("hdf5", f"{number} {case['name'].replace('/', ' ')}", base64.b64decode(case["file"]))
write("safetensors", "reference", (models / "reference.safetensors").read_bytes())
# Without its checksum.
write("fovea", "model", (models / "model.safetensors").read_bytes().replace(b"fovea.data_sha256", b"fovea.data_sha25x"))
for reader, folder, endings in [("keras", "Keras", [".keras", ".h5"]), ("pickle", "pytorch", [".pt", ".pth"]),
                                ("onnx", "ONNX", [".onnx"])]:
    for file in sorted((models / folder).iterdir()):
        if file.suffix in endings:
            content = file.read_bytes()
            write(reader, file.name, unchecked(content) if content.startswith(b"PK") else content)
for compression in [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        file.writestr("metadata.json", "{}")
        file.writestr("data/0", bytes(1000))
    write("zip", str(compression), buffer.getvalue())
