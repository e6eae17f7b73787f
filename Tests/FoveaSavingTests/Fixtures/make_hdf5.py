"""Writes hdf5.json.gz: HDF5 files by h5py, what h5py reads in them, and files with what Fovea refuses.

    pip install h5py ml_dtypes
    python3 make_hdf5.py
"""

import base64
import gzip
import io
import json
import tempfile
from pathlib import Path

import h5py
import ml_dtypes
import numpy as np

folder = Path(tempfile.mkdtemp())


def sample(file):
    """Numbers of every type, odd shapes, and attributes of every kind."""
    group = file.create_group("model_weights")
    # With more than eight members newer versions store a group in another way.
    for name in ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]:
        group[name if name == "f4" else f"{name[0]}/{name}"] = (np.arange(6).reshape(2, 3) * 3 - (4 if name[0] != "u" else 0)).astype("<" + name)
    group["bool"] = np.array([True, False, True])
    group["bfloat16"] = np.array([1, -2.5, np.nan], ml_dtypes.bfloat16)
    group["bfloat16"].attrs["dtype"] = "bfloat16"
    group["bfloat16"].attrs["other"] = 7
    nested = group.create_group("layer/with:0/ünïcode")
    nested["scalar"] = np.float32(0.1)
    nested["empty"] = np.zeros((0,), "<f4")
    nested["hollow"] = np.zeros((3, 0, 2), "<f8")
    nested["line"] = np.arange(5, dtype="<f4")
    file.create_group("no members")
    file.attrs["model_config"] = json.dumps({"text": "ä🦊" * 40, "list": list(range(99))})
    file.attrs["fixed"] = np.bytes_("backend")
    file.attrs["empty text"] = ""
    group.attrs["layer_names"] = ["conv2d", "größe", ""]
    group.attrs["fixed_names"] = np.array([b"a", b"bcdefg"], "S7")
    group.attrs["no_names"] = []
    group.attrs["array"] = np.arange(4, dtype="<f4").reshape(2, 2)
    group.attrs["truth"] = True


def padded(file):
    for name, padding in [("nul", h5py.h5t.STR_NULLTERM), ("zeros", h5py.h5t.STR_NULLPAD), ("spaces", h5py.h5t.STR_SPACEPAD)]:
        kind = h5py.h5t.C_S1.copy()
        kind.set_size(8)
        kind.set_strpad(padding)
        space = h5py.h5s.create(h5py.h5s.SCALAR)
        attribute = h5py.h5a.create(file.id, name.encode(), kind, space)
        attribute.write(np.array(b"a b", "S8"), kind)


def compact(file):
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_layout(h5py.h5d.COMPACT)
    space = h5py.h5s.create_simple((3,))
    dataset = h5py.h5d.create(file.id, b"compact", h5py.h5t.IEEE_F32LE, space, properties)
    dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, np.array([1, 2, 3], "<f4"))


def many(file):
    """More members than a node of the tree has places for, and than one level has."""
    for i in range(330):
        file.create_group(f"member_{i:03}")


def long_attributes(file):
    """More than one block of an object header holds, and a text that fits in none."""
    file["data"] = np.arange(2, dtype="<i4")
    for i in range(30):
        file["data"].attrs[f"attribute {i}"] = i
    file.attrs["long"] = "0123456789" * 7000
    file.attrs["names"] = [f"name {i}" for i in range(300)]


def few(file):
    for name in ["b", "a", "c"]:
        file.create_group(name, track_order=True).attrs[name] = name
        file[name]["z"] = np.ones(2, "<f4")
        file[name]["y"] = np.zeros(2, "<f4")


accepted = {
    "earliest": (sample, {}),
    "earliest to v110": (sample, {"libver": ("earliest", "v110")}),
    "latest": (sample, {"libver": "latest"}),
    "v108": (sample, {"libver": ("v108", "v108")}),
    "in order": (few, {"track_order": True}),
    "in order, latest": (few, {"track_order": True, "libver": "latest"}),
    "padded": (padded, {}),
    "compact": (compact, {}),
    "compact, latest": (compact, {"libver": "latest"}),
    "many": (many, {}),
    "long attributes": (long_attributes, {}),
    "nothing": (lambda file: None, {}),
    "nothing, latest": (lambda file: None, {"libver": "latest"}),
}


def dataset(**arguments):
    return lambda file: file.create_dataset("group/data", **{"data": np.arange(64, dtype="<f4"), **arguments})


def twice(file):
    file["a"] = np.zeros(2)
    file["b"] = file["a"]


def cycle(file):
    file.create_group("a")["b"] = file["/"]


def members(count):
    return lambda file: [file.create_group(str(i)) for i in range(count)]


def external(file):
    file.create_dataset("data", (4,), "<f4", external=[("other.bin", 0, 16)])


def virtual(file):
    layout = h5py.VirtualLayout((4,), "<f4")
    layout[:] = h5py.VirtualSource("other.h5", "data", (4,))
    file.create_virtual_dataset("data", layout)


