"""Writes other_layers.json: normalizations, rectifiers, layers with several inputs, the activations that layers.json lacks,
regularizers and constraints.

Run with the packages of Benchmarks/peers/requirements.txt: python make_other_layers.py

Every loss is sum(output * upstream) with upstream = value(0, i), so that a gradient sees each output differently. The recipe
of `value` is in Tests/FoveaTrainingTests/Golden/hashed_values.py.

    activations          "inputs" are in the file; log_softmax takes them as [3, 5] over the last axis
    layers               the k-th input is value(1 + k, i) * 2, the k-th parameter value(11 + k, i)
    batch_normalization  three steps of training with inputs value(1 + step, i) * 2; gamma = value(11, i),
                         beta = value(12, i). "output" and the gradients are those of the last step; then inference with
                         the same input
    normalization        data = value(1, i) * 2
    regularizers         of value(1, i); activity losses are those of a layer with that output
    constraints          of value(1, i) * 2

The numbers are Keras's in float64, and PyTorch's in float64 agrees; where TensorFlow has float32 only (local response
normalization) they are PyTorch's, and TensorFlow agrees as far as float32 allows.
"""

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
import tensorflow as tf  # noqa: E402
from torch.nn import functional  # noqa: E402

from hashed_values import numbers, require_agreement, value, write_json  # noqa: E402

# Keras rounds settings such as a slope of 0.3 to float32.
EXACT, ROUNDED = 1e-7, 1e-5

# 15 float32 numbers, none of them where two pieces of a function meet.
INPUTS = [-9.5, -4.25, -2.25, -1.25, -0.75, -0.25, -2.0**-10, 2.0**-10, 0.125, 0.5, 1.25, 2.5, 3.5, 5.75, 9]


def upstream(shape):
    return value(0, tuple(shape)).astype(np.float64)


def keras_run(function, arrays):
    """Outputs and gradients of a function of float64 tensors."""
    leaves = [tf.constant(array, "float64") for array in arrays]
    with tf.GradientTape() as tape:
        tape.watch(leaves)
        output = function(*leaves)
        loss = tf.reduce_sum(output * upstream(output.shape))
    return [output.numpy()] + [g.numpy() for g in tape.gradient(loss, leaves)]


def torch_run(function, arrays):
    leaves = [torch.tensor(array, dtype=torch.float64, requires_grad=True) for array in arrays]
    output = function(*leaves)
    (output * torch.tensor(upstream(output.shape))).sum().backward()
    return [output.detach().numpy()] + [leaf.grad.numpy() for leaf in leaves]


def agreed(what, ours, others, tolerance=EXACT):
    for index, (a, b) in enumerate(zip(ours, others, strict=True)):
        require_agreement(f"{what}: number {index}", b, a, tolerance)
    return {"output_shape": list(ours[0].shape), "output": numbers(ours[0]),
            "gradients": [numbers(g) for g in ours[1:]]}


def activations():
    a = keras.activations
    for name, with_keras, with_torch in [
        ("relu6", a.relu6, functional.relu6),
        ("selu", a.selu, functional.selu),
        ("celu", a.celu, functional.celu),
        ("gelu_tanh", lambda x: a.gelu(x, approximate=True),
         lambda x: functional.gelu(x, approximate="tanh")),
        ("softsign", a.softsign, functional.softsign),
        ("log_sigmoid", a.log_sigmoid, functional.logsigmoid),
        ("hard_sigmoid", a.hard_sigmoid, functional.hardsigmoid),
        ("hard_silu", a.hard_silu, functional.hardswish),
        ("hard_tanh", a.hard_tanh, functional.hardtanh),
        ("exponential", a.exponential, torch.exp),
        ("mish", a.mish, functional.mish),
        ("log_softmax", a.log_softmax, lambda x: x.log_softmax(-1)),
    ]:
        shape = (3, 5) if name == "log_softmax" else (15,)
        arrays = [np.array(INPUTS).reshape(shape)]
        yield {"name": name, "shape": list(shape),
               **agreed(name, keras_run(with_keras, arrays), torch_run(with_torch, arrays))}


