"""Writes spatial_layers.json: what the layers over images and sequences do.

Run with the packages of Benchmarks/peers/requirements.txt: python make_spatial_layers.py

Every case has a layer's name, arguments under Keras's keys and an input shape. Its input is value(1, i),
its parameters are value(2, i), value(3, i) and so on in Keras's order, and the loss is sum(output *
value(0, i)), so that a gradient sees each output differently. "gradients" are those of the input and of
each parameter. Arrays are in row-major order; the recipe of `value` is in
Tests/FoveaTrainingTests/Golden/hashed_values.py.

The numbers are PyTorch's in float64. They are written only when Keras agrees, which is asked in float64 and
in float32. Where TensorFlow has no channels-first kernel for CPUs Keras gets the channels last, and for
depthwise convolutions with unequal strides it gets an ordinary convolution with as many groups as channels.
It has dilated transposed convolutions in float32 only.
"""

from make_layers import EXACT, HERE, ROUNDED, VERSIONS, run_keras, torch_pad  # Loads PyTorch first.

import keras
import tensorflow as tf
import torch
from torch.nn import functional

from hashed_values import numbers, require_agreement, value, write_json

FIRST = {"data_format": "channels_first"}

# layer, arguments, input shape
CASES = [
    ("Conv1D", {"filters": 3, "kernel_size": [3]}, [2, 9, 2]),
    ("Conv1D", {"filters": 2, "kernel_size": [4], "strides": [2], "padding": "same"}, [2, 7, 3]),
    ("Conv1D", {"filters": 3, "kernel_size": [3], "padding": "causal"}, [2, 6, 2]),
    ("Conv1D", {"filters": 2, "kernel_size": [3], "padding": "causal", "dilation_rate": [4]}, [1, 7, 1]),
    ("Conv1D", {"filters": 2, "kernel_size": [2], "padding": "causal", "strides": [3]}, [1, 8, 2]),
    ("Conv1D", {"filters": 4, "kernel_size": [2], "dilation_rate": [3], "groups": 2}, [1, 9, 4]),
    ("Conv1D", {"filters": 2, "kernel_size": [5], "padding": "same", "use_bias": False}, [1, 3, 2]),
    ("Conv1D", {"filters": 3, "kernel_size": [3], "strides": [2], "padding": "same", **FIRST}, [2, 2, 7]),

    ("Conv2D", {"filters": 3, "kernel_size": [3, 2], "strides": [2, 1], "padding": "same", **FIRST}, [2, 2, 5, 7]),
    ("Conv2D", {"filters": 4, "kernel_size": [2, 3], "dilation_rate": [2, 1], "groups": 2, **FIRST}, [1, 4, 5, 4]),

    ("Conv2DTranspose", {"filters": 3, "kernel_size": [3, 2], "strides": [2, 1]}, [2, 3, 4, 2]),
    ("Conv2DTranspose", {"filters": 3, "kernel_size": [3, 2], "strides": [2, 1], "padding": "same"}, [2, 3, 4, 2]),
    ("Conv2DTranspose", {"filters": 2, "kernel_size": [2, 2], "strides": [3, 4]}, [1, 3, 2, 3]),
    ("Conv2DTranspose", {"filters": 2, "kernel_size": [2, 1], "strides": [3, 3], "padding": "same"}, [1, 2, 3, 1]),
    ("Conv2DTranspose", {"filters": 2, "kernel_size": [4, 5], "strides": [2, 2], "padding": "same"}, [1, 3, 2, 2]),
    ("Conv2DTranspose", {"filters": 2, "kernel_size": [3, 4], "strides": [3, 2], "output_padding": [2, 1]},
     [1, 2, 3, 2]),
    ("Conv2DTranspose", {"filters": 2, "kernel_size": [3, 4], "strides": [3, 2], "padding": "same",
                         "output_padding": [1, 1]}, [2, 2, 3, 1]),
    ("Conv2DTranspose", {"filters": 1, "kernel_size": [3, 3], "strides": [2, 2], "padding": "same",
                         "output_padding": [0, 1]}, [1, 3, 3, 2]),
    ("Conv2DTranspose", {"filters": 2, "kernel_size": [2, 3], "dilation_rate": [2, 3], "use_bias": False},
     [1, 4, 3, 2]),
    ("Conv2DTranspose", {"filters": 2, "kernel_size": [3, 2], "dilation_rate": [2, 2], "padding": "same"},
     [1, 4, 5, 2]),
    ("Conv2DTranspose", {"filters": 2, "kernel_size": [3, 3], "strides": [2, 2], "padding": "same", **FIRST},
     [2, 3, 2, 3]),

    ("Conv1DTranspose", {"filters": 3, "kernel_size": [3], "strides": [2]}, [2, 4, 2]),
    ("Conv1DTranspose", {"filters": 2, "kernel_size": [4], "strides": [3], "padding": "same"}, [1, 5, 3]),
    ("Conv1DTranspose", {"filters": 2, "kernel_size": [2], "strides": [3], "output_padding": [1]}, [1, 3, 2]),
    ("Conv1DTranspose", {"filters": 2, "kernel_size": [3], "dilation_rate": [2], "use_bias": False}, [1, 4, 2]),
    ("Conv1DTranspose", {"filters": 2, "kernel_size": [3], "strides": [2], "padding": "same", **FIRST}, [2, 3, 4]),

    ("DepthwiseConv1D", {"kernel_size": [3]}, [2, 5, 3]),
    ("DepthwiseConv1D", {"kernel_size": [3], "strides": [2], "padding": "same", "depth_multiplier": 2}, [1, 6, 2]),
    ("DepthwiseConv1D", {"kernel_size": [2], "dilation_rate": [3], "use_bias": False}, [1, 7, 3]),
    ("DepthwiseConv1D", {"kernel_size": [3], "padding": "same", "depth_multiplier": 2, **FIRST}, [2, 2, 5]),
    ("SeparableConv1D", {"filters": 3, "kernel_size": [3]}, [2, 5, 2]),
    ("SeparableConv1D", {"filters": 2, "kernel_size": [2], "strides": [2], "padding": "same", "depth_multiplier": 2},
     [1, 7, 3]),
    ("SeparableConv1D", {"filters": 2, "kernel_size": [2], "dilation_rate": [2], "use_bias": False}, [1, 5, 1]),
    ("SeparableConv1D", {"filters": 3, "kernel_size": [3], "padding": "same", **FIRST}, [2, 2, 4]),

    ("DepthwiseConv2D", {"kernel_size": [3, 2]}, [2, 5, 4, 3]),
    ("DepthwiseConv2D", {"kernel_size": [3, 3], "strides": [2, 2], "padding": "same", "depth_multiplier": 2},
     [1, 5, 6, 2]),
    ("DepthwiseConv2D", {"kernel_size": [2, 3], "strides": [2, 1], "padding": "same", "depth_multiplier": 2},
     [1, 5, 4, 3]),
    ("DepthwiseConv2D", {"kernel_size": [3, 2], "strides": [2, 1], "use_bias": False}, [1, 6, 4, 2]),
    ("DepthwiseConv2D", {"kernel_size": [2, 2], "dilation_rate": [2, 2], "depth_multiplier": 3}, [1, 5, 4, 1]),
    ("DepthwiseConv2D", {"kernel_size": [3, 2], "dilation_rate": [2, 2], "padding": "same"}, [2, 5, 3, 2]),
    ("DepthwiseConv2D", {"kernel_size": [2, 2], "strides": [2, 2], "dilation_rate": [3, 3]}, [1, 6, 7, 2]),
    ("DepthwiseConv2D", {"kernel_size": [2, 3], "padding": "same", "depth_multiplier": 2, **FIRST}, [2, 2, 4, 3]),

    ("SeparableConv2D", {"filters": 3, "kernel_size": [3, 2]}, [2, 5, 4, 2]),
    ("SeparableConv2D", {"filters": 2, "kernel_size": [2, 3], "strides": [2, 2], "padding": "same",
                         "depth_multiplier": 2}, [1, 5, 6, 3]),
    ("SeparableConv2D", {"filters": 2, "kernel_size": [2, 2], "dilation_rate": [2, 2], "use_bias": False},
     [1, 5, 4, 1]),
    ("SeparableConv2D", {"filters": 3, "kernel_size": [3, 3], "padding": "same", **FIRST}, [2, 2, 3, 4]),

    ("ZeroPadding1D", {"padding": [1, 2]}, [2, 4, 3]),
    ("ZeroPadding1D", {"padding": [2, 0], **FIRST}, [1, 2, 3]),
    ("Cropping1D", {"cropping": [1, 2]}, [2, 5, 3]),
    ("UpSampling1D", {"size": [3]}, [2, 4, 2]),
    ("ZeroPadding2D", {"padding": [[1, 2], [0, 3]]}, [2, 3, 4, 2]),
    ("ZeroPadding2D", {"padding": [[2, 0], [1, 1]], **FIRST}, [1, 2, 3, 2]),
    ("Cropping2D", {"cropping": [[1, 2], [0, 3]]}, [2, 5, 4, 2]),
    ("Cropping2D", {"cropping": [[2, 0], [1, 1]], **FIRST}, [1, 3, 3, 4]),
    ("UpSampling2D", {"size": [2, 3]}, [2, 3, 2, 2]),
    ("UpSampling2D", {"size": [2, 3], "interpolation": "bilinear"}, [2, 3, 4, 2]),
    ("UpSampling2D", {"size": [4, 1], "interpolation": "bilinear"}, [1, 2, 3, 1]),
    ("UpSampling2D", {"size": [3, 2], "interpolation": "bilinear"}, [1, 1, 5, 2]),
    ("UpSampling2D", {"size": [2, 2], "interpolation": "bilinear", **FIRST}, [1, 2, 2, 3]),

    ("MaxPooling1D", {"pool_size": [3], "strides": [2]}, [2, 8, 2]),
    ("MaxPooling1D", {"pool_size": [4], "strides": [3], "padding": "same"}, [2, 8, 3]),
    ("MaxPooling1D", {"pool_size": [2], "strides": [2], **FIRST}, [2, 3, 5]),
    ("MaxPooling2D", {"pool_size": [3, 2], "strides": [2, 1], "padding": "same", **FIRST}, [2, 2, 5, 4]),
    ("MaxPooling2D", {"pool_size": [2, 2], "strides": [2, 2]}, [1, 5, 7, 1]),
    ("AveragePooling1D", {"pool_size": [3], "strides": [2]}, [2, 8, 2]),
    ("AveragePooling1D", {"pool_size": [4], "strides": [3], "padding": "same"}, [2, 8, 3]),
    ("AveragePooling1D", {"pool_size": [2], "strides": [2], **FIRST}, [2, 3, 5]),
    ("AveragePooling2D", {"pool_size": [3, 2], "strides": [2, 1], "padding": "same", **FIRST}, [2, 2, 5, 4]),
    ("AveragePooling2D", {"pool_size": [2, 2], "strides": [2, 2]}, [1, 5, 7, 1]),
    *((f"Global{kind}Pooling1D", arguments, [2, 5, 3])
      for kind in ("Max", "Average") for arguments in ({}, {"keepdims": True}, FIRST)),
    *((f"Global{kind}Pooling2D", arguments, [2, 5, 3, 4])
      for kind in ("Max", "Average")
      for arguments in ({}, {"keepdims": True}, FIRST, {"keepdims": True, **FIRST})),
    *((f"Adaptive{kind}Pooling1D", arguments, shape)
      for kind in ("Max", "Average")
      for arguments, shape in (({"output_size": [4]}, [2, 9, 2]), ({"output_size": [3]}, [1, 6, 2]),
                               ({"output_size": [5]}, [1, 3, 2]), ({"output_size": [2], **FIRST}, [2, 3, 7]))),
    *((f"Adaptive{kind}Pooling2D", arguments, shape)
      for kind in ("Max", "Average")
      for arguments, shape in (({"output_size": [3, 2]}, [2, 7, 5, 2]), ({"output_size": [2, 3]}, [1, 4, 6, 3]),
                               ({"output_size": [2, 2]}, [1, 3, 5, 2]), ({"output_size": [3, 2]}, [2, 4, 4, 2]),
                               ({"output_size": [3, 3], **FIRST}, [2, 3, 5, 4]))),
    # For maxima TensorFlow divides by zero where there are more windows than pixels, and gives gradients from memory that
    # nobody wrote where there is one row or column of windows.
    ("AdaptiveAveragePooling2D", {"output_size": [4, 1]}, [1, 3, 5, 2]),
    ("Flatten", {}, [2, 3, 2, 2]),
    ("Flatten", FIRST, [2, 3, 2, 4]),
    ("Flatten", FIRST, [2, 3, 4]),
]


