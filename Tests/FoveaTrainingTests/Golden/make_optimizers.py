"""Writes optimizers.json (20 steps of each optimizer) and losses.json (values and gradients of the losses).

Run with the packages of Benchmarks/peers/requirements.txt: python make_optimizers.py

optimizers.json: two variables w, [3, 4] and [5], start at "start". At each step the gradient of each is
"gradients" + "curvatures" * w (one list per step, one list per variable, row-major). The second variable's
element 3 always has the gradient 0 and its element 4 a tiny one, where the place of epsilon shows.
"arguments" are those that were given to the optimizer, "settings" all that it then had, both under the names
that the optimizers here have; "clipping" and "accumulation" are Keras's clipvalue, clipnorm or
global_clipnorm and gradient_accumulation_steps. "after" holds both variables after the steps in "steps". The
numbers are Keras's in float64; they are written only when Keras in float32 and the update formulas below
agree.

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
from collections import defaultdict
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
# What movements may differ by: of Keras in float32, and by settings that Keras rounds.
FLOAT32, SETTINGS = 2e-5, 1e-5

NAMES = {"beta_1": "beta1", "beta_2": "beta2", "learning_rate": "learningRate", "weight_decay": "weightDecay",
         "initial_accumulator_value": "initialAccumulatorValue"}
NAMES |= {name: name for name in ("momentum", "nesterov", "rho", "epsilon", "centered", "amsgrad")}
CLIPPING = {"clipvalue": "value", "clipnorm": "norm", "global_clipnorm": "globalNorm"}

OTHER_MOMENTS = {"learning_rate": 0.02, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-4}
OPTIMIZERS = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"learning_rate": 0.05, "momentum": 0.8, "nesterov": True, "weight_decay": 0.1}),
    ("RMSprop", {}),
    ("RMSprop", {"momentum": 0.9}),
    ("RMSprop", {"centered": True}),
    ("RMSprop", {"learning_rate": 0.01, "rho": 0.7, "momentum": 0.8, "epsilon": 1e-3, "centered": True,
                 "weight_decay": 0.1}),
    ("Adam", {}),
    ("Adam", {"amsgrad": True}),
    ("Adam", OTHER_MOMENTS | {"amsgrad": True, "weight_decay": 0.1}),
    ("AdamW", {}),
    ("AdamW", OTHER_MOMENTS | {"amsgrad": True, "weight_decay": 0.1}),
    ("Adamax", {}),
    ("Adamax", OTHER_MOMENTS | {"weight_decay": 0.1}),
    ("Nadam", {}),
    ("Nadam", OTHER_MOMENTS | {"weight_decay": 0.1}),
    ("Adagrad", {}),
    ("Adagrad", {"learning_rate": 0.05, "initial_accumulator_value": 0.0, "epsilon": 1e-3,
                 "weight_decay": 0.1}),
    ("Adadelta", {}),
    ("Adadelta", {"learning_rate": 1.0, "rho": 0.8, "epsilon": 1e-4, "weight_decay": 0.1}),
    ("SGD", {"clipvalue": 0.3}),
    ("SGD", {"clipnorm": 0.5}),
    ("SGD", {"global_clipnorm": 0.5}),
    ("SGD", {"gradient_accumulation_steps": 2, "clipnorm": 0.5, "momentum": 0.9}),
    ("Nadam", {"gradient_accumulation_steps": 3, "global_clipnorm": 0.25, "weight_decay": 0.1}),
]


def start_values():
    return [value(v, shape, 0.1) for v, shape in enumerate(SHAPES)]


def gradient_parts(step):
    """The parts shrink after step 10, so that amsgrad's maximum differs from the running average."""
    gradients = [value(100 * step + v, shape, 1.0 if step <= 10 else 0.1) for v, shape in enumerate(SHAPES)]
    gradients[1][3] = 0
    gradients[1][4] *= np.float32(1e-6)
    return gradients