def record(name, settings, layer, with_torch, shapes, parameters=(), axis=None):
    """A layer of Keras against a function of PyTorch; both get inputs and parameters as their arguments."""
    arrays = [value(1 + k, shape, 2) for k, shape in enumerate(shapes)]
    arrays += [value(11 + k, shape) for k, shape in enumerate(parameters)]
    count = len(shapes)

    def with_keras(*tensors):
        inputs = list(tensors[:count])
        if not parameters:
            return layer(inputs if count > 1 else inputs[0])
        layer.build(inputs[0].shape)
        for variable in layer.weights:
            assert variable.shape in [tuple(p) for p in parameters], (name, variable.shape)
        # A scope in which the weights are these tensors, so that the tape sees them.
        scope = keras.StatelessScope(
            state_mapping=list(zip(layer.weights, tensors[count:], strict=True)))
        with scope:
            return layer(inputs[0])

    return {"name": name, "settings": settings, "input_shapes": [list(s) for s in shapes],
            "parameter_shapes": [list(p) for p in parameters],
            **agreed(f"{name} {settings}", keras_run(with_keras, arrays), torch_run(with_torch, arrays))}


def layers():
    kinds = keras.layers
    double = {"dtype": "float64"}

    def layer_norm(axes, epsilon):
        def run(x, gamma=None, beta=None):
            last = [a for a in range(x.ndim) if a not in axes] + list(axes)
            back = [last.index(a) for a in range(x.ndim)]
            moved = x.permute(last)
            shape = moved.shape[-len(axes):]
            return functional.layer_norm(moved, shape, gamma, beta, epsilon).permute(back)
        return run

    for shape, axes, epsilon in [((3, 7), [-1], 1e-3), ((2, 3, 2, 5), [-1], 1e-5), ((2, 3, 2, 4), [1, 2, 3], 1e-3),
                                 ((2, 5, 3), [1], 1e-3)]:
        positive = sorted(a % len(shape) for a in axes)
        extents = tuple(shape[a] for a in positive)
        yield record("LayerNormalization", {"axis": axes, "epsilon": epsilon},
                     kinds.LayerNormalization(axis=axes, epsilon=epsilon, **double),
                     layer_norm(positive, epsilon), [shape], [extents, extents])

    for shape, shared in [((2, 3, 2, 4), [1, 2]), ((3, 5), [])]:
        parameter = tuple(1 if a in shared else n for a, n in enumerate(shape) if a > 0)
        yield record("PReLU", {"shared_axes": shared}, kinds.PReLU(shared_axes=shared or None, **double),
                     (lambda x, w: functional.prelu(x.permute(0, 3, 1, 2), w.ravel()).permute(0, 2, 3, 1))
                     if shared else lambda x, w: torch.where(x > 0, x, w * x), [shape], [parameter])

    def group_norm(groups, axis, epsilon):
        def run(x, gamma=None, beta=None):
            moved = x.movedim(axis, 1)
            return functional.group_norm(moved, moved.shape[1] if groups == -1 else groups, gamma, beta,
                                         epsilon).movedim(1, axis)
        return run

    for shape, groups, axis, epsilon in [((2, 3, 2, 6), 3, -1, 1e-3), ((3, 8), 2, -1, 1e-5), ((2, 4, 3, 2), 2, 1, 1e-2),
                                         ((2, 3, 3, 5), 5, -1, 1e-3), ((2, 4, 2, 3), 1, -1, 1e-3)]:
        channels = (shape[axis],)
        yield record("GroupNormalization", {"groups": groups, "axis": axis, "epsilon": epsilon},
                     kinds.GroupNormalization(groups=groups, axis=axis, epsilon=epsilon, **double),
                     group_norm(groups, axis, epsilon), [shape], [channels, channels])
    yield record("GroupNormalization", {"groups": -1, "center": False}, kinds.GroupNormalization(-1, center=False, **double),
                 group_norm(-1, -1, 1e-3), [(2, 3, 2, 4)], [(4,)])

    for shape, axes, epsilon in [((3, 7), [-1], 1e-6), ((2, 3, 2, 4), [2, 3], 1e-2), ((2, 5, 3), [1, 2], 1e-6)]:
        positive = sorted(a % len(shape) for a in axes)
        extents = tuple(shape[a] for a in positive)
        wide_shape = [n if a in positive else 1 for a, n in enumerate(shape)]
        yield record("RMSNormalization", {"axis": axes, "epsilon": epsilon},
                     kinds.RMSNormalization(axis=axes, epsilon=epsilon, **double),
                     lambda x, w, p=positive, e=epsilon, s=wide_shape:
                     x / (x.square().mean(p, keepdim=True) + e).sqrt() * w.reshape(s), [shape], [extents])
    for shape, axes in [((3, 7), [-1]), ((2, 3, 2, 4), [1, 2]), ((2, 5, 3), [1])]:
        yield record("UnitNormalization", {"axis": axes}, kinds.UnitNormalization(axes, **double),
                     lambda x, a=axes: x / torch.linalg.vector_norm(x, dim=a, keepdim=True), [shape])
    yield record("RepeatVector", {"n": 3}, kinds.RepeatVector(3, **double), lambda x: x[:, None].expand(-1, 3, -1), [(2, 5)])
    yield record("Identity", {}, kinds.Identity(**double), lambda x: x * 1, [(2, 3, 2)])

    for shapes, axes, letters, normalize in [
        ([(3, 4), (3, 4)], [1, 1], "bk,bk->b", False), ([(3, 4), (3, 4)], [-1, -1], "bk,bk->b", True),
        ([(2, 3, 4), (2, 4, 5)], [2, 1], "bik,bkj->bij", False), ([(2, 4, 3), (2, 5, 4)], [1, -1], "bki,bjk->bij", True),
        ([(2, 4), (2, 3, 4)], [1, 2], "bk,bjk->bj", False), ([(2, 3, 4), (2, 3)], [1, 1], "bki,bk->bi", False),
        ([(2, 3, 2, 4), (2, 5, 2, 2)], [2, 3], "bhkc,bijk->bhcij", False),
    ]:
        def product(a, b, axes=axes, letters=letters, normalize=normalize):
            if normalize:
                a, b = (x / torch.linalg.vector_norm(x, dim=k, keepdim=True) for x, k in zip((a, b), axes))
            y = torch.einsum(letters, a, b)
            return y[:, None] if y.ndim == 1 else y
        yield record("Dot", {"axes": axes, "normalize": normalize}, kinds.Dot(axes, normalize=normalize, **double),
                     product, shapes)

    rows = [(3, 11)]
    yield record("LeakyReLU", {"negative_slope": 0.3}, kinds.LeakyReLU(**double),
                 lambda x: functional.leaky_relu(x, 0.3), rows)
    yield record("ELU", {"alpha": 0.7}, kinds.ELU(0.7, **double), lambda x: functional.elu(x, 0.7), rows)
    yield record("ReLU", {}, kinds.ReLU(**double), torch.relu, rows)
    yield record("ReLU", {"max_value": 1.25}, kinds.ReLU(1.25, **double), lambda x: x.clamp(0, 1.25), rows)
    yield record("ReLU", {"max_value": 1.25, "negative_slope": 0.1, "threshold": 0.5},
                 kinds.ReLU(1.25, 0.1, 0.5, **double),
                 lambda x: torch.where(x > 0.5, x.clamp(max=1.25), 0.1 * (x - 0.5)), rows)
    yield record("Softmax", {"axis": 1}, kinds.Softmax(axis=1, **double), lambda x: x.softmax(1), [(2, 4, 3)])
    yield record("Softmax", {"axis": -1}, kinds.Softmax(**double), lambda x: x.softmax(-1), [(2, 3, 4)])
    yield record("Permute", {"dims": [3, 1, 2]}, kinds.Permute((3, 1, 2)), lambda x: x.permute(0, 3, 1, 2), [(2, 2, 3, 4)])
    yield record("Rescaling", {"scale": 0.125, "offset": -1.5}, kinds.Rescaling(0.125, -1.5, **double),
                 lambda x: x * 0.125 - 1.5, rows)

    def wide(x):
        return x[:, None, None, :]

    same, images, channels, mask = [(2, 5)] * 3, (2, 3, 2, 4), (2, 4), (2, 3, 2, 1)
    for name, count, function in [
        ("Add", 3, lambda a, b, c: a + b + c),
        ("Subtract", 2, lambda a, b: a - b),
        ("Multiply", 3, lambda a, b, c: a * b * c),
        ("Average", 3, lambda a, b, c: (a + b + c) / 3),
        ("Maximum", 3, lambda a, b, c: torch.maximum(torch.maximum(a, b), c)),
        ("Minimum", 3, lambda a, b, c: torch.minimum(torch.minimum(a, b), c)),
    ]:
        make = getattr(kinds, name)
        yield record(name, {}, make(**double), function, same[:count])
        if count == 3:
            yield record(name, {}, make(**double),
                         lambda a, b, c, f=function: f(wide(a), b, c), [channels, images, mask])
    yield record("Subtract", {}, kinds.Subtract(**double), lambda a, b: a - wide(b), [images, channels])
    for axis in [-1, 1, 2]:
        shapes = [[2, 3, 2, 2], [2, 3, 2, 2]]
        shapes[1][axis] = 3
        yield record("Concatenate", {"axis": axis}, kinds.Concatenate(axis=axis, **double),
                     lambda a, b, axis=axis: torch.cat([a, b], axis), [tuple(s) for s in shapes])

    # TensorFlow has it in float32 only.
    for shape, radius, bias, alpha, beta in [((2, 2, 3, 7), 5, 1, 1, 0.5), ((1, 3, 2, 8), 2, 2, 1e-4, 0.75),
                                             ((2, 3, 1, 5), 1, 0.5, 2, 1.5)]:
        size = 2 * radius + 1
        arrays = [value(1, shape, 2)]
        ours = torch_run(lambda x: functional.local_response_norm(
            x.permute(0, 3, 1, 2), size, alpha * size, beta, bias).permute(0, 2, 3, 1), arrays)
        others = keras_run(lambda x: tf.cast(tf.nn.local_response_normalization(
            tf.cast(x, "float32"), radius, bias, alpha, beta), "float64"), arrays)
        settings = {"depth_radius": radius, "bias": bias, "alpha": alpha, "beta": beta}
        yield {"name": "LocalResponseNormalization", "settings": settings, "input_shapes": [list(shape)],
               "parameter_shapes": [],
               **agreed(f"LRN {settings}", ours, others, ROUNDED)}


