"""Writes optimizers.json: 20 steps of each optimizer.

Run with the packages of Benchmarks/peers/requirements.txt: python make_optimizers.py

Two variables w, [3, 4] and [5], start at "start". At each step the gradient of each is
"gradients" + "curvatures" * w (one list per step, one list per variable, row-major). The second variable's
element 3 always has the gradient 0 and its element 4 a tiny one, where the place of epsilon shows.
"arguments" are those that were given to the optimizer, "settings" all that it then had, both under the names
that the optimizers here have; "clipping" and "accumulation" are Keras's clipvalue, clipnorm or
global_clipnorm and gradient_accumulation_steps, "averaging" is use_ema with ema_momentum and ema_overwrite_frequency, and
"averages" then holds the averages of both variables. Variables whose names have one of "undecayed" do not decay; they are
called first and second. "after" holds both variables after the steps in "steps". The
numbers are Keras's in float64; they are written only when Keras in float32 and the update formulas below
agree.
"""

import os
import sys
from collections import defaultdict
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from hashed_values import number, numbers, require_agreement, value, write_json  # noqa: E402

VERSIONS = {"keras": keras.__version__, "tensorflow": tf.__version__}
SHAPES = [(3, 4), (5,)]
STEPS, KEPT = 20, [1, 2, 5, 10, 20]
# What movements may differ by: of Keras in float32, and by settings that Keras rounds.
FLOAT32, SETTINGS = 2e-5, 1e-5

NAMES = {"beta_1": "beta1", "beta_2": "beta2", "learning_rate": "learningRate", "weight_decay": "weightDecay",
         "initial_accumulator_value": "initialAccumulatorValue", "beta_2_decay": "beta2Decay",
         "epsilon_1": "epsilon1", "epsilon_2": "epsilon2", "clip_threshold": "clipThreshold"}
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
    ("Lion", {}),
    ("Lion", {"learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.9, "weight_decay": 0.1}),
    ("Lamb", {}),
    ("Lamb", OTHER_MOMENTS | {"weight_decay": 0.1}),
    ("Adafactor", {}),
    ("Adafactor", {"learning_rate": 0.5, "beta_2_decay": -0.6, "epsilon_1": 1e-8, "epsilon_2": 0.05,
                   "clip_threshold": 0.5, "weight_decay": 0.1}),
    ("Adam", {"use_ema": True, "ema_momentum": 0.9}),
    ("SGD", {"use_ema": True, "ema_momentum": 0.75, "ema_overwrite_frequency": 3, "momentum": 0.9,
             "weight_decay": 0.1}),
    ("AdamW", {"weight_decay": 0.5, "undecayed": ["fir"]}),
    ("SGD", {"weight_decay": 0.5, "undecayed": ["second", "other"]}),
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
    optimizer = optimizer_class(**{key: argument for key, argument in arguments.items() if key != "undecayed"})
    variables = [
        keras.Variable(start, dtype=dtype, name=name)
        for start, name in zip(start_values(), ["first", "second"], strict=True)]
    if "undecayed" in arguments:
        optimizer.exclude_from_weight_decay(var_names=arguments["undecayed"])
    optimizer.build(variables)
    after, averages = [], []
    for step in range(1, STEPS + 1):
        optimizer.apply(gradients_at([variable.numpy() for variable in variables], step), variables)
        if step in KEPT:
            after.append([variable.numpy().copy() for variable in variables])
            if optimizer.use_ema:
                averages.append([average.numpy().copy() for average in optimizer._model_variables_moving_average])
    config = optimizer.get_config()
    settings = {key: config[key] for key in NAMES if config.get(key) is not None}
    settings["learning_rate"] = number(settings["learning_rate"])
    return settings, after, averages


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

    def Lion(self, w, g, kept, t):
        w -= self.learning_rate * np.sign(self.beta_1 * kept["m"] + (1 - self.beta_1) * g)
        kept["m"] = self.beta_2 * kept["m"] + (1 - self.beta_2) * g

    def Lamb(self, w, g, kept, t):
        m, v = self.means(kept, g)
        update = m / (1 - self.beta_1**t) / (np.sqrt(v / (1 - self.beta_2**t)) + self.epsilon)
        w -= self.learning_rate * np.linalg.norm(w) / np.linalg.norm(update) * update

    def Adafactor(self, w, g, kept, t):
        def size(x):
            return np.sqrt((x**2).mean())

        alpha = max(self.epsilon_2, size(w)) * min(self.learning_rate, 1 / np.sqrt(t))
        new, square = t**self.beta_2_decay, g**2 + self.epsilon_1
        if w.ndim > 1:
            kept["r"] = (1 - new) * kept["r"] + new * square.mean(1)
            kept["c"] = (1 - new) * kept["c"] + new * square.mean(0)
            v = np.outer(kept["r"], kept["c"]) / kept["r"].mean()
        else:
            v = kept["v"] = (1 - new) * kept["v"] + new * square
        update = g / np.sqrt(v)
        w -= alpha / max(1, size(update) / self.clip_threshold) * update


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
    averages = [w.copy() for w in variables]
    for run in range(1, STEPS + 1):
        sums = [total + g for total, g in zip(sums, gradients_at(variables, run), strict=True)]
        if run % runs == 0:
            gradients = clipped([total / runs for total in sums], arguments)
            for w, g, memory, name in zip(variables, gradients, kept, ["first", "second"], strict=True):
                if not any(part in name for part in arguments.get("undecayed", [])):
                    w -= settings["learning_rate"] * settings.get("weight_decay", 0) * w
                formula(w, g, memory, run // runs)
            if arguments.get("use_ema"):
                momentum = arguments["ema_momentum"] if run > 1 else 0
                averages = [
                    momentum * a + (1 - momentum) * w for a, w in zip(averages, variables, strict=True)]
                if run % arguments.get("ema_overwrite_frequency", STEPS + 1) == 0:
                    for w, average in zip(variables, averages, strict=True):
                        w[...] = average
            sums = [0.0, 0.0]
        if run in KEPT:
            after.append([w.copy() for w in variables])
    return after


def optimizer_record(name, arguments):
    optimizer_class = getattr(keras.optimizers, name)
    settings, after, averages = with_keras(optimizer_class, arguments, "float64")
    _, single, _ = with_keras(optimizer_class, arguments, "float32")
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
            "averaging": {
                "momentum": arguments["ema_momentum"],
                "overwriteFrequency": arguments.get("ema_overwrite_frequency"),
            } if averages else None,
            "averages": [[numbers(average) for average in each] for each in averages],
            "undecayed": arguments.get("undecayed", []),
            "accumulation": arguments.get("gradient_accumulation_steps", 1),
            "after": [[numbers(variable) for variable in variables] for variables in after]}


if __name__ == "__main__":
    write_json(HERE / "optimizers.json", {
        "versions": VERSIONS, "shapes": [list(shape) for shape in SHAPES],
        "start": [numbers(start) for start in start_values()],
        "gradients": [[numbers(g) for g in gradient_parts(step)] for step in range(1, STEPS + 1)],
        "curvatures": [numbers(curvature) for curvature in curvatures()],
        "steps": KEPT,
        "optimizers": [optimizer_record(*optimizer) for optimizer in OPTIMIZERS]})