def curvatures():
    curvatures = [value(50 + v, shape) for v, shape in enumerate(SHAPES)]
    curvatures[1][3:] = 0
    return curvatures


def gradients_at(variables, step):
    return [part.astype(w.dtype) + curvature.astype(w.dtype) * w
            for part, curvature, w in zip(gradient_parts(step), curvatures(), variables, strict=True)]


def with_keras(optimizer_class, arguments, dtype):
    keras.config.set_floatx(dtype)
    optimizer = optimizer_class(**arguments)
    variables = [keras.Variable(start, dtype=dtype) for start in start_values()]
    optimizer.build(variables)
    after = []
    for step in range(1, STEPS + 1):
        optimizer.apply(gradients_at([variable.numpy() for variable in variables], step), variables)
        if step in KEPT:
            after.append([variable.numpy().copy() for variable in variables])
    config = optimizer.get_config()
    settings = {key: config[key] for key in NAMES if config.get(key) is not None}
    settings["learning_rate"] = number(settings["learning_rate"])
    return settings, after


class Formulas:
    """Each method changes one array in place by the definition; `kept` holds what lasts, 0 at first."""

    def __init__(self, settings):
        self.__dict__.update(settings)

    def means(self, kept, g):
        kept["m"] = self.beta_1 * kept["m"] + (1 - self.beta_1) * g
        kept["v"] = self.beta_2 * kept["v"] + (1 - self.beta_2) * g**2
        return kept["m"], kept["v"]

    def SGD(self, w, g, kept, t):
        kept["m"] = self.momentum * kept["m"] - self.learning_rate * g
        w += self.momentum * kept["m"] - self.learning_rate * g if self.nesterov else kept["m"]

    def RMSprop(self, w, g, kept, t):
        kept["v"] = self.rho * kept["v"] + (1 - self.rho) * g**2
        kept["a"] = self.rho * kept["a"] + (1 - self.rho) * g
        variance = kept["v"] - kept["a"]**2 if self.centered else kept["v"]
        kept["m"] = self.momentum * kept["m"] + self.learning_rate * g / np.sqrt(variance + self.epsilon)
        w -= kept["m"]

    def Adam(self, w, g, kept, t):
        m, v = self.means(kept, g)
        kept["largest"] = np.maximum(kept["largest"], v)
        correction = np.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)
        second = kept["largest"] if self.amsgrad else v
        w -= self.learning_rate * correction * m / (np.sqrt(second) + self.epsilon)

    AdamW = Adam

    def Adamax(self, w, g, kept, t):
        m, _ = self.means(kept, g)
        kept["u"] = np.maximum(self.beta_2 * kept["u"], np.abs(g))
        w -= self.learning_rate / (1 - self.beta_1**t) * m / (kept["u"] + self.epsilon)

    def Nadam(self, w, g, kept, t):
        m, v = self.means(kept, g)
        momentum = [self.beta_1 * (1 - 0.5 * 0.96**i) for i in range(1, t + 2)]
        ahead = (momentum[t] * m / (1 - np.prod(momentum))
                 + (1 - momentum[t - 1]) * g / (1 - np.prod(momentum[:t])))
        w -= self.learning_rate * ahead / (np.sqrt(v / (1 - self.beta_2**t)) + self.epsilon)

    def Adagrad(self, w, g, kept, t):
        kept["sum"] += g**2
        total = kept["sum"] + self.initial_accumulator_value
        w -= self.learning_rate * g / np.sqrt(total + self.epsilon)

    def Adadelta(self, w, g, kept, t):
        kept["v"] = self.rho * kept["v"] + (1 - self.rho) * g**2
        move = np.sqrt(kept["s"] + self.epsilon) / np.sqrt(kept["v"] + self.epsilon) * g
        kept["s"] = self.rho * kept["s"] + (1 - self.rho) * move**2
        w -= self.learning_rate * move


