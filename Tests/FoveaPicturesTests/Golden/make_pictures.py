"""Writes pictures.bin.gz: small picture files with the pixels that Pillow decodes, and pictures in other sizes.

Run with NumPy, Pillow and Keras on TensorFlow installed: KERAS_BACKEND=tensorflow python3 make_pictures.py

The unpacked file is the length of a JSON text as a little-endian 32-bit number, the text, and a block of bytes in which
the text names parts by [start, count].

    decode   a file, options, and Pillow's pixels: exif_transpose, then convert to "L" or "RGB"; on a background, pasted
             with its alpha as mask; atLeast as draft does. 16-bit grey is the upper byte, by NumPy.
    resize   Image.resize of Pillow 13, which takes columns before rows where the height shrinks much more.
    plain    keras.ops.image.resize without antialiasing, clamped to 0...255, in 1/256 as 16-bit numbers.
    encode   pixels that a JPEG file written by Pillow decodes to.
"""

import base64
import gzip
import io
import json
import os
import struct
import zlib
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras
import numpy as np
from PIL import Image, ImageOps

blob = bytearray()
parts = {}
cases = {"decode": [], "resize": [], "plain": [], "encode": []}


def part(data):
    data = bytes(data)
    if data not in parts:
        parts[data] = [len(blob), len(data)]
        blob.extend(data)
    return parts[data]


def scene(height, width, channels=3, seed=1):
    """Slopes, an edge and noise, so that mistakes in places and weights show."""
    noise = np.random.default_rng(seed).integers(-20, 21, (height, width, channels))
    y, x = np.mgrid[0:height, 0:width]
    levels = [40 + 180 * x / width, 220 - 170 * y / height, 60 + 150 * ((x + 2 * y) % 23 < 9), 255 * (x < y)]
    return np.clip(np.stack(levels[:channels], -1) + noise, 0, 255).astype(np.uint8)


