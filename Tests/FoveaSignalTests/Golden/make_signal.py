"""Writes signal.json: convolutions, known kernels, Gabor kernels and their responses.

Run with NumPy, SciPy and scikit-image installed: python make_signal.py

The recipe of `value` is in Tests/FoveaTrainingTests/Golden/hashed_values.py.

    convolve1d   signal = value(1, i), kernel = value(2, i). NumPy's convolve and correlate; where the kernel is longer
                 than the signal SciPy's, which keep the operands' roles.
    convolve2d   image = value(1, i), kernel = value(2, i). SciPy's convolve2d and correlate2d.
    ndimage      SciPy's ndimage.convolve, odd kernels: mode same with four boundaries.
    kernels      weights of scikit-image and SciPy, with the number that ours are larger by.
    gaussian     SciPy's signal.windows.gaussian, as an outer product divided by its sum.
    gabor        scikit-image's gabor_kernel, by the arguments in the file; real and imaginary parts.
    responses    image = value(1, i). "magnitude": each kernel's power on the image with mean 0 and deviation 1, by
                 ndimage.convolve with mode wrap; "reflect": real and imaginary parts of scikit-image's gabor.

Padding and strides are applied by NumPy's pad before and by slicing after. All numbers are computed in float64.
"""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "FoveaTrainingTests" / "Golden"))

import numpy as np  # noqa: E402
import scipy  # noqa: E402
import skimage  # noqa: E402
from scipy import ndimage, signal  # noqa: E402
from skimage.filters import edges, gabor, gabor_kernel  # noqa: E402

from hashed_values import numbers, value, write_json  # noqa: E402

METHODS = ("convolution", "crossCorrelation")


def doubles(stream, shape):
    return value(stream, shape).astype(np.float64)


def convolve1d():
    cases = []
    # (signal, kernel, stride, padding)
    for n, k, stride, padding in [(9, 3, 1, 0), (8, 4, 1, 0), (7, 2, 1, 0), (5, 5, 1, 0), (1, 1, 1, 0), (6, 6, 1, 0),
                                  (10, 3, 2, 0), (11, 4, 3, 0), (8, 5, 2, 1), (9, 2, 4, 3), (3, 6, 1, 0), (4, 7, 2, 0),
                                  (2, 5, 1, 4)]:
        x, kernel = np.pad(doubles(1, (n,)), padding), doubles(2, (k,))
        for method in METHODS:
            for mode in ("full", "same", "valid"):
                if k > len(x):
                    if mode == "valid":
                        continue
                    function = signal.convolve if method == "convolution" else signal.correlate
                    y = function(x, kernel, mode, method="direct")
                else:
                    function = np.convolve if method == "convolution" else np.correlate
                    y = function(x, kernel, mode)
                    other = signal.convolve if method == "convolution" else signal.correlate
                    assert np.allclose(y, other(x, kernel, mode, method="direct"), rtol=0, atol=1e-14)
                cases.append({"signal": n, "kernel": k, "stride": stride, "padding": padding, "mode": mode,
                              "method": method, "output": numbers(y[::stride])})
    return cases


def convolve2d():
    cases = []
    names = {"fill": "constant", "wrap": "wrap", "symm": "reflect"}

    def add(image, kernel, mode, method, stride=(1, 1), padding=(0, 0), boundary="fill", fill=0.0):
        x = np.pad(doubles(1, image), ((padding[0],) * 2, (padding[1],) * 2))
        function = signal.convolve2d if method == "convolution" else signal.correlate2d
        y = function(x, doubles(2, kernel), mode, boundary=boundary, fillvalue=fill)[::stride[0], ::stride[1]]
        cases.append({"image": image, "kernel": kernel, "stride": stride, "padding": padding, "mode": mode,
                      "method": method, "boundary": names[boundary], "fill": fill, "shape": y.shape,
                      "output": numbers(y)})

    for method in METHODS:
        for mode in ("full", "same", "valid"):
            add((5, 7), (3, 3), mode, method)
            add((6, 5), (2, 4), mode, method)
            add((7, 4), (5, 2), mode, method, stride=(2, 1))
            add((6, 9), (1, 3), mode, method, stride=(3, 2), padding=(1, 2))
        for mode in ("full", "same"):
            add((3, 4), (4, 6), mode, method)
            for boundary in ("wrap", "symm"):
                add((4, 5), (3, 2), mode, method, boundary=boundary)
                add((5, 4), (4, 3), mode, method, stride=(1, 2), padding=(0, 1), boundary=boundary)
            add((4, 3), (3, 4), mode, method, fill=-0.75)
    return cases


