"""Writes reference.safetensors with the safetensors package of Python, for the tests to read.

    pip install safetensors==0.8.0 numpy ml_dtypes && python make_safetensors.py
"""

import pathlib

import ml_dtypes
import numpy
from safetensors.numpy import save_file

tensors = {
    "conv/kernel:0": numpy.arange(2 * 3 * 1 * 5, dtype=numpy.float32).reshape(2, 3, 1, 5) / 8 - 1.5,
    "special": numpy.array([numpy.inf, -numpy.inf, -0.0, 1e-45, 3.4028235e38], dtype=numpy.float32),
    "step": numpy.array(-123456789, dtype=numpy.int32),
    "half": numpy.array([[1.0, -2.5], [0.15625, 65536.0], [-0.0, 3e38]], dtype=ml_dtypes.bfloat16),
    "pixels": numpy.array([0, 1, 127, 128, 255], dtype=numpy.uint8),
    "mask": numpy.array([[True, False, True]], dtype=numpy.bool_),
    "empty": numpy.zeros((3, 0, 2), dtype=numpy.float32),
    'größe "α"\\\n日本🦊': numpy.array([7], dtype=numpy.int32),
}
path = pathlib.Path(__file__).parent / "reference.safetensors"
save_file(tensors, path, metadata={"läuft": 'mit "Python"\t\\'})
print(path, path.stat().st_size)