def torch_layer(name, arguments, output_size):
    """The layer as a function of channels-first images and of parameters as Keras has them; 1-D layers get images of
    height 1."""
    is_sequence = "1D" in name

    def pair(key, default):
        extents = arguments.get(key, [default])
        return [1] * is_sequence + extents * (2 if len(extents) == 1 and not is_sequence else 1)

    padding = arguments.get("padding", "valid")
    strides, dilation = pair("strides", 1), pair("dilation_rate", 1)

    def window(key, x, fill=0.0):
        if padding == "causal":
            return functional.pad(x, ((pair(key, 1)[1] - 1) * dilation[1], 0))
        return torch_pad(x, pair(key, 1), strides, dilation, padding, fill)

    def convolution(x, kernel, bias=None):
        if kernel.ndim == 3:
            kernel = kernel.unsqueeze(0)
        return functional.conv2d(window("kernel_size", x), kernel.permute(3, 2, 0, 1).contiguous(), bias, strides, 0,
                                 dilation, arguments.get("groups", 1))

    def depthwise(x, kernel, bias=None):
        if kernel.ndim == 3:
            kernel = kernel.unsqueeze(0)
        filters = kernel.permute(2, 3, 0, 1).reshape(-1, 1, *kernel.shape[:2]).contiguous()
        return functional.conv2d(window("kernel_size", x), filters, bias, strides, 0, dilation, kernel.shape[2])

    def separable(x, kernel, pointwise, bias=None):
        if pointwise.ndim == 3:
            pointwise = pointwise.unsqueeze(0)
        return functional.conv2d(depthwise(x, kernel), pointwise.permute(3, 2, 0, 1).contiguous(), bias)

    def transposed(x, kernel, bias=None):
        if kernel.ndim == 3:
            kernel = kernel.unsqueeze(0)
        y = functional.conv_transpose2d(x, kernel.permute(3, 2, 0, 1).contiguous(), None, strides, dilation=dilation)
        borders = []
        for axis in (1, 0):
            more = ([1] * is_sequence + output_size)[axis] - y.shape[2 + axis]
            before = -(max(-more, 0) // 2)
            borders += [before, more - before]
        y = functional.pad(y, borders)
        return y if bias is None else y + bias.reshape(1, -1, 1, 1)

    def average(x):
        # The border does not count.
        sums, counts = (functional.avg_pool2d(window("pool_size", t), pair("pool_size", 1), strides)
                        for t in (x, torch.ones_like(x)))
        return sums / counts

    def sides(key, sign):
        (top, bottom), (left, right) = ([[0, 0], arguments[key]] if is_sequence else arguments[key])
        return lambda x: functional.pad(x, [sign * n for n in (left, right, top, bottom)])

    def upsampling(x):
        mode = arguments.get("interpolation", "nearest")
        flags = {} if mode == "nearest" else {"align_corners": False}
        return functional.interpolate(x, scale_factor=[float(n) for n in pair("size", 2)], mode=mode, **flags)

    def kept(y):
        return y if arguments.get("keepdims") else y.flatten(1)

    return {
        "Conv": lambda: convolution, "ConvTranspose": lambda: transposed,
        "DepthwiseConv": lambda: depthwise, "SeparableConv": lambda: separable,
        "ZeroPadding": lambda: sides("padding", 1), "Cropping": lambda: sides("cropping", -1),
        "UpSampling": lambda: upsampling,
        "MaxPooling": lambda: lambda x: functional.max_pool2d(
            window("pool_size", x, -torch.inf), pair("pool_size", 1), strides),
        "AveragePooling": lambda: average,
        "GlobalMaxPooling": lambda: lambda x: kept(x.amax((2, 3), keepdim=True)),
        "GlobalAveragePooling": lambda: lambda x: kept(x.mean((2, 3), keepdim=True)),
        "AdaptiveMaxPooling": lambda: lambda x: functional.adaptive_max_pool2d(x.contiguous(), pair("output_size", 1)),
        "AdaptiveAveragePooling": lambda: lambda x: functional.adaptive_avg_pool2d(x.contiguous(), pair("output_size", 1)),
        "Flatten": lambda: lambda x: x.permute(0, 2, 3, 1).flatten(1),
    }[name.replace("1D", "").replace("2D", "")]()


def run_torch(name, arguments, arrays, output_shape):
    leaves = [torch.tensor(array, dtype=torch.float64, requires_grad=True) for array in arrays]
    first = "data_format" in arguments
    x = leaves[0] if first else leaves[0].movedim(-1, 1)
    is_sequence = x.ndim == 3
    if is_sequence:
        x = x.unsqueeze(2)
    output_size = output_shape[2:] if first else output_shape[1:-1]
    y = torch_layer(name, arguments, output_size)(x, *leaves[1:])
    if y.ndim == 4:
        y = y.squeeze(2) if is_sequence else y
        y = y if first else y.movedim(1, -1)
    (y * torch.tensor(value(0, tuple(y.shape)), dtype=torch.float64)).sum().backward()
    return [y.detach().numpy()] + [leaf.grad.numpy() for leaf in leaves]


def keras_arguments(name, arguments):
    """Where Keras wants a number for a list of one."""
    return {key: x[0] if "1D" in name and key in ("size", "output_size") else x for key, x in arguments.items()}


def keras_shapes(name, arguments, input_shape):
    layer = getattr(keras.layers, name)(**keras_arguments(name, arguments))
    layer.build(input_shape)
    return [tuple(w.shape) for w in layer.weights], list(layer.compute_output_shape(tuple(input_shape)))


def run_keras_layer(name, arguments, arrays, dtype):
    unequal = len(set(arguments.get("strides", [1]))) > 1
    if name == "DepthwiseConv2D" and unequal:
        kernel = arrays[1]
        channels, multiplier = kernel.shape[2:]
        settings = {key: x for key, x in arguments.items() if key != "depth_multiplier"}
        grouped = kernel.reshape(*kernel.shape[:2], 1, -1)
        output, image, slope, *rest = run_keras(
            lambda dtype: keras.layers.Conv2D(channels * multiplier, groups=channels, dtype=dtype, **settings),
            [arrays[0], grouped, *arrays[2:]], dtype)
        return [output, image, slope.reshape(kernel.shape), *rest]
    layer = getattr(keras.layers, name)
    arguments = keras_arguments(name, arguments)
    try:
        return run_keras(lambda dtype: layer(dtype=dtype, **arguments), arrays, dtype)
    except (tf.errors.UnimplementedError, tf.errors.InvalidArgumentError):
        if "data_format" not in arguments:
            return None
        return run_keras(lambda dtype: ChannelsMoved(layer, arguments, dtype), arrays, dtype)


class ChannelsMoved:
    """A layer that gets and gives channels first, around one of Keras's that has them last."""

    def __init__(self, layer, arguments, dtype):
        self.layer = layer(dtype=dtype, **{**arguments, "data_format": "channels_last"})

    def build(self, shape):
        self.layer.build([shape[0], *shape[2:], shape[1]])
        self.set_weights, self.trainable_weights = self.layer.set_weights, self.layer.trainable_weights

    def __call__(self, x):
        return keras.ops.moveaxis(self.layer(keras.ops.moveaxis(x, 1, -1)), -1, 1)


def record(name, arguments, input_shape):
    weights, output_shape = keras_shapes(name, arguments, input_shape)
    arrays = [value(1, input_shape)] + [value(2 + i, shape) for i, shape in enumerate(weights)]
    expected = run_torch(name, arguments, arrays, output_shape)
    if list(expected[0].shape) != output_shape:
        raise SystemExit(f"{name} {arguments}: PyTorch gives {expected[0].shape}, Keras {output_shape}")
    for dtype in ("float64", "float32"):
        found = run_keras_layer(name, arguments, arrays, dtype)
        if found is None and dtype == "float64":
            continue
        # TensorFlow interpolates in float32.
        tolerance = EXACT if dtype == "float64" and "interpolation" not in arguments else ROUNDED
        for index, (a, b) in enumerate(zip(found, expected, strict=True)):
            require_agreement(f"{name} {arguments}, result {index}, {dtype}", a, b, tolerance)
    return {"layer": name, "arguments": arguments, "input_shape": input_shape, "output_shape": output_shape,
            "output": numbers(expected[0]), "gradients": [numbers(g) for g in expected[1:]]}


if __name__ == "__main__":
    write_json(HERE / "spatial_layers.json", {"versions": VERSIONS, "cases": [record(*case) for case in CASES]})
