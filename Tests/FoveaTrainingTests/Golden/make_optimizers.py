"""Writes optimizers.json (20 steps of each optimizer) and losses.json (values and gradients of the losses).

Run with the packages of Benchmarks/peers/requirements.txt: python make_optimizers.py

optimizers.json: two variables, [3, 4] and [5], start at "start" and receive the same "gradients" (one list
per step, one list per variable, row-major) from every optimizer. The second variable's element 3 always has
the gradient 0 and its element 4 a tiny one, where the place of epsilon shows. "after" holds both variables
after the steps in "steps". The numbers are Keras's in float64 with Keras's defaults; they are written only
when Keras in float32 and the update formulas below agree.

losses.json: losses of small predictions, from logits and from probabilities, with probabilities of exactly
0 and 1, which Keras clips to [1e-7, 1 - 1e-7]. The numbers are Keras's in float32, because 1 - 1e-7 is
1 - 1.19e-7 there, which the clipped losses show. "values" has one loss per sample, "mean" is their mean,
"gradient" is the derivative of the mean with respect to the predictions. Where predictions are logits, and
for the mean squared error, PyTorch in float64 must agree. From probabilities Keras's two forms differ a
little: the sparse one takes the softmax of the logarithms of the clipped probabilities, the other one
divides the probabilities by their sum and then clips.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import torch  # noqa: E402  Loaded before TensorFlow, whose OpenMP it would otherwise meet.
import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from hashed_values import number, numbers, require_agreement, value, write_json  # noqa: E402

VERSIONS = {"keras": keras.__version__, "tensorflow": tf.__version__, "torch": torch.__version__}
SHAPES = [(3, 4), (5,)]
STEPS, KEPT = 20, [1, 2, 5, 10, 20]

OPTIMIZERS = [
    ("sgd", keras.optimizers.SGD, {}),
    ("sgd-momentum", keras.optimizers.SGD, {"momentum": 0.9}),
    ("sgd-nesterov", keras.optimizers.SGD, {"momentum": 0.9, "nesterov": True}),
    ("rmsprop", keras.optimizers.RMSprop, {}),
    ("rmsprop-momentum", keras.optimizers.RMSprop, {"momentum": 0.9}),
    ("rmsprop-centered", keras.optimizers.RMSprop, {"centered": True}),
    ("rmsprop-centered-momentum", keras.optimizers.RMSprop, {"centered": True, "momentum": 0.9}),
    ("adam", keras.optimizers.Adam, {}),
    ("adam-amsgrad", keras.optimizers.Adam, {"amsgrad": True}),
]


def start_values():
    return [value(v, shape, 0.1) for v, shape in enumerate(SHAPES)]


def gradients_of(step):
    """Gradients shrink after step 10, so that amsgrad's maximum differs from the running average."""
    gradients = [value(100 * step + v, shape, 1.0 if step <= 10 else 0.1) for v, shape in enumerate(SHAPES)]
    gradients[1][3] = 0
    gradients[1][4] *= np.float32(1e-6)
    return gradients


def with_keras(optimizer_class, arguments, dtype):
    keras.config.set_floatx(dtype)
    optimizer = optimizer_class(**arguments)
    variables = [keras.Variable(start, dtype=dtype) for start in start_values()]
    optimizer.build(variables)
    after = []
    for step in range(1, STEPS + 1):
        optimizer.apply([tf.constant(g, dtype) for g in gradients_of(step)], variables)
        if step in KEPT:
            after.append([variable.numpy().copy() for variable in variables])
    settings = {key: optimizer.get_config()[key] for key in
                ("learning_rate", "momentum", "nesterov", "rho", "epsilon", "centered", "beta_1", "beta_2",
                 "amsgrad") if key in optimizer.get_config()}
    settings["learning_rate"] = number(settings["learning_rate"])
    return settings, after


def with_formulas(optimizer_class, settings):
    """One parameter array at a time, in float64, as the definitions have it."""
    after = [[] for _ in KEPT]
    for v, start in enumerate(start_values()):
        x = start.astype(np.float64)
        m, s, mean, largest = (np.zeros_like(x) for _ in range(4))
        rate = settings["learning_rate"]
        for t in range(1, STEPS + 1):
            g = gradients_of(t)[v].astype(np.float64)
            if optimizer_class is keras.optimizers.SGD:
                m = settings["momentum"] * m - rate * g
                x = x + (settings["momentum"] * m - rate * g if settings["nesterov"] else m)
            elif optimizer_class is keras.optimizers.RMSprop:
                s = settings["rho"] * s + (1 - settings["rho"]) * g**2
                mean = settings["rho"] * mean + (1 - settings["rho"]) * g
                variance = s - mean**2 if settings["centered"] else s
                m = settings["momentum"] * m + rate * g / np.sqrt(variance + settings["epsilon"])
                x = x - m
            else:
                b1, b2 = settings["beta_1"], settings["beta_2"]
                m = b1 * m + (1 - b1) * g
                s = b2 * s + (1 - b2) * g**2
                largest = np.maximum(largest, s)
                second = largest if settings["amsgrad"] else s
                x = x - rate * np.sqrt(1 - b2**t) / (1 - b1**t) * m / (np.sqrt(second) + settings["epsilon"])
            if t in KEPT:
                after[KEPT.index(t)].append(x)
    return after


