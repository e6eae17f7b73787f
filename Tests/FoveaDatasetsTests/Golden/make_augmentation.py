"""Writes augmentation.json: images changed by Keras, SciPy, PyTorch and Pillow.

Run with the packages of Benchmarks/peers/requirements.txt: python make_augmentation.py

Images are floor(256 * (value(stream, i) + 1) / 2), whole numbers from 0 to 255; the recipe of `value` is in
Tests/FoveaTrainingTests/Golden/hashed_values.py.

    warps        Keras's apply_affine_transform of image value(1, i), which calls SciPy's affine_transform. Keras takes the
                 centre of images that are not square with height and width exchanged. Where "keras_center" is false, it
                 is given the true one
    resized      SciPy's affine_transform with the map of a region that becomes an image of another size; for the whole
                 image PyTorch's interpolate agrees
    cropped      NumPy's pad, then a slice
    shifted      Keras's apply_channel_shift
    brightness   Keras's apply_brightness_shift, which rounds down to whole numbers (Pillow)
    contrast, saturation, hue
                 the formulas of torchvision's adjust_contrast, adjust_saturation (in float) and adjust_hue, the last
                 with Python's colorsys
    standardized ImageDataGenerator.fit of images value(2, i), then standardize of each
"""

import colorsys
import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "FoveaTrainingTests" / "Golden"))

import torch  # noqa: E402  Loaded before TensorFlow, whose OpenMP it would otherwise meet.
import keras  # noqa: E402
import numpy as np  # noqa: E402
import scipy.ndimage  # noqa: E402
from keras.src.legacy.preprocessing import image as legacy  # noqa: E402

from hashed_values import require_agreement, value, write_json  # noqa: E402

MODES = ["nearest", "constant", "reflect", "wrap"]


def image(stream, shape):
    return np.floor(256 * (value(stream, tuple(shape)).astype(np.float64) + 1) / 2)


def numbers(array):
    return [round(float(x), 3) for x in np.asarray(array).ravel()]


def warped(shape, mode, order, changes, keras_center=False):
    centered = legacy.transform_matrix_offset_center
    if not keras_center:
        legacy.transform_matrix_offset_center = lambda matrix, x, y: centered(matrix, y, x)
    try:
        output = legacy.apply_affine_transform(
            image(1, shape), row_axis=0, col_axis=1, channel_axis=2, fill_mode=mode, cval=70, order=order, **changes)
    finally:
        legacy.transform_matrix_offset_center = centered
    return {"shape": shape, "mode": mode, "order": order, "keras_center": keras_center, "changes": changes,
            "output": numbers(output)}


def warps():
    changes = [
        {"theta": 33.0},
        {"tx": 1.3, "ty": -2.6},
        {"tx": -17.45, "ty": 12.2},
        {"shear": 25.0},
        {"zx": 1.7, "zy": 0.6},
        {"theta": -151.5, "tx": -0.7, "ty": 1.9, "shear": -12.0, "zx": 0.8, "zy": 1.45},
        {"theta": 0.01},
    ]
    shapes = [[5, 7, 3], [6, 4, 1], [5, 5, 3], [1, 6, 2]]
    cases = []
    for m, mode in enumerate(MODES):
        for c, change in enumerate(changes):
            cases.append(warped(shapes[(m + c) % 3], mode, 1, change))
        cases.append(warped([5, 7, 3], mode, 1, changes[5]))
        cases.append(warped([7, 5, 1], mode, 1, changes[5]))
        cases.append(warped([1, 6, 2], mode, 1, changes[2]))
        cases.append(warped([6, 1, 1], mode, 1, changes[0]))
        cases.append(warped([5, 7, 1], mode, 0, changes[0]))
        cases.append(warped([4, 5, 3], mode, 0, changes[5]))
        cases.append(warped([4, 9, 1], mode, 1, changes[5], keras_center=True))
    return cases


def resized():
    cases = []
    for shape, region, size, mode in [
        ([5, 7, 3], [1, 2, 3, 4], [6, 5], "nearest"),
        ([5, 7, 3], [0, 0, 5, 7], [8, 9], "nearest"),
        ([6, 4, 1], [0, 0, 6, 4], [3, 7], "nearest"),
        ([6, 4, 1], [2, 0, 3, 2], [4, 4], "reflect"),
        ([5, 5, 1], [-1, -2, 7, 9], [5, 6], "constant"),
    ]:
        top, left, height, width = region
        scale = np.array([height / size[0], width / size[1]])
        offset = np.array([top, left]) + 0.5 * scale - 0.5
        x = image(1, shape)
        output = np.stack([
            scipy.ndimage.affine_transform(
                x[:, :, c], scale, offset, output_shape=tuple(size), order=1, mode=mode, cval=70)
            for c in range(shape[2])], axis=-1)
        if region == [0, 0] + shape[:2]:
            same = torch.nn.functional.interpolate(
                torch.tensor(x).permute(2, 0, 1)[None], size=size, mode="bilinear", align_corners=False)
            require_agreement(f"resized {shape} to {size}", output, same[0].permute(1, 2, 0).numpy(), 1e-9)
        cases.append({"shape": shape, "region": region, "size": size, "mode": mode, "output": numbers(output)})
    return cases