# shape, axis, momentum, epsilon, center, scale
BATCH_NORMALIZATIONS = [
    ((4, 3, 2, 3), -1, 0.99, 1e-3, True, True), ((3, 2, 4, 3), 1, 0.9, 1e-5, True, True),
    ((5, 4), -1, 0.5, 1e-3, True, False), ((3, 3, 2), -1, 0.75, 1e-2, False, True),
]


def batch_normalizations():
    for shape, axis, momentum, epsilon, center, scale in BATCH_NORMALIZATIONS:
        channels = shape[axis]
        layer = keras.layers.BatchNormalization(
            axis=axis, momentum=momentum, epsilon=epsilon, center=center, scale=scale, dtype="float64")
        layer.build(shape)
        arrays = ([value(11, (channels,))] if scale else []) + ([value(12, (channels,))] if center else [])
        mean, variance = np.zeros(channels), np.ones(channels)
        layer.set_weights([*arrays, mean, variance])
        running = torch.zeros(channels, dtype=torch.float64), torch.ones(channels, dtype=torch.float64)
        place = axis % len(shape)
        order = [place] + [a for a in range(len(shape)) if a != place]
        order[0:2] = order[1], order[0]  # Examples, channels, the rest.
        count = np.prod(shape) // channels

        def with_torch(training):
            def run(x, *learned):
                learned = list(learned)
                gamma = learned.pop(0) if scale else None
                beta = learned.pop(0) if center else None
                y = functional.batch_norm(x.permute(order), *running, gamma, beta, training, 0.0, epsilon)
                return y.permute([order.index(a) for a in range(len(shape))])
            return run

        def with_keras(training):
            x = tf.constant(inputs, "float64")
            with tf.GradientTape() as tape:
                tape.watch(x)
                output = layer(x, training=training)
                loss = tf.reduce_sum(output * upstream(shape))
            leaves = [x] + [w.value for w in layer.trainable_weights]
            return [output.numpy()] + [g.numpy() for g in tape.gradient(loss, leaves)]

        for step in range(3):
            inputs = value(1 + step, shape, 2)
            # PyTorch keeps unbiased variances.
            kept = torch.zeros(channels, dtype=torch.float64), torch.ones(channels, dtype=torch.float64)
            functional.batch_norm(torch.tensor(inputs, dtype=torch.float64).permute(order), *kept, None, None, True, 1.0)
            running[0].mul_(momentum).add_(kept[0] * (1 - momentum))
            running[1].mul_(momentum).add_(kept[1] * ((count - 1) / count) * (1 - momentum))
            ours = with_keras(True)
        what = f"batch normalization {shape}"
        training = agreed(f"{what}, training", ours, torch_run(with_torch(True), [inputs, *arrays]))
        inference = agreed(f"{what}, inference", with_keras(False), torch_run(with_torch(False), [inputs, *arrays]))
        moving = [w.numpy() for w in layer.non_trainable_weights]
        for name, a, b in zip(["mean", "variance"], moving, running):
            require_agreement(f"{what}, moving {name}", b.numpy(), a, EXACT)
        yield {"shape": list(shape), "axis": axis, "momentum": momentum, "epsilon": epsilon, "center": center,
               "scale": scale, "training": training, "inference": inference,
               "moving_mean": numbers(moving[0]), "moving_variance": numbers(moving[1])}