def optimizer_record(name, optimizer_class, arguments):
    settings, after = with_keras(optimizer_class, arguments, "float64")
    _, single = with_keras(optimizer_class, arguments, "float32")
    # Keras rounds some settings to float32 even when it computes in float64 (1 - 0.999 keeps 5 digits).
    formulas = with_formulas(optimizer_class, settings)
    for other, values in [("Keras float32", single), ("the formulas", formulas)]:
        worst = 0
        for step, a, b in zip(KEPT, values, after, strict=True):
            for start, x, y in zip(start_values(), a, b, strict=True):
                require_agreement(f"{name} step {step}, {other}", x, y, 1e-6)
                worst = max(worst, require_agreement(
                    f"{name} step {step}, movement, {other}", x - start, y - start, 1e-4))
        print(f"{name}: movements of {other} differ by at most {worst:.2g}")
    return {"name": name, "optimizer": optimizer_class.__name__, "settings": settings,
            "after": [[numbers(variable) for variable in variables] for variables in after]}


def loss_cases():
    """(name, loss class, arguments, targets, predictions)"""
    losses = keras.losses
    logits = value(1, (3, 4), 3)
    logits[2] = [100, -100, 0, 3]
    classes = np.array([2, 0, 3], np.int32)
    soft = np.array([[0, 0, 1, 0], [1, 0, 0, 0], [0.25, 0.25, 0, 0.5]], np.float32)
    # Certain and right, certain and wrong, usual, not summing to 1.
    probabilities = np.array(
        [[1, 0, 0], [0, 1, 0], [0.25, 0.5, 0.25], [0.2, 0.1, 0.3], [0, 0.5, 0.5]], np.float32)
    chosen = np.array([0, 2, 1, 2, 0], np.int32)
    one_hot = np.eye(3, dtype=np.float32)[chosen]
    binary_logits = np.array([[-2, 0.5], [0, 100], [-100, 3]], np.float32)
    binary_targets = np.array([[0, 1], [1, 0], [0, 0.25]], np.float32)
    binary_probabilities = np.array([[0, 0.5], [1, 1], [0.125, 0], [0.9, 0.75]], np.float32)
    binary_classes = np.array([[0, 1], [0, 1], [1, 1], [1, 0]], np.float32)
    sparse, dense, binary = (
        losses.SparseCategoricalCrossentropy, losses.CategoricalCrossentropy, losses.BinaryCrossentropy)
    return [
        ("sparse-logits", sparse, {"from_logits": True}, classes, logits),
        ("sparse-probabilities", sparse, {}, chosen, probabilities),
        ("categorical-logits", dense, {"from_logits": True}, soft, logits),
        ("categorical-probabilities", dense, {}, one_hot, probabilities),
        ("categorical-logits-smoothed", dense, {"from_logits": True, "label_smoothing": 0.1}, soft, logits),
        ("binary-logits", binary, {"from_logits": True}, binary_targets, binary_logits),
        ("binary-probabilities", binary, {}, binary_classes, binary_probabilities),
        ("binary-one-column", binary, {}, binary_classes[:, :1], binary_probabilities[:, :1]),
        ("mean-squared-error", losses.MeanSquaredError, {}, value(2, (2, 3)), value(3, (2, 3), 2)),
    ]


def torch_loss(name, targets, predictions):
    """The mean and its gradient in float64, or None where Keras's clipping has no equal in PyTorch."""
    functional = torch.nn.functional
    x = torch.tensor(predictions, dtype=torch.float64, requires_grad=True)
    y = torch.tensor(targets, dtype=torch.int64 if name.startswith("sparse") else torch.float64)
    if name == "categorical-logits-smoothed":
        mean = functional.cross_entropy(x, y, label_smoothing=0.1)
    elif name in ("sparse-logits", "categorical-logits"):
        mean = functional.cross_entropy(x, y)
    elif name == "binary-logits":
        mean = functional.binary_cross_entropy_with_logits(x, y)
    elif name == "mean-squared-error":
        mean = functional.mse_loss(x, y)
    else:
        return None
    mean.backward()
    return mean.item(), x.grad.numpy()


def loss_record(name, loss_class, arguments, targets, predictions):
    x = tf.constant(predictions)
    with tf.GradientTape() as tape:
        tape.watch(x)
        mean = loss_class(**arguments)(targets, x)
    gradient = tape.gradient(mean, x)
    values = loss_class(reduction=None, **arguments)(targets, x)
    expected = torch_loss(name, targets, predictions)
    if expected:
        require_agreement(f"{name}: mean, PyTorch", mean.numpy(), expected[0], 1e-6)
        require_agreement(f"{name}: gradient, PyTorch", gradient.numpy(), expected[1], 1e-6)
    return {
        "name": name, "loss": loss_class.__name__, "from_logits": arguments.get("from_logits", False),
        "label_smoothing": arguments.get("label_smoothing", 0.0), "target_shape": list(targets.shape),
        "targets": targets.tolist() if targets.dtype == np.int32 else numbers(targets),
        "prediction_shape": list(predictions.shape), "predictions": numbers(predictions),
        "values": numbers(values), "mean": number(mean), "gradient": numbers(gradient)}


if __name__ == "__main__":
    write_json(HERE / "optimizers.json", {
        "versions": VERSIONS, "shapes": [list(shape) for shape in SHAPES],
        "start": [numbers(start) for start in start_values()],
        "gradients": [[numbers(g) for g in gradients_of(step)] for step in range(1, STEPS + 1)],
        "steps": KEPT,
        "optimizers": [optimizer_record(*optimizer) for optimizer in OPTIMIZERS]})
    keras.config.set_floatx("float32")
    write_json(HERE / "losses.json", {
        "versions": VERSIONS, "epsilon": keras.config.epsilon(),
        "losses": [loss_record(*case) for case in loss_cases()]})
