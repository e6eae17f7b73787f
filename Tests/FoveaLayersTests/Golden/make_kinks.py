"""Writes kinks.json: the derivatives that Keras has where two pieces of a function meet.

Run with the packages of Benchmarks/peers/requirements.txt: python make_kinks.py

They are those of Keras with TensorFlow, in float32, of the sum of the outputs; other backends of Keras have their own.

    activations   "slopes" at "points"
    layers        "slopes" of each input at its points, all of one shape
    losses        "slopes" of the predictions, one loss per example
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "FoveaTrainingTests" / "Golden"))

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

from hashed_values import numbers, write_json  # noqa: E402

POINTS = [-20.0, -6.0, -3.0, -1.0, -0.0, 0.0, 1.0, 3.0, 6.0, 20.0]
ACTIVATIONS = [
    "linear", "relu", "relu6", "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "softplus", "softsign", "sigmoid",
    "log_sigmoid", "hard_sigmoid", "hard_silu", "tanh", "hard_tanh", "exponential", "mish",
]


def slopes(function, *inputs):
    leaves = [tf.constant(x, "float32") for x in inputs]
    with tf.GradientTape() as tape:
        tape.watch(leaves)
        loss = tf.reduce_sum(function(*leaves))
    return [numbers(tf.convert_to_tensor(g).numpy()) for g in tape.gradient(loss, leaves)]


def layer(class_name, settings, *inputs):
    made = getattr(keras.layers, class_name)(**settings)
    arguments = (lambda *x: made(list(x))) if len(inputs) > 1 else made
    shape = list(tf.constant(inputs[0]).shape)
    return {
        "class_name": class_name, "settings": settings, "shape": shape,
        "inputs": [numbers(tf.constant(x, "float32").numpy()) for x in inputs],
        "slopes": slopes(arguments, *inputs)}


def layers():
    row = [POINTS]
    for settings in [
        {}, {"max_value": 6.0}, {"max_value": 3.0}, {"negative_slope": 0.25}, {"threshold": 1.0},
        {"max_value": 6.0, "threshold": 1.0}, {"max_value": 6.0, "negative_slope": 0.25},
        {"max_value": 3.0, "negative_slope": 0.25}, {"threshold": 1.0, "negative_slope": 0.25},
    ]:
        yield layer("ReLU", settings, row)
    yield layer("LeakyReLU", {"negative_slope": 0.25}, row)
    yield layer("PReLU", {"alpha_initializer": keras.initializers.Constant(0.25)}, row)
    yield layer("ELU", {"alpha": 1.0}, row)
    yield layer("ELU", {"alpha": 0.5}, row)
    ties = [1.0, 2.0, 3.0, -0.0, 0.0, 0.0], [1.0, 3.0, 2.0, 0.0, -0.0, 0.0], [1.0, 3.0, 3.0, 0.0, 0.0, 0.0]
    for name in ["Maximum", "Minimum"]:
        yield layer(name, {}, *[[x] for x in ties])
    image = [[[[1.0], [2.0], [0.0]], [[2.0], [2.0], [0.0]], [[0.0], [0.0], [0.0]]]]
    yield layer("GlobalMaxPooling2D", {}, image)
    yield layer("MaxPooling2D", {"pool_size": 2, "strides": 1}, image)


def losses():
    predictions = [[0.0, 1.0], [1.0, 1.0], [-1.0, 2.0], [0.5, -0.0]]
    targets = [[0.0, 1.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]
    for name, made in [
        ("mean_absolute_error", keras.losses.MeanAbsoluteError(reduction="sum")),
        ("huber", keras.losses.Huber(reduction="sum")),
        ("hinge", keras.losses.Hinge(reduction="sum")),
        ("squared_hinge", keras.losses.SquaredHinge(reduction="sum")),
        ("categorical_hinge", keras.losses.CategoricalHinge(reduction="sum")),
    ]:
        yield {
            "name": name, "targets": sum(targets, []), "predictions": sum(predictions, []),
            "slopes": slopes(lambda x: made(tf.constant(targets), x), predictions)[0]}
    l1 = keras.regularizers.L1(1.0)
    yield {"name": "l1", "targets": [], "predictions": POINTS, "slopes": slopes(lambda x: l1(x), POINTS)[0]}


def plain(record):
    settings = {k: v for k, v in record["settings"].items() if k != "alpha_initializer"}
    return {**record, "settings": settings}


write_json(
    HERE / "kinks.json",
    {
        "keras": keras.__version__, "tensorflow": tf.__version__, "points": POINTS,
        "activations": [
            {"name": name, "slopes": slopes(getattr(keras.activations, name), POINTS)[0]} for name in ACTIVATIONS],
        "layers": [plain(record) for record in layers()],
        "losses": list(losses()),
    })