def saved(image, format, **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def pixels(array):
    array = np.asarray(array)
    array = array[..., None] if array.ndim == 2 else array
    return {"shape": list(array.shape), "pixels": part(np.ascontiguousarray(array).tobytes())}


GREY = ("1", "L", "LA", "I", "I;16")


def opened(data, at_least=None):
    image = Image.open(io.BytesIO(data))
    if at_least:
        image.draft(image.mode, (at_least[1], at_least[0]))
    return ImageOps.exif_transpose(image)


def decode(name, data, channels=None, background=None, at_least=None, expected=None):
    if expected is None:
        image = opened(data, at_least)
        # Pillow opens grey of 16 bits with alpha as RGBA.
        stored = 1 if image.mode in GREY or data.startswith(b"\x89PNG") and data[25] == 4 else 3
        if background:
            rgba = image.convert("RGBA")
            mode = "L" if stored == 1 and channels != 3 else "RGB"
            canvas = Image.new("RGB", image.size, tuple(background)).convert(mode)
            canvas.paste(rgba.convert(mode), mask=rgba.getchannel("A"))
            image = canvas
        expected = np.asarray(image.convert("L" if (channels or stored) == 1 else "RGB"))
    cases["decode"].append({"name": name, "file": part(data), "channels": channels, "background": background,
                            "atLeast": at_least, **pixels(expected)})


def jpeg():
    color, grey = Image.fromarray(scene(23, 37)), Image.fromarray(scene(21, 30, 1)[..., 0])
    for sampling in ("4:4:4", "4:2:2", "4:2:0"):
        decode(f"jpeg {sampling}", saved(color, "JPEG", subsampling=sampling))
    decode("jpeg to grey", saved(color, "JPEG", quality=90), channels=1)
    decode("jpeg progressive", saved(color, "JPEG", progressive=True))
    decode("jpeg restarts", saved(color, "JPEG", restart_marker_blocks=1))
    decode("jpeg stored RGB", saved(color, "JPEG", keep_rgb=True))
    for channels in (None, 3):
        decode("jpeg grey", saved(grey, "JPEG"), channels)
    decode("jpeg grey progressive", saved(grey, "JPEG", progressive=True))
    cmyk = Image.fromarray(scene(19, 22, 4), "CMYK")
    for channels in (None, 1):
        decode("jpeg CMYK", saved(cmyk, "JPEG", quality=95), channels)
    data = bytearray(saved(cmyk, "JPEG", quality=95))
    data[data.index(b"Adobe") + 11] = 2  # the transformation: YCCK
    decode("jpeg YCCK", data)
    whole = saved(color, "JPEG")
    decode("jpeg with idle bytes before its end", whole[:-2] + b"\x12\x34\x56" + whole[-2:],
           expected=np.asarray(opened(whole)))
    # libjpeg with arith_code, sequential and progressive.
    for name, data in ARITHMETIC.items():
        decode(name, base64.b64decode(data))
    large = Image.fromarray(scene(45, 58))
    for least in ([5, 7], [6, 7], [11, 14], [11, 15], [22, 29], [23, 29]):
        decode(f"jpeg at least {least}", saved(large, "JPEG"), at_least=least)
    decode("jpeg progressive at least", saved(large, "JPEG", progressive=True), at_least=[10, 9])
    decode("jpeg grey at least", saved(large.convert("L"), "JPEG"), at_least=[5, 5])


def orientations():
    image = Image.fromarray(scene(9, 14))
    for code in range(1, 9):
        exif = Image.Exif()
        exif[0x010F] = "Maker"
        exif[0x0112] = code
        decode(f"jpeg orientation {code}", saved(image, "JPEG", exif=exif))
        little = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0" + struct.pack("<HHI", code, 0, 0)
        assert exif.tobytes().startswith(b"Exif\0\0MM\0*")
        decode(f"jpeg orientation {code} little-endian", saved(image, "JPEG", exif=little))
        decode(f"png orientation {code}", saved(image, "PNG", exif=exif))
        decode(f"webp orientation {code}", saved(image, "WEBP", lossless=True, exif=exif))
    exif[0x0112] = 6
    decode("jpeg turned, at least", saved(Image.fromarray(scene(20, 32)), "JPEG", exif=exif), at_least=[10, 8])
    for wrong in (b"Exif\0\0", b"Exif\0\0II*\0\xff\xff\xff\xff", b"Exif\0\0MM\0*\0\0\0\x08\xff\xff"):
        decode("jpeg with unreadable EXIF data", saved(image, "JPEG", exif=wrong),
               expected=np.asarray(Image.open(io.BytesIO(saved(image, "JPEG")))))


def other_orientations():
    """Orientation in other places than the usual one, and in several."""
    image = Image.fromarray(scene(9, 14))

    def exif(*entries, prefix=b"Exif\0\0II*\0"):
        """A directory of (tag, type, count, value)."""
        return prefix + struct.pack("<IH", 8, len(entries)) + b"".join(struct.pack("<HHII", *e) for e in entries)

    def xmp(code, form='<rdf:Description tiff:Orientation="%d"/>'):
        return ("<x:xmpmeta xmlns:x='adobe:ns:meta/'>tiff:Orientation 3 " + form % code + "</x:xmpmeta>").encode()

    def profile(data):
        """As ImageMagick writes it."""
        lines = [data.hex()[i:i + 72] for i in range(0, 2 * len(data), 72)]
        return f"\nexif\n{len(data):8}\n" + "\n".join(lines) + "\n"

    def png(name, chunks=(), behind=(), **options):
        """`chunks` stand before the pixels."""
        data = saved(image, "PNG", **options)
        place = data.index(b"IDAT") - 4
        decode("png " + name, data[:place] + b"".join(chunk(*c) for c in chunks) + data[place:-12]
               + b"".join(chunk(*c) for c in behind) + data[-12:])

    key = b"XML:com.adobe.xmp\0"
    element = "<tiff:Orientation>%d</tiff:Orientation>"
    turned = exif((0x010F, 2, 2, 0x41), (0x0112, 3, 1, 6))
    none = exif((0x010F, 2, 2, 0x41))
    png("orientation in XMP", [(b"iTXt", key + b"\0\0\0\0" + xmp(6))])
    png("orientation in XMP of another language", [(b"iTXt", key + b"\0\0de\0Text\0" + xmp(5, element))])
    png("orientation in packed XMP", [(b"iTXt", key + b"\1\0\0\0" + zlib.compress(xmp(8)))])
    png("orientation in XMP behind its pixels", behind=[(b"iTXt", key + b"\0\0\0\0" + xmp(7))])
    png("orientation in the last of two XMP texts", [(b"iTXt", key + b"\0\0\0\0" + xmp(c)) for c in (3, 6)])
    png("orientation in XMP in another chunk", [(b"tEXt", key + xmp(8, element))])
    png("orientation of EXIF before XMP", [(b"iTXt", key + b"\0\0\0\0" + xmp(3))], exif=turned)
    png("orientation in XMP beside other EXIF data", [(b"iTXt", key + b"\0\0\0\0" + xmp(6))], exif=none)
    png("with an orientation that is none", [(b"iTXt", key + b"\0\0\0\0" + xmp(6))], exif=exif((0x0112, 3, 1, 9)))
    png("with an orientation that is text", [(b"iTXt", key + b"\0\0\0\0" + xmp(6))], exif=exif((0x0112, 2, 2, 0x36)))
    png("with XMP of another orientation", [(b"iTXt", key + b"\0\0\0\0" + xmp(0))])
    raw = (b"tEXt", b"Raw profile type exif\0" + profile(turned).encode())
    packed = (b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(profile(turned).encode()))
    png("orientation in a raw profile", [raw])
    png("orientation in a packed raw profile", [packed])
    png("orientation in a raw profile behind its pixels", behind=[packed])
    png("orientation of EXIF before a raw profile", [raw], exif=exif((0x0112, 3, 1, 3)))
    png("with a raw profile of another name", [(b"tEXt", b"Raw profile type APP1\0" + profile(turned).encode())])
    data = saved(image, "PNG")
    decode("png with text behind its end", data + chunk(b"iTXt", key + b"\0\0\0\0" + xmp(6)))

    for name, options in {
        "orientation in XMP": {"xmp": xmp(6)},
        "orientation in an element of XMP": {"xmp": xmp(5, element)},
        "orientation of EXIF before XMP": {"xmp": xmp(3), "exif": turned},
        "orientation in XMP beside other EXIF data": {"xmp": xmp(8), "exif": none},
    }.items():
        decode("jpeg " + name, saved(image, "JPEG", **options))
        decode("webp " + name, saved(image, "WEBP", lossless=True, **options))
    for flag, name, options in ((8, "EXIF data", {"exif": turned}), (4, "XMP", {"xmp": xmp(6)})):
        data = bytearray(saved(image, "WEBP", lossless=True, **options))
        assert data[12:16] == b"VP8X" and data[20] & flag
        data[20] &= ~flag
        decode(f"webp with {name} that are not announced", data)
    for name, entries in {
        "32 bits": [(0x0112, 4, 1, 6)],
        "16 bits with a sign": [(0x0112, 8, 1, 5)],
        "32 bits with a sign": [(0x0112, 9, 1, 8)],
        "8 bits": [(0x0112, 1, 1, 6)],
        "no bits": [(0x0112, 3, 0, 6)],
        "an unknown type": [(0x0112, 99, 1, 6), (0x0112, 3, 1, 8)],
        "several numbers elsewhere": [(0x0112, 3, 3, 22), (6, 0, 0, 0)],
    }.items():
        decode(f"jpeg orientation of {name}", saved(image, "JPEG", exif=exif(*entries)))
    decode("jpeg orientation behind another mark",
           saved(image, "JPEG", exif=exif((0x0112, 3, 1, 6), prefix=b"Exif\0\0II\0*")))
    data = saved(image, "JPEG", exif=turned[:20])
    rest = b"Exif\0\0" + turned[20:]
    place = 4 + struct.unpack_from(">H", data, 4)[0]
    assert data[2:4] == b"\xff\xe0"
    place = data.index(b"\xff\xe1") + 2
    place += struct.unpack_from(">H", data, place)[0]
    decode("jpeg orientation in EXIF data of two parts",
           data[:place] + b"\xff\xe1" + struct.pack(">H", len(rest) + 2) + rest + data[place:])


def chunk(name, body):
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_file(samples, kind, depth, palette=None, transparency=None, interlaced=False):
    """`samples` [height, width, samples per pixel]; rows are filtered in turn by nothing and by what lies left."""
    height, width, count = samples.shape

    def rows(part):
        data = bytearray()
        for y, row in enumerate(part):
            bits = "".join(format(int(v), f"0{depth}b") for v in row.reshape(-1))
            raw = bytes(int(bits[i:i + 8].ljust(8, "0"), 2) for i in range(0, len(bits), 8))
            step = max(1, count * depth // 8)
            left = bytes((v - (raw[i - step] if i >= step else 0)) % 256 for i, v in enumerate(raw))
            data += b"\1" + left if y % 2 else b"\0" + raw
        return bytes(data)

    adam7 = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    passes = [samples[y::dy, x::dx] for y, x, dy, dx in adam7] if interlaced else [samples]
    data = b"".join(rows(part) for part in passes if part.size)
    file = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlaced))
    if palette is not None:
        file += chunk(b"PLTE", palette.astype(np.uint8).tobytes())
    if transparency is not None:
        file += chunk(b"tRNS", transparency)
    return file + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b"")


