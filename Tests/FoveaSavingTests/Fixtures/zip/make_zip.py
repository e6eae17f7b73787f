"""Archives of Python's zipfile for ZIPArchiveTests.swift: python3 make_zip.py"""

import os
import zipfile

os.chdir(os.path.dirname(os.path.abspath(__file__)))
MEMBERS = [
    ("metadata.json", b'{"a": 1}'),
    ("weights/größe.bin", bytes(i // 7 % 256 for i in range(5000))),
    ("weights/none", b""),
]


def info(name):
    return zipfile.ZipInfo(name, (2024, 5, 6, 7, 8, 10))


def write(path, method, zip64=False):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, contents in MEMBERS:
            entry = info(name)
            entry.compress_type = method
            with archive.open(entry, "w", force_zip64=zip64) as member:
                member.write(contents)


write("stored.zip", zipfile.ZIP_STORED)
write("deflated.zip", zipfile.ZIP_DEFLATED)
write("zip64.zip", zipfile.ZIP_STORED, zip64=True)

with zipfile.ZipFile("bomb.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
    archive.writestr(info("zeros"), bytes(20_000_000), zipfile.ZIP_DEFLATED)
