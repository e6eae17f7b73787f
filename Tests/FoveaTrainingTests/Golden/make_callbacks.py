"""Writes callbacks.json: what Keras's EarlyStopping and ReduceLROnPlateau decide about sequences of a monitored number.

Run with the packages of Benchmarks/peers/requirements.txt: python make_callbacks.py

Numbers and differences are multiples of 1/64, which float32 and float64 hold exactly, so that ties are ties in both. null
stands for NaN, 1e300 for infinity. The callbacks are driven without a model: a stand-in has the weights `[epoch]` at the end of each epoch, so
that the weights a callback restores tell the epoch; epochs count from 1 in the file. No sequence begins with NaN, which Keras
takes for the best number, and Fovea does not.
"""

import math
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras  # noqa: E402
import numpy as np  # noqa: E402

from hashed_values import write_json  # noqa: E402

EPOCHS = 16


class StandIn:
    """What the callbacks ask of a model."""

    def __init__(self, rate):
        self.stop_training = False
        self.weights = [np.array([0.0])]
        self.optimizer = type("Optimizer", (), {})()
        self.optimizer.learning_rate = np.float64(rate)

    def get_weights(self):
        return [w.copy() for w in self.weights]

    def set_weights(self, weights):
        self.weights = weights


def drive(callback, values, rate=1.0):
    """Goes through the epochs. Returns how many there were, the rate after each, and whose weights there are at the end."""
    model = StandIn(rate)
    callback.set_model(model)
    callback.on_train_begin()
    rates = []
    for epoch, value in enumerate(values):
        model.weights = [np.array([epoch + 1.0])]
        callback.on_epoch_end(epoch, {"val_loss": value})
        rates.append(float(model.optimizer.learning_rate))
        if model.stop_training:
            break
    callback.on_train_end()
    return len(rates), rates, int(model.weights[0][0])


def sequences():
    generator = np.random.default_rng(7)
    falling = np.linspace(2, 0.5, EPOCHS)
    rows = [
        falling,
        np.full(EPOCHS, 1.0),
        falling[::-1],
        np.abs(np.linspace(-1, 1, EPOCHS)) + 0.25,
        falling + generator.normal(0, 0.25, EPOCHS),
        1 + generator.normal(0, 0.25, EPOCHS),
        1 + generator.normal(0, 0.05, EPOCHS),
        2 ** (-np.arange(EPOCHS) / 4),
    ]
    rows = [[float(v) for v in np.round(np.array(row) * 64) / 64] for row in rows]
    broken = list(rows[4])
    broken[3] = math.nan
    infinite = list(rows[3])
    infinite[5] = math.inf
    return rows + [broken, infinite]


STOPPING = [
    {},
    {"patience": 1},
    {"patience": 3},
    {"patience": 2, "min_delta": 0.125},
    {"patience": 2, "min_delta": -0.125},
    {"patience": 2, "mode": "max"},
    {"patience": 3, "baseline": 1.0},
    {"patience": 2, "baseline": 0.75, "min_delta": 0.0625},
    {"patience": 2, "start_from_epoch": 4},
    {"patience": 4, "mode": "max", "start_from_epoch": 2, "min_delta": 0.03125},
]
REDUCING = [
    {"patience": 1},
    {"patience": 0},
    {"patience": 2, "factor": 0.5},
    {"patience": 2, "factor": 0.5, "cooldown": 3},
    {"patience": 1, "factor": 0.5, "cooldown": 1, "min_lr": 0.2},
    {"patience": 2, "min_delta": 0.125, "factor": 0.25},
    {"patience": 3, "mode": "max", "factor": 0.5, "min_delta": 0},
    {"patience": 1, "mode": "max", "cooldown": 2, "factor": 0.0, "min_lr": 0.125},
]


def settings(given):
    return {"mode": "min", **given}


def plain(values):
    return [None if math.isnan(v) else 1e300 if math.isinf(v) else v for v in values]


stopping, reducing = [], []
for number, values in enumerate(sequences()):
    for given in STOPPING:
        epochs, _, final = drive(
            keras.callbacks.EarlyStopping(restore_best_weights=True, **settings(given)), values)
        stopping.append({"sequence": number, "settings": settings(given), "epochs": epochs, "restored": final})
    for given in REDUCING:
        _, rates, _ = drive(keras.callbacks.ReduceLROnPlateau(**settings(given)), values)
        reducing.append({"sequence": number, "settings": settings(given), "rates": rates})

write_json(
    Path(__file__).with_name("callbacks.json"),
    {
        "keras": keras.__version__,
        "sequences": [plain(row) for row in sequences()],
        "stopping": stopping,
        "reducing": reducing,
    })