def normalizations():
    for shape, axis in [((4, 3, 2, 3), -1), ((5, 4), -1), ((3, 4, 5), 1)]:
        data = value(1, shape, 2).astype(np.float64)
        layer = keras.layers.Normalization(axis=axis, dtype="float64")
        layer.adapt(data)
        others = tuple(a for a in range(len(shape)) if a != axis % len(shape))
        x = torch.tensor(data)
        mean, variance = x.mean(others, keepdim=True), x.var(others, correction=0, keepdim=True)
        ours = [np.asarray(layer(data)), layer.mean.numpy(), layer.variance.numpy()]
        for name, a, b in zip(["output", "mean", "variance"], ours, [(x - mean) / variance.sqrt(), mean, variance]):
            require_agreement(f"normalization {shape}: {name}", b.numpy(), a, 1e-6)
        yield {"shape": list(shape), "axis": axis, "output": numbers(ours[0]), "mean": numbers(ours[1]),
               "variance": numbers(ours[2])}


def regularizers():
    """The penalty of a tensor, and the loss that a layer adds whose output it is."""
    shape = (4, 3, 2)
    x = value(1, shape).astype(np.float64)
    for l1, l2 in [(0.01, 0.0), (0.0, 0.25), (0.125, 0.5)]:
        penalty = float(keras.regularizers.L1L2(l1, l2)(tf.constant(x)))
        layer = keras.layers.ActivityRegularization(l1, l2, dtype="float64")
        layer(tf.constant(x))
        expected = l1 * np.abs(x).sum() + l2 * (x * x).sum()
        require_agreement("regularizer", penalty, expected, 1e-6)
        require_agreement("activity", float(layer.losses[0]), expected / shape[0], 1e-6)
        yield {"shape": list(shape), "l1": l1, "l2": l2, "penalty": penalty,
               "activity_loss": float(layer.losses[0])}


