"""Writes layers.json (activations, convolutions, poolings, initializers) and summaries.json.

Run with the packages of Benchmarks/peers/requirements.txt: python make_layers.py

Every loss is sum(output * upstream) with upstream = value(0, i), so that a gradient sees each output
differently. The recipe of `value` is in Tests/FoveaTrainingTests/Golden/hashed_values.py.

    activations   "inputs" are in the file; softmax takes them as [3, 7] over the last axis
    conv2d        input = value(1, i) in NHWC, kernel = value(2, i) in HWIO [height, width, channels / groups,
                  filters], bias = value(3, i); all of scale 1
    pooling       input = value(1, i)
    initializers  "limit" is where samples end. For the truncated normal ones "parameter" is the deviation of
                  the normal distribution before samples further than two deviations are drawn again, and
                  "deviation" that of the samples, 0.87962566103423978 * parameter

The numbers are Keras's in float64. They are written only when Keras in float32 and PyTorch in float64 agree,
and, for initializers, when samples drawn by Keras fit. summaries.json has the text of Keras's
model.summary() for the six measured networks.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / "FoveaTrainingTests" / "Golden"),
                str(HERE.parents[2] / "Benchmarks" / "peers")]

import torch  # noqa: E402  Loaded before TensorFlow, whose OpenMP it would otherwise meet.
import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from torch.nn import functional  # noqa: E402

from hashed_values import number, numbers, require_agreement, value, write_json  # noqa: E402
from networks import NETWORKS, keras_model  # noqa: E402

VERSIONS = {"keras": keras.__version__, "tensorflow": tf.__version__, "torch": torch.__version__}
EXACT, ROUNDED = 1e-12, 2e-6

# 21 float32 numbers.
INPUTS = [-10, -7.5, -5, -3, -2, -1.5, -1, -0.5, -0.125, -2.0**-10, 0,
          2.0**-10, 0.125, 0.5, 1, 1.5, 2, 3, 5, 7.5, 10]


def activations():
    a = keras.activations
    cases = [
        ("linear", {}, a.linear, lambda x: x.clone()),
        ("relu", {}, a.relu, torch.relu),
        ("sigmoid", {}, a.sigmoid, torch.sigmoid),
        ("tanh", {}, a.tanh, torch.tanh),
        ("softmax", {}, a.softmax, lambda x: x.softmax(-1)),
        ("elu", {"alpha": 1.0}, a.elu, functional.elu),
        ("elu", {"alpha": 0.3}, lambda x: a.elu(x, 0.3), lambda x: functional.elu(x, 0.3)),
        ("gelu", {"approximate": False}, a.gelu, functional.gelu),
        ("gelu", {"approximate": True}, lambda x: a.gelu(x, approximate=True),
         lambda x: functional.gelu(x, approximate="tanh")),
        ("leaky_relu", {"negative_slope": 0.2}, a.leaky_relu, lambda x: functional.leaky_relu(x, 0.2)),
        ("leaky_relu", {"negative_slope": 0.3}, lambda x: a.leaky_relu(x, 0.3),
         lambda x: functional.leaky_relu(x, 0.3)),
        ("silu", {}, a.silu, functional.silu),
        ("softplus", {}, a.softplus, lambda x: functional.softplus(x, threshold=100)),
    ]
    for name, settings, with_keras, with_torch in cases:
        shape = (3, 7) if name == "softmax" else (21,)

        def run(dtype):
            x = tf.constant(np.array(INPUTS).reshape(shape), dtype)
            with tf.GradientTape() as tape:
                tape.watch(x)
                output = with_keras(x)
                loss = tf.reduce_sum(output * tf.constant(value(0, shape), dtype))
            return output.numpy(), tape.gradient(loss, x).numpy()

        x = torch.tensor(np.array(INPUTS).reshape(shape), dtype=torch.float64, requires_grad=True)
        y = with_torch(x)
        (y * torch.tensor(value(0, shape), dtype=torch.float64)).sum().backward()
        # Keras rounds constants such as a slope of 0.3 to float32.
        yield {"name": name, "settings": settings, "shape": list(shape),
               **agreed(f"{name} {settings}", ["output", "gradient"], run("float64"), run("float32"),
                        [y.detach().numpy(), x.grad.numpy()], exact=1e-7)}


def agreed(what, names, double, single, other, exact=EXACT):
    for name, a, b, c in zip(names, double, single, other, strict=True):
        require_agreement(f"{what}: {name}, PyTorch", c, a, exact)
        require_agreement(f"{what}: {name}, Keras float32", b, a, ROUNDED)
    return {name: numbers(a) for name, a in zip(names, double)}


def torch_pad(x, window, strides, dilation, padding, fill):
    """Keras's "same": ceil(n / stride) outputs, the odd element of the border at the end."""
    if padding == "valid":
        return x
    borders = []
    for axis in (1, 0):
        extent = x.shape[2 + axis]
        reach = (window[axis] - 1) * dilation[axis] + 1
        total = max((-(-extent // strides[axis]) - 1) * strides[axis] + reach - extent, 0)
        borders += [total // 2, total - total // 2]
    return functional.pad(x, borders, value=fill)


def run_keras(make_layer, arrays, dtype):
    """Output and the gradients of the input and of the layer's weights."""
    layer = make_layer(dtype)
    x = tf.constant(arrays[0], dtype)
    layer.build(x.shape)
    layer.set_weights(arrays[1:])
    with tf.GradientTape() as tape:
        tape.watch(x)
        output = layer(x)
        loss = tf.reduce_sum(output * tf.constant(value(0, tuple(output.shape)), dtype))
    gradients = tape.gradient(loss, [x] + [w.value for w in layer.trainable_weights])
    return [output.numpy()] + [g.numpy() for g in gradients]


def run_torch(function, arrays):
    """The same with `function` of NCHW and OIHW tensors."""
    leaves = [torch.tensor(array, dtype=torch.float64, requires_grad=True) for array in arrays]
    rotated = [leaf.permute(order) for leaf, order in zip(leaves, [(0, 3, 1, 2), (3, 2, 0, 1), (0,)])]
    output = function(*rotated).permute(0, 2, 3, 1)
    (output * torch.tensor(value(0, tuple(output.shape)), dtype=torch.float64)).sum().backward()
    return [output.detach().numpy()] + [leaf.grad.numpy() for leaf in leaves]


# input shape, filters, kernel size, strides, padding, dilation, groups, bias
CONVOLUTIONS = [
    ([2, 7, 9, 3], 4, (3, 2), (2, 1), "same", (1, 1), 1, True),
    ([2, 7, 9, 3], 4, (3, 2), (2, 1), "valid", (1, 1), 1, True),
    ([1, 8, 5, 2], 3, (3, 3), (2, 2), "same", (1, 1), 1, True),
    ([1, 8, 5, 2], 3, (3, 3), (2, 2), "valid", (1, 1), 1, False),
    ([2, 5, 6, 1], 2, (5, 3), (1, 1), "same", (1, 1), 1, True),
    ([1, 9, 7, 2], 3, (3, 2), (1, 1), "valid", (2, 2), 1, True),
    ([1, 6, 9, 2], 3, (2, 3), (1, 1), "same", (2, 2), 1, True),
    ([2, 6, 5, 4], 6, (3, 3), (1, 1), "same", (1, 1), 2, True),
    ([1, 7, 6, 3], 3, (3, 2), (2, 2), "valid", (1, 1), 3, True),
    ([1, 7, 8, 2], 3, (2, 2), (3, 3), "same", (1, 1), 1, True),
    ([1, 5, 6, 3], 4, (1, 1), (2, 2), "same", (1, 1), 1, False),
    ([1, 3, 2, 2], 2, (5, 5), (1, 1), "same", (1, 1), 1, True),
    ([2, 4, 3, 2], 3, (4, 3), (1, 1), "valid", (1, 1), 1, True),
]

# input shape, pool size, strides, padding
POOLINGS = [
    ([2, 7, 9, 3], (3, 2), (2, 1), "same"),
    ([2, 7, 9, 3], (3, 2), (2, 1), "valid"),
    ([1, 5, 8, 2], (2, 2), (2, 2), "same"),
    ([1, 5, 8, 2], (2, 2), (2, 2), "valid"),
    ([1, 8, 7, 2], (2, 3), (3, 1), "same"),
    ([1, 6, 5, 2], (3, 3), (2, 2), "same"),
    ([1, 3, 4, 1], (3, 4), (3, 4), "valid"),
]


def convolutions():
    for shape, filters, kernel, strides, padding, dilation, groups, bias in CONVOLUTIONS:
        arrays = [value(1, shape), value(2, (*kernel, shape[-1] // groups, filters))]
        arrays += [value(3, (filters,))] if bias else []

        def layer(dtype):
            return keras.layers.Conv2D(
                filters, kernel, strides=strides, padding=padding, dilation_rate=dilation, groups=groups,
                use_bias=bias, dtype=dtype)

        def with_torch(x, w, b=None):
            padded = torch_pad(x, kernel, strides, dilation, padding, 0.0)
            return functional.conv2d(padded, w, b, strides, 0, dilation, groups)

        double = run_keras(layer, arrays, "float64")
        yield {
            "input_shape": shape, "filters": filters, "kernel_size": kernel, "strides": strides,
            "padding": padding, "dilation_rate": dilation, "groups": groups, "use_bias": bias,
            "output_shape": double[0].shape,
            **agreed(f"conv2d {shape} {kernel} {padding}",
                     ["output", "input_gradient", "kernel_gradient", "bias_gradient"][: 3 + bias],
                     double, run_keras(layer, arrays, "float32"), run_torch(with_torch, arrays))}


def poolings(kind):
    for shape, pool, strides, padding in POOLINGS:
        arrays = [value(1, shape)]

        def layer(dtype):
            pooling = keras.layers.MaxPooling2D if kind == "max" else keras.layers.AveragePooling2D
            return pooling(pool, strides=strides, padding=padding, dtype=dtype)

        def with_torch(x):
            if kind == "max":
                return functional.max_pool2d(
                    torch_pad(x, pool, strides, (1, 1), padding, -torch.inf), pool, strides)
            # The border does not count.
            sums, counts = (
                functional.avg_pool2d(torch_pad(t, pool, strides, (1, 1), padding, 0.0), pool, strides)
                for t in (x, torch.ones_like(x)))
            return sums / counts

        double = run_keras(layer, arrays, "float64")
        yield {
            "input_shape": shape, "pool_size": pool, "strides": strides, "padding": padding,
            "output_shape": double[0].shape,
            **agreed(f"{kind} pooling {shape} {pool} {padding}", ["output", "input_gradient"], double,
                     run_keras(layer, arrays, "float32"), run_torch(with_torch, arrays))}


def initializers():
    """Glorot: 2 / (fan_in + fan_out) is the variance of the samples, He: 2 / fan_in, LeCun: 1 / fan_in."""
    truncated = 0.87962566103423978
    kinds = keras.initializers
    for shape in [(3, 3, 32, 64), (784, 128)]:
        fan_in, fan_out = int(np.prod(shape[:-1])), int(np.prod(shape[:-2])) * shape[-1]
        variances = {"Glorot": 2 / (fan_in + fan_out), "He": 2 / fan_in, "Lecun": 1 / fan_in}
        for family, variance in variances.items():
            for distribution in ("Uniform", "Normal"):
                initializer = getattr(kinds, family + distribution)(seed=1)
                deviation = np.sqrt(variance)
                if distribution == "Uniform":
                    settings = {"limit": np.sqrt(3) * deviation}
                else:
                    settings = {"parameter": deviation / truncated, "limit": 2 * deviation / truncated}
                yield initializer_record(initializer, shape, fan_in, fan_out, deviation, settings)
        initializer = kinds.TruncatedNormal(seed=1)
        yield initializer_record(initializer, shape, fan_in, fan_out, 0.05 * truncated,
                                 {"parameter": 0.05, "limit": 0.1})


def initializer_record(initializer, shape, fan_in, fan_out, deviation, settings):
    name = keras.initializers.serialize(initializer)["class_name"]
    samples = np.asarray(initializer(shape), np.float64)
    limit = settings["limit"]
    # 18,432 samples or more: their deviation is within 1.5 % of the true one in all but freak draws.
    if not (0.98 * limit < np.abs(samples).max() <= limit * 1.000001):
        raise SystemExit(f"{name} {shape}: samples reach {np.abs(samples).max()}, expected {limit}")
    if abs(samples.std() / deviation - 1) > 0.015 or abs(samples.mean()) > 0.03 * deviation:
        raise SystemExit(f"{name} {shape}: deviation of samples {samples.std()}, expected {deviation}")
    return {"name": name, "shape": shape, "fan_in": fan_in, "fan_out": fan_out,
            "deviation": number(deviation), **{key: number(x) for key, x in settings.items()}}


def summary(name):
    lines = []
    keras_model(name).summary(line_length=80, print_fn=lambda text, **_: lines.extend(text.splitlines()))
    return {"name": name, "parameters": NETWORKS[name].parameters,
            "summary": [line.rstrip() for line in lines]}


if __name__ == "__main__":
    write_json(HERE / "layers.json", {
        "versions": VERSIONS,
        "inputs": INPUTS,
        "activations": list(activations()),
        "conv2d": list(convolutions()),
        "max_pooling2d": list(poolings("max")),
        "average_pooling2d": list(poolings("average")),
        "initializers": list(initializers())})
    write_json(HERE / "summaries.json", {
        "versions": VERSIONS, "networks": [summary(name) for name in NETWORKS]})