def png():
    random = np.random.default_rng(2)
    counts = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
    for kind, depths in {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}.items():
        for depth in depths:
            samples = random.integers(0, 1 << depth, (7, 11, counts[kind]))
            palette = random.integers(0, 256, (1 << depth, 3)) if kind == 3 else None
            for interlaced in (False, True):
                data = png_file(samples, kind, depth, palette, interlaced=interlaced)
                expected = (samples >> 8).astype(np.uint8) if kind == 0 and depth == 16 else None
                name = f"png kind {kind} of {depth} bits{' interlaced' if interlaced else ''}"
                decode(name, data, expected=expected)
            if kind in (4, 6):
                for channels in (None, 1, 3):
                    decode(name + " on a background", data, channels, background=[200, 30, 90])
    samples = random.integers(0, 4, (6, 5, 1))
    clear = png_file(samples, 3, 2, random.integers(0, 256, (4, 3)), bytes([0, 130, 255]))
    grey = png_file(samples * 85, 0, 8, transparency=struct.pack(">H", 170))
    color = png_file(np.repeat(samples * 60, 3, -1), 2, 8, transparency=struct.pack(">HHH", 120, 120, 120))
    for name, data in (("palette", clear), ("grey", grey), ("colour", color)):
        decode(f"png transparent {name}", data)
        decode(f"png transparent {name} to grey", data, channels=1)
        decode(f"png transparent {name} on a background", data, background=[10, 250, 60])
    decode("png of one pixel", png_file(np.array([[[7, 8, 9]]]), 2, 8, interlaced=True))