def attribute(value):
    return lambda file: file.attrs.__setitem__("odd", value(file) if callable(value) else value)


def member(value):
    return lambda file: file.__setitem__("group/data", value)


def unwritten(file):
    file.create_dataset("group/data", (4,), "<f4")


refused = {
    "chunks": (dataset(chunks=(8,)), {}, "'group/data': its data are in chunks"),
    "chunks, latest": (dataset(chunks=(8,)), {"libver": "latest"}, "chunks"),
    "gzip": (dataset(compression="gzip"), {}, "compressed or filtered (gzip)"),
    "LZF": (dataset(compression="lzf"), {}, "compressed or filtered (LZF)"),
    "shuffle": (dataset(compression="gzip", shuffle=True), {}, "compressed or filtered (shuffled)"),
    "big-endian floats": (dataset(data=np.zeros(3, ">f4")), {}, "big-endian"),
    "big-endian integers": (dataset(data=np.zeros(3, ">i4")), {}, "big-endian"),
    "compound": (dataset(data=np.zeros(3, "<f4,<i4")), {}, "compounds"),
    "complex": (dataset(data=np.zeros(3, "<c8")), {}, "compounds"),
    "texts": (member(["a", "b"]), {}, "texts where Fovea reads only numbers"),
    "texts of one length": (member(np.array([b"a"])), {}, "texts where Fovea reads only numbers"),
    "sequences": (lambda file: file.create_dataset("d", (2,), h5py.vlen_dtype("<i4")), {}, "varying length"),
    "enumeration": (lambda file: file.create_dataset("d", (2,), h5py.enum_dtype({"A": 0, "B": 1})), {}, "enumeration"),
    "opaque": (dataset(data=np.zeros(3, "V2")), {}, "opaque"),
    "opaque of four": (dataset(data=np.zeros(3, "V4")), {}, "opaque"),
    "named type": (lambda file: file.__setitem__("t", np.dtype("<f4")), {}, "named data type"),
    "soft link": (member(h5py.SoftLink("/other")), {}, "'group': its member \"data\" is a soft link"),
    "soft link, latest": (member(h5py.SoftLink("/other")), {"libver": "latest"}, "is a soft link"),
    "external link": (member(h5py.ExternalLink("other.h5", "/")), {}, "is a link to another file"),
    "two names": (twice, {}, "'b': it is another object, too"),
    "cycle": (cycle, {}, "'a/b': it is another object, too"),
    "external data": (external, {}, "in other files"),
    "virtual": (virtual, {}, "virtual"),
    "unwritten": (unwritten, {}, "never written"),
    "many, latest": (members(20), {"libver": "latest"}, "many members"),
    "many in order": (members(20), {"track_order": True}, "many members"),
    "attributes, latest": (
        lambda file: [file.attrs.__setitem__(str(i), i) for i in range(20)], {"libver": "latest"}, "many attributes"),
    "reference": (attribute(lambda file: file.ref), {}, "attribute \"odd\": it has references"),
    "table of texts": (attribute([["a", "b"], ["c", "d"]]), {}, "texts in 2 dimensions"),
    "user block": (lambda file: None, {"userblock_size": 512}, "no HDF5 file"),
}


def written(make, options):
    path = folder / "file.h5"
    with h5py.File(path, "w", **options) as file:
        make(file)
    return path


def value(data):
    """Type, shape and little-endian bytes; or texts."""
    if isinstance(data, (str, bytes)):
        return {"text": data.decode() if isinstance(data, bytes) else data}
    data = np.asarray(data)
    if data.dtype.kind in "OS":
        return {"texts": [text.decode() if isinstance(text, bytes) else text for text in data.tolist()]}
    return {"type": data.dtype.name, "shape": list(data.shape), "bytes": base64.b64encode(data.tobytes()).decode()}


def attributes(object, hidden=()):
    return [{"name": name, **value(data)} for name, data in sorted(object.attrs.items()) if name not in hidden]


def objects(group, path=""):
    found = [{"path": path, "attributes": attributes(group)}]
    for name in sorted(group):
        member, place = group[name], f"{path}/{name}" if path else name
        if isinstance(member, h5py.Group):
            found += objects(member, place)
        else:
            data = member[()]
            if member.dtype.kind == "V":
                data = data.view(ml_dtypes.bfloat16)
            hidden = ["dtype"] if member.dtype.kind == "V" else []
            found.append({"path": place, "data": value(data), "attributes": attributes(member, hidden)})
    return found


def encoded(path):
    return base64.b64encode(path.read_bytes()).decode()


golden = {"accepted": [], "refused": []}
for name, (make, options) in accepted.items():
    path = written(make, options)
    with h5py.File(path) as file:
        found = objects(file)
    golden["accepted"].append({"name": name, "file": encoded(path), "objects": found})
for name, (make, options, problem) in refused.items():
    golden["refused"].append({"name": name, "file": encoded(written(make, options)), "problem": problem})
content = json.dumps(golden).encode()
Path(__file__).with_name("hdf5.json.gz").write_bytes(gzip.compress(content, mtime=0))
