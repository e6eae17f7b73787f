"""Writes small files in the formats of published data sets, and readers.json with what they hold.

Run with NumPy and SciPy installed: python make_files.py

    *.mat    SciPy's savemat, packed and not; big_endian.mat is written by hand. Read back by loadmat.
    *.arff   written by hand, read back by SciPy's loadarff where it reads them.
    *.tar.gz Python's tarfile in its three formats, with a name of 142 characters.

The digits' pixel at row r, column c, channel k of image n is (7 r + 13 c + 31 k + 17 n) mod 256.
"""

import gzip
import io
import json
import struct
import tarfile
from pathlib import Path

import numpy as np
import scipy.sparse
from scipy.io import arff, loadmat, savemat

HERE = Path(__file__).resolve().parent


def flat(array):
    """Elements with the first index fastest."""
    return np.asarray(array).reshape(-1, order="F").astype(float).tolist()


def digits(count):
    r, c, k, n = np.indices((32, 32, 3, count))
    return ((7 * r + 13 * c + 31 * k + 17 * n) % 256).astype(np.uint8)


def numbers():
    values = {
        "f64": np.array([[1.5, -2.25, 1e300], [0, 3, -7]]),
        "whole": np.array([[1.0, 2, 3], [4, 5, 250]]),  # stored as uint8
        "f32": np.array([[0.5], [np.pi]], np.float32),
        "i8": np.array([[-128, 127, 3]], np.int8),
        "u8": np.arange(12, dtype=np.uint8).reshape(2, 3, 2),
        "one": np.array([[200]], np.uint8),  # fits into its tag
        "i16": np.array([[-32768, 32767, 5]], np.int16),
        "u16": np.array([[65535, 1]], np.uint16),
        "i32": np.array([[-(2**31), 2**31 - 1]], np.int32),
        "u32": np.array([[2**32 - 1, 7]], np.uint32),
        "i64": np.array([[-(2**40), 3]], np.int64),
        "u64": np.array([[2**50, 3]], np.uint64),
        "empty": np.zeros((0, 3)),
    }
    others = {
        "text": "a text",
        "cell": np.array([1, "two"], dtype=object),
        "record": {"a": 1, "b": [1, 2]},
        "complex": np.array([[1 + 2j, 3]]),
        "sparse": scipy.sparse.csc_matrix(np.eye(3)),
    }
    return values, others


def big_endian(name, array):
    """A matrix of int16, of the class double, in the other byte order."""

    def part(kind, data):
        return struct.pack(">II", kind, len(data)) + data + bytes(-len(data) % 8)

    body = part(6, struct.pack(">II", 6, 0))
    body += part(5, struct.pack(f">{array.ndim}i", *array.shape))
    body += struct.pack(">HH4s", len(name), 1, name.encode().ljust(4, b"\0"))
    body += part(3, np.asarray(array).astype(">i2").tobytes(order="F"))
    header = b"MATLAB 5.0 MAT-file, written by hand".ljust(124) + struct.pack(">H2s", 0x0100, b"MI")
    return header + struct.pack(">II", 14, len(body)) + body


def archive(form):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as tar:
        folder = tarfile.TarInfo("set")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        long = "./set/" + 70 * "x" + "/" + 61 * "y" + ".bin"
        for name, data in [("set/first.txt", b"one\n"), (long, bytes(range(256)) * 3), ("set/empty", b"")]:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return gzip.compress(stream.getvalue(), mtime=0)


DENSE = """% made by hand
@RELATION 'a relation'

@attribute width numeric
@ATTRIBUTE "the colour" {red, 'dark blue' ,"it\\'s"}
@attribute 'height in cm' REAL
@attribute count\tinteger
@data
% a comment
1,red,2.5,3
-1.25e2, 'dark blue' ,?,0

?,"it's",.5,-4
"""

SPARSE = """@relation sparse
@attribute a numeric
@attribute b {x,y,z}
@attribute c numeric
@data
{0 1.5, 2 -3}
{}
{1 z,2 7}
{ 1 'y' }
"""


def main():
    values, others = numbers()
    for name, packed in [("numbers.mat", False), ("numbers_packed.mat", True)]:
        savemat(HERE / name, {**others, **values}, do_compression=packed)
        loadmat(HERE / name)
    for name, packed in [("digits.mat", False), ("digits_packed.mat", True)]:
        savemat(HERE / name, {"X": digits(2), "y": np.array([[10], [3]], np.uint8)}, do_compression=packed)
    (HERE / "big_endian.mat").write_bytes(big_endian("x", np.array([[1, -2, 3], [4, 5, -600]])))
    big = loadmat(HERE / "big_endian.mat")["x"]

    (HERE / "dense.arff").write_text(DENSE)
    (HERE / "sparse.arff").write_text(SPARSE)
    # SciPy knows no quotes in values and no spaces beside commas.
    simpler = DENSE
    for ours, theirs in [
        ("'dark blue'", "blue"), ('"it\\\'s"', "its"), ('"it\'s"', "its"), ('"', "'"), (" ,", ","), (", ", ","),
    ]:
        simpler = simpler.replace(ours, theirs)
    dense, _ = arff.loadarff(io.StringIO(simpler))

    for name, form in [("ustar", tarfile.USTAR_FORMAT), ("gnu", tarfile.GNU_FORMAT), ("pax", tarfile.PAX_FORMAT)]:
        (HERE / f"{name}.tar.gz").write_bytes(archive(form))

    expected = {
        "numbers": {name: {"extents": list(array.shape), "elements": flat(array)} for name, array in values.items()},
        "others": sorted(others),
        "bigEndian": {"extents": list(big.shape), "elements": flat(big)},
        "dense": {
            name: [None if isinstance(v, float) and np.isnan(v) else v for v in dense[name].tolist()]
            for name in ("width", "height in cm", "count")
        },
        "colours": [["red", "blue", "its"].index(value.decode()) for value in dense["the colour"].tolist()],
    }
    (HERE / "readers.json").write_text(json.dumps(expected, indent=1) + "\n")


if __name__ == "__main__":
    main()