def gif():
    image = Image.fromarray(scene(15, 20)).quantize(19)
    decode("gif", saved(image, "GIF", interlace=0))
    decode("gif interlaced", saved(image, "GIF", interlace=1))
    decode("gif to grey", saved(image, "GIF"), channels=1)
    clear = saved(image, "GIF", transparency=3, interlace=0)
    decode("gif transparent", clear)
    decode("gif transparent on a background", clear, background=[1, 2, 250])
    others = [Image.fromarray(scene(15, 20, seed=s)).quantize(30) for s in (5, 6)]
    decode("gif animated", saved(image, "GIF", save_all=True, append_images=others, duration=50, disposal=2))
    for name, data in (("", saved(image, "GIF", interlace=0)), (" transparent", clear)):
        # Behind the signature the canvas: width and height. Behind a comma the frame: left and top.
        canvas = bytearray(data)
        canvas[6:10] = struct.pack("<HH", 25, 18)
        frame = canvas.index(b"," + struct.pack("<HHHH", 0, 0, 20, 15))
        canvas[frame + 1:frame + 5] = struct.pack("<HH", 3, 2)
        decode("gif smaller than its canvas" + name, canvas)
        canvas[6:10] = struct.pack("<HH", 12, 9)
        decode("gif larger than its canvas" + name, canvas)


