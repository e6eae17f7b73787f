"""Writes preprocessing_layers.json: layers that change images, given what they would draw.

Run with the packages of Benchmarks/peers/requirements.txt: python make_preprocessing_layers.py

The images of all cases are value(1, i); the recipe of `value` is in Tests/FoveaTrainingTests/Golden/hashed_values.py.
"rows" and "columns" have a number for each image: parts of the height and width that images are moved by, or what is
added to a zoom of 1; "turns" one that is a part of a full turn. "amounts" are factors of contrast and summands of brightness, in parts of the range of values, or parts of the colour
circle and of the strongest colours. Where "rows" and "columns" have two lists, these are ends of an erased part.

The numbers are Keras's on TensorFlow.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "FoveaTrainingTests" / "Golden"))

import keras  # noqa: E402
import numpy as np  # noqa: E402

from hashed_values import numbers, value, write_json  # noqa: E402

MODES = ["reflect", "wrap", "constant", "nearest"]
FILL = 0.25


def column(values):
    return np.array(values, np.float32)[:, None]


def placements():
    cases = []
    for mode in MODES:
        for interpolation in ["bilinear", "nearest"]:
            settings = {"fill_mode": mode, "interpolation": interpolation, "fill_value": FILL}
            rows, columns = [0.13, -0.8, 0.0], [-0.21, 0.6, 0.43]
            if mode == "wrap":
                # TensorFlow's wrapping is that of a period for whole pixels up to about half of the image.
                rows, columns = [0.2, -0.6, 0.0], [-2 / 7, 4 / 7, 3 / 7]
            shape = [3, 5, 7, 2]
            x = value(1, tuple(shape))
            layer = keras.layers.RandomTranslation(1.0, 1.0, **settings)
            moves = np.concatenate([column(columns) * shape[2], column(rows) * shape[1]], axis=1)
            if mode == "wrap":
                moves = np.round(moves)
            y = layer._translate_inputs(x, {"translations": moves}, interpolation)
            cases.append({"layer": "RandomTranslation", "shape": shape, "mode": mode, "interpolation": interpolation,
                          "rows": rows, "columns": columns, "output": numbers(y)})
            rows, columns = [0.31, -0.4, 0.0], [-0.55, 0.9, 0.12]
            if mode == "wrap":
                # Nothing from beyond the border.
                rows, columns = [-0.31, -0.4, 0.0], [-0.55, -0.9, -0.12]
            layer = keras.layers.RandomZoom(0.9, 0.9, **settings)
            y = layer._zoom_inputs(
                x, {"height_zoom": 1 + column(rows), "width_zoom": 1 + column(columns)}, interpolation)
            cases.append({"layer": "RandomZoom", "shape": shape, "mode": mode, "interpolation": interpolation,
                          "rows": rows, "columns": columns, "output": numbers(y)})
    return cases


def shears():
    cases = []
    shape, columns, rows = [3, 5, 7, 2], [0.4, -0.15, 0.0], [-0.31, 0.8, 0.23]
    for mode in [mode for mode in MODES if mode != "wrap"]:
        for interpolation in ["bilinear", "nearest"]:
            layer = keras.layers.RandomShear(0.5, 0.5, fill_mode=mode, interpolation=interpolation, fill_value=FILL)
            factors = {"shear_factor": np.concatenate([column(columns), column(rows)], axis=1)}
            y = layer._transform_images(value(1, tuple(shape)), factors, interpolation)
            cases.append({"layer": "RandomShear", "shape": shape, "mode": mode, "interpolation": interpolation,
                          "rows": rows, "columns": columns, "output": numbers(y)})
    return cases


def erased():
    shape = [3, 5, 7, 2]
    x = value(1, tuple(shape))
    layer = keras.layers.RandomErasing(fill_value=FILL, value_range=(-1, 1))
    sizes, places = np.array([[0.5, 0.3], [1.0, 0.05], [0.6, 0.99]], np.float32), [[0.3, 0.9], [0.5, 0.0], [1.0, 0.4]]
    places = np.array(places, np.float32)
    ends = []
    for axis in [1, 2]:
        length = sizes[:, axis - 1] * shape[axis]
        # Keras compares corners of pixels; their middles lie half a pixel further.
        start = places[:, axis - 1] * (shape[axis] - length) - 0.5
        ends.append((start, start + length))
    (top, bottom), (left, right) = ends
    settings = {"apply_erasing": np.full(3, True), "fill_value": np.full(shape, FILL, np.float32),
                "batch_masks": layer._generate_batch_mask(shape, (left, right, top, bottom))}
    return {"shape": shape, "sizes": sizes.tolist(), "places": places.tolist(),
            "output": numbers(layer.transform_images(x, settings))}


def rotations():
    cases = []
    for shape, turns in [([4, 5, 7, 2], [0.07, -0.31, 0.0, 0.9]), ([2, 6, 3, 1], [0.2, -0.6]), ([1, 1, 4, 3], [0.1])]:
        # TensorFlow's wrapping is that of a period for whole pixels only.
        for mode in [mode for mode in MODES if mode != "wrap"]:
            for interpolation in ["bilinear", "nearest"]:
                layer = keras.layers.RandomRotation(1.0, fill_mode=mode, interpolation=interpolation, fill_value=FILL)
                batch, (height, width) = shape[0], shape[1:3]
                still = np.zeros(batch, np.float32)
                matrix = layer._compute_affine_matrix(
                    center_x=0.5, center_y=0.5, angle=np.array(turns, np.float32) * 360, translate_x=still,
                    translate_y=still, scale=still + 1, shear_x=still, shear_y=still, height=height, width=width)
                y = layer._transform_images(value(1, tuple(shape)), {"rotation_matrix": matrix}, interpolation)
                cases.append({"shape": shape, "mode": mode, "interpolation": interpolation, "turns": turns,
                              "output": numbers(y)})
    return cases


def hues():
    # Some grey, some pure colours, and all orders of the channels.
    shape, x = [4, 3, 4, 3], np.abs(value(1, (4, 3, 4, 3)))
    x[:, 0, 0] = x[:, 0, 0, :1]
    x[:, 0, 1] = [1, 0, 0]
    x[:, 0, 2] = [0, 0.5, 0.5]
    pixels = numbers(x)
    cases = []
    amounts = [0.0, 0.2, 0.5, -0.35]
    y = keras.layers.RandomHue(1.0, value_range=(0, 1)).transform_images(x, {"factor": np.array(amounts, np.float32)})
    cases.append({"layer": "RandomHue", "shape": shape, "pixels": pixels, "amounts": amounts, "output": numbers(y)})
    amounts = [0.0, 0.3, 0.75, 1.0]
    parts = np.array(amounts, np.float32)
    factors = parts / (1 - parts + keras.config.epsilon())
    y = keras.layers.RandomSaturation(1.0, value_range=(0, 1)).transform_images(x, {"factor": factors})
    cases.append({"layer": "RandomSaturation", "shape": shape, "pixels": pixels, "amounts": amounts,
                  "output": numbers(y)})
    return cases


def colors():
    shape, amounts = [3, 4, 3, 2], [0.6, 1.0, 1.9]
    x = value(1, tuple(shape))
    factors = np.array(amounts, np.float32)[:, None, None, None]
    contrast = keras.layers.RandomContrast(1.0, value_range=(-0.75, 0.5))
    brightness = keras.layers.RandomBrightness(1.0, value_range=(-0.75, 0.5))
    return [
        {"layer": "RandomContrast", "shape": shape, "amounts": amounts, "value_range": [-0.75, 0.5],
         "output": numbers(contrast.transform_images(x, {"contrast_factor": factors}))},
        {"layer": "RandomBrightness", "shape": shape, "amounts": amounts, "value_range": [-0.75, 0.5],
         "output": numbers(brightness.transform_images(x, {"rgb_delta": factors * 1.25}))},
    ]


def sizes():
    cases = []
    for shape, size in [([2, 5, 7, 2], [8, 3]), ([1, 6, 4, 3], [4, 4]), ([2, 3, 9, 1], [3, 20]), ([1, 1, 2, 2], [4, 5])]:
        x = value(1, tuple(shape))
        for interpolation in ["bilinear", "nearest"]:
            for crop in [False, True]:
                layer = keras.layers.Resizing(*size, interpolation=interpolation, crop_to_aspect_ratio=crop)
                cases.append({"layer": "Resizing", "shape": shape, "size": size, "interpolation": interpolation,
                              "crop": crop, "output": numbers(layer(x))})
        cases.append({"layer": "CenterCrop", "shape": shape, "size": size, "interpolation": "bilinear", "crop": False,
                      "output": numbers(keras.layers.CenterCrop(*size)(x))})
    for shape, size in [([2, 6, 7, 2], [3, 4]), ([1, 5, 5, 1], [5, 2])]:
        y = keras.layers.CenterCrop(*size)(value(1, tuple(shape)))
        cases.append({"layer": "CenterCrop", "shape": shape, "size": size, "interpolation": "bilinear", "crop": False,
                      "output": numbers(y)})
    return cases


if __name__ == "__main__":
    write_json(
        HERE / "preprocessing_layers.json",
        {
            "versions": {"keras": keras.__version__},
            "fill_value": FILL,
            "placements": placements() + shears(),
            "erased": erased(),
            "hues": hues(),
            "rotations": rotations(),
            "colors": colors(),
            "sizes": sizes(),
        },
    )
