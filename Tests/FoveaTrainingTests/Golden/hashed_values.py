"""Numbers made from an integer hash, so that a test can rebuild them bit for bit.

With 64-bit unsigned arithmetic that wraps around:

    splitmix64(x): z = x + 0x9E3779B97F4A7C15
                   z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9
                   z = (z ^ (z >> 27)) * 0x94D049BB133111EB
                   return z ^ (z >> 31)

    fraction(stream, i)     = Double(splitmix64(stream * 2^32 + i) >> 40) / 2^24
    value(stream, i, scale) = Float((fraction(stream, i) * 2 - 1) * Double(scale))
    unit(stream, i)         = Float(fraction(stream, i))

`scale` is rounded to float32 first, so the product is exact in float64 and is rounded once. `value` is in
[-scale, scale), `unit` in [0, 1). An array is filled in row-major order with i = 0, 1, 2, ...
"""

import json

import numpy as np


def splitmix64(x):
    x = np.asarray(x, np.uint64)
    with np.errstate(over="ignore"):
        z = x + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return z ^ (z >> np.uint64(31))


def _fractions(stream, shape):
    count = int(np.prod(shape))
    index = np.uint64(stream << 32) + np.arange(count, dtype=np.uint64)
    return (splitmix64(index) >> np.uint64(40)).astype(np.float64).reshape(shape) / 2.0**24


def value(stream, shape, scale=1.0):
    return ((_fractions(stream, shape) * 2 - 1) * float(np.float32(scale))).astype(np.float32)


def unit(stream, shape):
    return _fractions(stream, shape).astype(np.float32)


def number(x):
    """Nine significant digits: enough to name a float32 exactly. Zero loses its sign."""
    return float(f"{float(x):.9g}") + 0.0


def numbers(array):
    """All elements in row-major order."""
    return [number(x) for x in np.asarray(array).ravel()]


def difference(a, b):
    """The largest absolute difference relative to the largest magnitude of `b`."""
    a, b = np.asarray(a, np.float64), np.asarray(b, np.float64)
    if a.shape != b.shape:
        raise ValueError(f"shapes {a.shape} and {b.shape} differ")
    largest = np.abs(b).max()
    return float(np.abs(a - b).max() / largest) if largest > 0 else float(np.abs(a).max())


def require_agreement(what, a, b, tolerance):
    found = difference(a, b)
    if not found <= tolerance:
        raise SystemExit(f"{what}: the frameworks differ by {found:.3g}, allowed is {tolerance:.3g}")
    return found


def write_json(path, document):
    """Writes `document` with one line for each list of numbers and each object deep inside: it diffs well."""

    def text(node, depth):
        compact = json.dumps(node, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
        indent, outer = "  " * (depth + 1), "  " * depth
        if isinstance(node, dict) and depth < 3:
            lines = [f"{indent}{json.dumps(key)}: {text(child, depth + 1)}" for key, child in node.items()]
            return "{\n" + ",\n".join(lines) + f"\n{outer}}}"
        if isinstance(node, list) and node and isinstance(node[0], (dict, str)):
            lines = [indent + text(child, depth + 1) for child in node]
            return "[\n" + ",\n".join(lines) + f"\n{outer}]"
        return compact

    content = text(document, 0) + "\n"
    with open(path, "w", encoding="utf-8") as file:
        file.write(content)
    print(f"{path.name}: {len(content) / 1024:.1f} KiB")


def recipe_check():
    """A few numbers by which a test can see that its own recipe is right, before anything else fails."""
    return {
        "splitmix64_of_0": str(int(splitmix64(0))), "splitmix64_of_2^32+1": str(int(splitmix64(2**32 + 1))),
        "value_stream_1_scale_0.05": numbers(value(1, (4,), 0.05)), "unit_stream_0": numbers(unit(0, (4,)))}