def ndimage_convolve():
    cases = []
    for image, kernel in [((5, 6), (3, 3)), ((4, 3), (3, 5)), ((2, 3), (7, 5))]:
        for mode in ("constant", "wrap", "reflect", "nearest"):
            y = ndimage.convolve(doubles(1, image), doubles(2, kernel), mode=mode, cval=0.5)
            cases.append({"image": image, "kernel": kernel, "boundary": mode,
                          "fill": 0.5 if mode == "constant" else 0, "output": numbers(y)})
    return cases


def kernels():
    delta = np.zeros((3, 3))
    delta[1, 1] = 1
    weights = {
        "sobelHorizontal": (4, edges.HSOBEL_WEIGHTS), "sobelVertical": (4, edges.VSOBEL_WEIGHTS),
        "prewittHorizontal": (3, edges.HPREWITT_WEIGHTS), "prewittVertical": (3, edges.VPREWITT_WEIGHTS),
        "scharrHorizontal": (16, edges.HSCHARR_WEIGHTS), "scharrVertical": (16, edges.VSCHARR_WEIGHTS),
        "laplacian": (1, ndimage.laplace(delta, mode="constant")),
        # Nine times the mean of 3×3 pixels, taken from nine times the middle.
        "edgeDetection": (9, delta - ndimage.uniform_filter(delta, 3, mode="constant")),
        "sharpen": (1, delta - ndimage.laplace(delta, mode="constant")),
        "boxBlur": (1, ndimage.uniform_filter(delta, 3, mode="constant")),
    }
    return [{"name": name, "scale": scale, "weights": numbers(w)} for name, (scale, w) in weights.items()]


def gaussian():
    cases = []
    for size, sigma in [((5, 5), 1.0), ((4, 3), 0.8), ((1, 6), 2.5), ((7, 2), 0.3)]:
        w = np.outer(signal.windows.gaussian(size[0], sigma), signal.windows.gaussian(size[1], sigma))
        cases.append({"size": size, "sigma": sigma, "weights": numbers(w / w.sum())})
    return cases


def gabor_kernels():
    cases = []
    for arguments in [{"frequency": 0.4}, {"frequency": 0.5, "theta": np.pi / 3, "bandwidth": 1.5},
                      {"frequency": 0.1, "theta": np.pi / 4, "sigma_x": 1.2, "sigma_y": 2.5, "offset": 0.7},
                      {"frequency": 0.25, "theta": np.pi / 2, "sigma_x": 1.0, "sigma_y": 1.5, "n_stds": 2},
                      {"frequency": 0.3, "theta": 2.0, "sigma_x": 0.2, "sigma_y": 0.2},
                      {"frequency": 0.6, "theta": -1.1, "sigma_y": 2.0, "n_stds": 2.5}]:
        g = gabor_kernel(**arguments)
        cases.append({"arguments": arguments, "shape": g.shape, "real": numbers(g.real), "imaginary": numbers(g.imag)})
    return cases


def responses():
    image = doubles(1, (12, 9)) + 3
    normal = (image - image.mean()) / image.std()
    magnitudes = []
    for direction in range(3):
        for sigma in (1.0, 2.0):
            for frequency in (0.1, 0.3):
                g = gabor_kernel(frequency, theta=direction / 3 * np.pi, sigma_x=sigma, sigma_y=sigma)
                magnitudes.append(np.sqrt(ndimage.convolve(normal, g.real, mode="wrap") ** 2
                                          + ndimage.convolve(normal, g.imag, mode="wrap") ** 2))
    real, imaginary = gabor(image, frequency=0.4, theta=0.5)
    return {"shape": image.shape, "added": 3, "frequencies": [0.1, 0.3], "orientations": 3, "sigmas": [1, 2],
            "magnitude": numbers(np.stack(magnitudes, axis=-1)),
            "reflect": {"frequency": 0.4, "theta": 0.5, "real": numbers(real), "imaginary": numbers(imaginary)}}


write_json(HERE / "signal.json", {
    "versions": {"numpy": np.__version__, "scipy": scipy.__version__, "scikit-image": skimage.__version__},
    "convolve1d": convolve1d(), "convolve2d": convolve2d(), "ndimage": ndimage_convolve(), "kernels": kernels(),
    "gaussian": gaussian(), "gabor": gabor_kernels(), "responses": responses()})