def webp():
    color, clear = Image.fromarray(scene(18, 25)), Image.fromarray(scene(18, 25, 4))
    decode("webp lossy", saved(color, "WEBP", quality=60))
    decode("webp lossless", saved(color, "WEBP", lossless=True))
    decode("webp to grey", saved(color, "WEBP", quality=60), channels=1)
    for name, options in (("lossy", {"quality": 60}), ("lossless", {"lossless": True, "exact": True})):
        data = saved(clear, "WEBP", **options)
        decode(f"webp {name} transparent", data)
        decode(f"webp {name} transparent on a background", data, background=[255, 255, 255])
    others = [Image.fromarray(scene(18, 25, 4, seed=s)) for s in (3, 4)]
    data = saved(clear, "WEBP", save_all=True, append_images=others, duration=40, lossless=True, exact=True)
    decode("webp animated", data)
    decode("webp animated on a background", data, background=[9, 99, 199])


def bmp_file(height, width, bits, body, palette=b"", compression=0, masks=b"", header=40, start=None, colors=0):
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        info = struct.pack("<IiiHHIIiiII", header, width, height, 1, bits, compression, len(body), 0, 0, colors, 0)
        if header > 40:
            info = (info + masks).ljust(header, b"\0")
            masks = b""
    end = 14 + len(info) + len(masks) + len(palette)
    start = end if start is None else start
    return b"BM" + struct.pack("<IHHI", end + len(body), 0, 0, start) + info + masks + palette + body


def bmp():
    image = Image.fromarray(scene(9, 13))
    decode("bmp 24", saved(image, "BMP"))
    decode("bmp 24 to grey", saved(image, "BMP"), channels=1)
    decode("bmp 8", saved(image.quantize(40), "BMP"))
    random = np.random.default_rng(3)
    palette = bytes(random.integers(0, 256, 64).astype(np.uint8))
    rows = random.integers(0, 256, (5, 8)).astype(np.uint8)
    decode("bmp 4", bmp_file(5, 13, 4, rows.tobytes(), palette))
    decode("bmp 1", bmp_file(5, 29, 1, rows[:, :4].tobytes(), palette[:8]))
    decode("bmp 4 of OS/2", bmp_file(5, 13, 4, rows.tobytes(), palette[:48], header=12))
    decode("bmp 24 top-down", bmp_file(-5, 2, 24, rows.tobytes()))
    words = random.integers(0, 1 << 16, (5, 6)).astype("<u2").tobytes()
    decode("bmp 16", bmp_file(5, 5, 16, words))
    decode("bmp 16 by masks", bmp_file(5, 5, 16, words, compression=3, masks=struct.pack("<III", 0xF800, 0x7E0, 0x1F)))
    words = random.integers(0, 1 << 32, (4, 3)).astype("<u4").tobytes()
    decode("bmp 32", bmp_file(4, 3, 32, words))
    masks = struct.pack("<IIII", 0xFF000000, 0xFF0000, 0xFF00, 0xFF)
    decode("bmp 32 with alpha", bmp_file(4, 3, 32, words, compression=3, masks=masks, header=56))
    decode("bmp 32 on a background", bmp_file(4, 3, 32, words, compression=3, masks=masks, header=56),
           background=[4, 140, 250])
    runs = bytes([3, 7, 0, 0, 0, 3, 1, 2, 3, 0, 2, 9, 0, 0, 4, 5, 0, 2, 1, 1, 2, 6, 0, 1])
    decode("bmp 8 of runs", bmp_file(5, 7, 8, runs, bytes(range(40)).ljust(1024, b"\x55"), compression=1),
           expected=runs_expected(runs, 5, 7, bytes(range(40)).ljust(1024, b"\x55")))
    runs = bytes([5, 0x12, 0, 0, 0, 5, 0x34, 0x56, 0x70, 0, 2, 0x98, 0, 0, 7, 0xAB, 0, 1])
    decode("bmp 4 of runs", bmp_file(3, 7, 4, runs, palette, compression=2))