def clipped(gradients, arguments):
    if "clipvalue" in arguments:
        return [np.clip(g, -arguments["clipvalue"], arguments["clipvalue"]) for g in gradients]
    norms = [np.sqrt((g**2).sum()) for g in gradients]
    if "clipnorm" in arguments:
        limit = arguments["clipnorm"]
        return [g * min(1, limit / norm) for g, norm in zip(gradients, norms, strict=True)]
    if "global_clipnorm" in arguments:
        factor = min(1, arguments["global_clipnorm"] / np.sqrt(sum(norm**2 for norm in norms)))
        return [g * factor for g in gradients]
    return gradients


def with_formulas(name, settings, arguments):
    """The same in float64 without Keras."""
    formula = getattr(Formulas(settings), name)
    variables = [start.astype(np.float64) for start in start_values()]
    kept = [defaultdict(lambda: 0.0) for _ in SHAPES]
    runs = arguments.get("gradient_accumulation_steps", 1)
    sums, after = [0.0, 0.0], []
    for run in range(1, STEPS + 1):
        sums = [total + g for total, g in zip(sums, gradients_at(variables, run), strict=True)]
        if run % runs == 0:
            gradients = clipped([total / runs for total in sums], arguments)
            for w, g, memory in zip(variables, gradients, kept, strict=True):
                w -= settings["learning_rate"] * settings.get("weight_decay", 0) * w
                formula(w, g, memory, run // runs)
            sums = [0.0, 0.0]
        if run in KEPT:
            after.append([w.copy() for w in variables])
    return after


def optimizer_record(name, arguments):
    optimizer_class = getattr(keras.optimizers, name)
    settings, after = with_keras(optimizer_class, arguments, "float64")
    _, single = with_keras(optimizer_class, arguments, "float32")
    # Keras rounds some settings to float32 even when it computes in float64 (1 - 0.999 keeps 5 digits).
    formulas = with_formulas(name, settings, arguments)
    label = f"{name} {arguments}"
    comparisons = [("Keras float32", single, FLOAT32), ("the formulas", formulas, SETTINGS)]
    for other, values, tolerance in comparisons:
        worst = 0
        for step, a, b in zip(KEPT, values, after, strict=True):
            for start, x, y in zip(start_values(), a, b, strict=True):
                require_agreement(f"{label} step {step}, {other}", x, y, 1e-6)
                # Float32 rounds the variable itself twice in each step.
                rounding = 2 * step * 2.0**-24 * np.abs(start).max() if other == "Keras float32" else 0
                moved, expected = x - start, y - start
                off = max(0, np.abs(moved - expected).max() - rounding) / max(np.abs(expected).max(), 1e-30)
                worst = max(worst, off)
        print(f"{label}: movements of {other} differ by at most {worst:.2g}")
        if not worst <= tolerance:
            raise SystemExit(f"{label}: {other} moves otherwise by {worst:.2g}, allowed is {tolerance:.2g}")
    clipping = {CLIPPING[key]: {"_0": limit} for key, limit in arguments.items() if key in CLIPPING}
    return {"optimizer": name.lower(), "clipping": clipping or None,
            "arguments": {NAMES[key]: argument for key, argument in arguments.items() if key in NAMES},
            "settings": {NAMES[key]: setting for key, setting in settings.items()},
            "accumulation": arguments.get("gradient_accumulation_steps", 1),
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
        "gradients": [[numbers(g) for g in gradient_parts(step)] for step in range(1, STEPS + 1)],
        "curvatures": [numbers(curvature) for curvature in curvatures()],
        "steps": KEPT,
        "optimizers": [optimizer_record(*optimizer) for optimizer in OPTIMIZERS]})
    keras.config.set_floatx("float32")
    write_json(HERE / "losses.json", {
        "versions": VERSIONS, "epsilon": keras.config.epsilon(),
        "losses": [loss_record(*case) for case in loss_cases()]})