def cropped():
    cases = []
    for mode, numpy_mode in [("nearest", "edge"), ("constant", "constant"), ("reflect", "symmetric")]:
        shape, padding, region = [5, 7, 3], 3, [-3, 4, 4, 6]
        settings = {"constant_values": 70} if mode == "constant" else {}
        padded = np.pad(image(1, shape), [(padding, padding), (padding, padding), (0, 0)], numpy_mode, **settings)
        top, left, height, width = region
        output = padded[top + padding:, left + padding:][:height, :width]
        cases.append({"shape": shape, "region": region, "size": region[2:], "mode": mode, "output": numbers(output)})
    return cases


def shifted():
    return [
        {"shape": shape, "amount": amount, "output": numbers(legacy.apply_channel_shift(image(1, shape), amount, 2))}
        for shape, amount in [([3, 4, 3], 40.5), ([4, 3, 1], -71.25), ([2, 2, 3], 300.0)]
    ]


def brightness():
    return [
        {"shape": shape, "amount": amount,
         "output": numbers(legacy.apply_brightness_shift(image(1, shape), amount, False))}
        for shape, amount in [([3, 4, 3], 0.55), ([4, 3, 1], 1.9), ([3, 3, 3], 0.0)]
    ]


def gray(x):
    return x if x.shape[2] == 1 else (x @ np.array([0.2989, 0.587, 0.114]))[:, :, None]


def blended(x, other, amount):
    return np.clip(amount * x + (1 - amount) * other, 0, 255)


def contrast():
    return [
        {"shape": shape, "amount": amount,
         "output": numbers(blended(image(1, shape), gray(image(1, shape)).mean(), amount))}
        for shape, amount in [([3, 4, 3], 0.4), ([4, 3, 1], 1.7), ([3, 5, 3], 2.5)]
    ]


def saturation():
    return [
        {"shape": shape, "amount": amount,
         "output": numbers(blended(image(1, shape), gray(image(1, shape)), amount))}
        for shape, amount in [([3, 4, 3], 0.0), ([4, 3, 1], 1.7), ([3, 5, 3], 1.6), ([3, 3, 3], 0.35)]
    ]


def hue():
    cases = []
    for shape, amount in [([3, 4, 3], 0.1), ([5, 3, 3], -0.5), ([4, 3, 3], 0.45), ([3, 3, 3], -0.23), ([2, 3, 1], 0.3)]:
        x = image(1, shape)
        output = x
        if shape[2] == 3:
            pixels = []
            for r, g, b in x.reshape(-1, 3) / 255:
                h, s, v = colorsys.rgb_to_hsv(r, g, b)
                pixels.append(colorsys.hsv_to_rgb((h + amount) % 1, s, v))
            output = np.array(pixels) * 255
        cases.append({"shape": shape, "amount": amount, "output": numbers(output)})
    return cases


def standardized():
    cases = []
    for shape, settings in [
        ([4, 3, 5, 3], {"featurewise_center": True}),
        ([4, 3, 5, 3], {"featurewise_std_normalization": True, "rescale": 1 / 255}),
        ([2, 5, 3, 1], {"samplewise_center": True, "rescale": 0.5}),
        ([2, 3, 4, 3], {"samplewise_std_normalization": True, "featurewise_center": True}),
        ([40, 3, 2, 2], {"zca_whitening": True, "rescale": 1 / 255, "zca_epsilon": 0.25}),
        ([5, 3, 2, 3], {"zca_whitening": True, "featurewise_std_normalization": True}),
    ]:
        generator = legacy.ImageDataGenerator(dtype="float64", **settings)
        x = image(2, shape)
        generator.fit(x)
        output = [generator.standardize(one.copy()) for one in x[:2]]
        cases.append({"shape": shape, "settings": settings, "output": [round(float(v), 6) for v in np.ravel(output)]})
    return cases


if __name__ == "__main__":
    write_json(
        HERE / "augmentation.json",
        {
            "versions": {"keras": keras.__version__, "scipy": scipy.__version__, "torch": torch.__version__},
            "warps": warps(),
            "resized": resized(),
            "cropped": cropped(),
            "shifted": shifted(),
            "brightness": brightness(),
            "contrast": contrast(),
            "saturation": saturation(),
            "hue": hue(),
            "standardized": standardized(),
        },
    )