def bmp_starts():
    """Pixels that begin elsewhere than the file says, and palettes that are longer or shorter than usual."""
    random = np.random.default_rng(6)
    palette = bytes(random.integers(0, 256, 1200).astype(np.uint8))
    rows = random.integers(0, 256, (5, 8)).astype(np.uint8).tobytes()
    few = random.integers(0, 16, (5, 8)).astype(np.uint8).tobytes()
    words = random.integers(0, 1 << 16, (5, 6)).astype("<u2").tobytes()
    masks = struct.pack("<III", 0xF800, 0x7E0, 0x1F)
    runs = bytes([7, 3, 0, 0, 0, 7, 1, 2, 3, 4, 5, 6, 7, 0])
    # Pillow reads, but does not convert, palettes of more than 256 colours.
    indices = np.frombuffer(rows, np.uint8).reshape(5, 8)[::-1, :7]
    colors = np.frombuffer(palette, np.uint8).reshape(-1, 4)[indices, 2::-1]
    for start in (0, 54):
        at = f" with pixels at {start}"
        decode("bmp 8" + at, bmp_file(5, 7, 8, rows, palette[:1024], start=start))
        decode("bmp 8 of 256 colours" + at, bmp_file(5, 7, 8, rows, palette[:1024], start=start, colors=256))
        decode("bmp 8 of 16 colours" + at, bmp_file(5, 7, 8, few, palette[:64], start=start, colors=16))
        decode("bmp 8 of 300 colours" + at, bmp_file(5, 7, 8, rows, palette, start=start, colors=300), expected=colors)
        decode("bmp 8 of runs" + at, bmp_file(2, 7, 8, runs + b"\0\1", palette[:1024], 1, start=start))
        decode("bmp 4" + at, bmp_file(5, 13, 4, rows, palette[:64], start=start))
        decode("bmp 1" + at, bmp_file(5, 60, 1, rows, palette[:8], start=start))
        decode("bmp 24" + at, bmp_file(5, 2, 24, rows, start=start))
    for start in (0, 26):
        decode(f"bmp 4 of OS/2 with pixels at {start}", bmp_file(5, 13, 4, rows, palette[:48], header=12, start=start))
    decode("bmp 16 by masks with pixels at 0", bmp_file(5, 5, 16, words, compression=3, masks=masks, start=0))
    decode("bmp 16 by masks in its header with pixels at 0",
           bmp_file(5, 5, 16, words, compression=3, masks=masks + bytes(4), header=56, start=0))
    decode("bmp 8 with a gap", bmp_file(5, 7, 8, b"\7" * 9 + rows, palette[:1024], start=54 + 1024 + 9))
    decode("bmp 8 of 300 colours", bmp_file(5, 7, 8, rows, palette, colors=300), expected=colors)
    decode("bmp 8 with colours beyond its palette", bmp_file(5, 7, 8, rows, palette[:64], colors=16))
    decode("bmp 8 of OS/2 with a short palette", bmp_file(5, 7, 8, few, palette[:48], header=12))
    decode("bmp 8 with a short palette", bmp_file(5, 7, 8, few, palette[:64]))
    decode("bmp 8 of runs without an end mark", bmp_file(2, 7, 8, runs, palette[:1024], 1))


def runs_expected(runs, height, width, palette):
    """Pillow moves jumps by whole rows of its output, so rows are told here: what the runs above say, from below."""
    rows = np.zeros((height, width), int)
    rows[0, :3] = 7
    rows[1, :5] = [1, 2, 3, 9, 9]
    rows[2, :4] = 5
    rows[3, 5:7] = 6
    return np.frombuffer(palette, np.uint8).reshape(-1, 4)[rows[::-1], 2::-1]


def pnm():
    random = np.random.default_rng(4)
    for maximum in (1, 7, 100, 255, 300, 65535):
        for kind, count in ((2, 1), (3, 3)):
            samples = random.integers(0, maximum + 1, (4, 5, count))
            head = f"5 4\n# a comment\n{maximum}\n".encode()
            text = " ".join(str(v) for v in samples.reshape(-1)).encode()
            expected = np.array([round(int(v) / maximum * 255) for v in samples.reshape(-1)], np.uint8)
            binary = samples.astype(np.uint8 if maximum < 256 else ">u2").tobytes()
            for data in (b"P%d\n" % kind + head + text, b"P%d " % (kind + 3) + head + binary):
                decode(f"pnm {data[:2].decode()} to {maximum}", data, expected=expected.reshape(samples.shape))
                if count == 3 or maximum <= 255:
                    shown = Image.open(io.BytesIO(data))
                    assert np.array_equal(np.asarray(shown).reshape(samples.shape), expected.reshape(samples.shape))
    decode("pnm P1", b"P1 # comment\n11 3\n" + b"10110\n001110 # more\n 1 1 1 1 1 0 0 0 0 0 0 10101010101")
    decode("pnm P4", b"P4\n11 3\n" + bytes(random.integers(0, 256, 6).astype(np.uint8)))


