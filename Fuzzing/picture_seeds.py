"""Writes the picture files of the tests' golden file into FOLDER/jpeg, FOLDER/png and so on, to begin from.

    python3 picture_seeds.py FOLDER
"""

import gzip
import json
import struct
import sys
from pathlib import Path

golden = Path(__file__).resolve().parents[1] / "Tests/FoveaDatasetsTests/Golden/pictures.bin.gz"
data = gzip.decompress(golden.read_bytes())
start = 4 + struct.unpack_from("<I", data)[0]
for case in json.loads(data[4:start])["decode"]:
    place, count = case["file"]
    folder = Path(sys.argv[1]) / case["name"].split()[0]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / str(place)).write_bytes(data[start + place:start + place + count])