def constraints():
    kinds = keras.constraints
    for name, settings, constraint, shape in [
        ("MaxNorm", {"max_value": 1.5, "axis": [0]}, kinds.MaxNorm(1.5, 0), (4, 3)),
        ("MaxNorm", {"max_value": 2.0, "axis": [0, 1, 2]}, kinds.MaxNorm(2.0, [0, 1, 2]), (3, 2, 2, 3)),
        ("NonNeg", {}, kinds.NonNeg(), (4, 3)),
        ("UnitNorm", {"axis": [0]}, kinds.UnitNorm(0), (4, 3)),
        ("MinMaxNorm", {"min_value": 1.0, "max_value": 1.75, "rate": 0.75, "axis": [0]},
         kinds.MinMaxNorm(1.0, 1.75, 0.75, 0), (4, 3)),
    ]:
        w = value(1, shape, 2).astype(np.float64)
        values = np.asarray(constraint(tf.constant(w)))
        if name == "MaxNorm":
            # PyTorch scales slices along one axis.
            axis = len(shape) - 1
            other = torch.renorm(torch.tensor(w), 2, axis, settings["max_value"]).numpy()
            require_agreement(f"{name} {settings}", other, values, 1e-6)
        if name == "UnitNorm":
            require_agreement(name, functional.normalize(torch.tensor(w), dim=0).numpy(), values, 1e-6)
        yield {"class_name": name, "config": settings, "shape": list(shape), "output": numbers(values)}


if __name__ == "__main__":
    write_json(HERE / "other_layers.json", {
        "versions": {"keras": keras.__version__, "tensorflow": tf.__version__, "torch": torch.__version__},
        "inputs": INPUTS,
        "activations": list(activations()),
        "layers": list(layers()),
        "batch_normalization": list(batch_normalizations()),
        "normalization": list(normalizations()),
        "regularizers": list(regularizers()),
        "constraints": list(constraints())})