def resizes():
    inputs = [scene(23, 37), scene(17, 19, 1, seed=7), scene(1, 5, seed=8), scene(34, 31, seed=9)]
    sizes = [(23, 20), (11, 37), (10, 13), (29, 44), (7, 50), (1, 1)]
    methods = {"nearest": Image.NEAREST, "box": Image.BOX, "bilinear": Image.BILINEAR, "bicubic": Image.BICUBIC}
    for array in inputs:
        image = Image.fromarray(array[..., 0] if array.shape[-1] == 1 else array)
        for height, width in sizes if array.shape[0] < 34 else [(15, 15)]:
            for name, method in methods.items():
                resized = image.resize((width, height), method)
                cases["resize"].append({"input": pixels(array), "method": name, "output": pixels(resized)})
    for array in inputs[:2]:
        for height, width in [(10, 13), (26, 41)]:
            for name in ("bilinear", "bicubic"):
                resized = keras.ops.image.resize(array.astype(np.float32), (height, width), name, antialias=False)
                cases["plain"].append({"input": pixels(array), "method": name,
                                       "output": pixels(np.round(np.clip(resized, 0, 255) * 256).astype("<u2"))})


def encodes():
    for array in (scene(23, 37), scene(21, 30, 1)):
        image = Image.fromarray(array[..., 0] if array.shape[-1] == 1 else array)
        for quality in (20, 90, 100):
            data = saved(image, "JPEG", quality=quality, subsampling="4:2:0")
            cases["encode"].append({"input": pixels(array), "quality": quality, "output": pixels(opened(data))})


ARITHMETIC = {
    "jpeg arithmetic": (
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABQODxIPDRQSEBIXFRQYHjIhHhwcHj0sLiQySUBMS0dARkVQWnNiUFVtVkVGZIhlbXd7"
        "gYKBTmCNl4x9lnN+gXz/2wBDARUXFx4aHjshITt8U0ZTfHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8"
        "fHx8fHx8fHz/yQARCAANABMDASIAAhEBAxEB/8wACgAQEAUBEBEF/9oADAMBAAIRAxEAPwD/ADKuts/I1Nmb820KWDL2ioysWF7d"
        "DpZ4M2pRqB09Yg/Ih8UNF0Hp2ko6oP/Z"
    ),
    "jpeg arithmetic progressive": (
        "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDABQODxIPDRQSEBIXFRQYHjIhHhwcHj0sLiQySUBMS0dARkVQWnNiUFVtVkVGZIhlbXd7"
        "gYKBTmCNl4x9lnN+gXz/2wBDARUXFx4aHjshITt8U0ZTfHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8fHx8"
        "fHx8fHx8fHz/ygARCAANABMDASIAAhEBAxEB/8wABgAQARD/2gAMAwEAAhADEAAAAf5Oq8c5gI4AuILjoP/MAAQQBf/aAAgBAQAB"
        "BQISoe8BePj/zAAEEQX/2gAIAQMBAT8BGo/jgP/MAAQRBf/aAAgBAgEBPwEQg0BA/8wABBAF/9oACAEBAAY/AsD/zAAEEAX/2gAI"
        "AQEAAT8h9AxikP/aAAwDAQACAAMAAAAQYiD/zAAEEQX/2gAIAQMBAT8Qtqj/zAAEEQX/2gAIAQIBAT8Qbv/MAAQQBf/aAAgBAQAB"
        "PxBMbNqfgJpbEP/Z"
    ),
}

for make in (jpeg, orientations, other_orientations, png, gif, webp, bmp, bmp_starts, pnm, resizes, encodes):
    make()
text = json.dumps(cases, separators=(",", ":")).encode()
packed = gzip.compress(struct.pack("<I", len(text)) + text + blob, 9, mtime=0)
(Path(__file__).resolve().parent / "pictures.bin.gz").write_bytes(packed)
print(f"{len(cases['decode'])} files, {len(packed)} bytes")
