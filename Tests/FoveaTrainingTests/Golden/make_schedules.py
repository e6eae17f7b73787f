"""Writes schedules.json: learning rates of Keras's schedules and of PyTorch's StepLR and OneCycleLR.

Run with the packages of Benchmarks/peers/requirements.txt: python make_schedules.py

"schedule" is written as LearningRateSchedule reads it; "rates" are the learning rates at "steps", which count
from 0. Each list of steps has the turning points of its schedule with their neighbours, and steps after its
end where it has one. All numbers are computed in float64.
"""

import os
import sys
from pathlib import Path

# Not TensorFlow: its LLVM and that of PyTorch's optimizers do not go into one process.
os.environ["KERAS_BACKEND"] = "torch"
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import keras  # noqa: E402
import torch  # noqa: E402

from hashed_values import number, write_json  # noqa: E402

KERAS = keras.optimizers.schedules
PYTORCH = torch.optim.lr_scheduler
NAMES = {
    "initial_learning_rate": "initialLearningRate", "decay_steps": "decaySteps", "decay_rate": "decayRate",
    "end_learning_rate": "endLearningRate", "warmup_target": "warmupTarget", "warmup_steps": "warmupSteps",
    "step_size": "decaySteps", "gamma": "decayRate", "max_lr": "maximumLearningRate",
    "total_steps": "totalSteps", "pct_start": "warmupFraction", "div_factor": "initialDivisor",
    "final_div_factor": "finalDivisor", "first_decay_steps": "firstDecaySteps", "t_mul": "tMul", "m_mul": "mMul"}
DECAY = {"initial_learning_rate": 0.1, "decay_steps": 30, "decay_rate": 0.7}
DECAY_STEPS = [0, 1, 2, 15, 29, 30, 31, 59, 60, 100, 1000]
POLYNOMIAL = {"initial_learning_rate": 0.1, "decay_steps": 30}
COSINE = {"initial_learning_rate": 0.1, "decay_steps": 40}
COSINE_STEPS = [0, 1, 3, 9, 10, 11, 20, 39, 40, 41, 49, 50, 51, 500]
RESTARTS = {"initial_learning_rate": 0.1, "first_decay_steps": 10}
RESTART_STEPS = [0, 1, 5, 9, 10, 11, 19, 20, 21, 29, 30, 31, 50, 69, 70, 71, 1000]

SCHEDULES = [
    ("piecewiseConstant", KERAS.PiecewiseConstantDecay,
     {"boundaries": [5, 17], "values": [0.5, 0.25, 0.125]}, [0, 1, 4, 5, 6, 10, 16, 17, 18, 100]),
    ("piecewiseConstant", KERAS.PiecewiseConstantDecay, {"boundaries": [0], "values": [1.0, 0.5]}, [0, 1, 2]),
    ("exponentialDecay", KERAS.ExponentialDecay, DECAY | {"staircase": False}, DECAY_STEPS),
    ("exponentialDecay", KERAS.ExponentialDecay, DECAY | {"staircase": True}, DECAY_STEPS),
    ("inverseTimeDecay", KERAS.InverseTimeDecay, DECAY | {"staircase": False}, DECAY_STEPS),
    ("inverseTimeDecay", KERAS.InverseTimeDecay, DECAY | {"staircase": True}, DECAY_STEPS),
    ("polynomialDecay", KERAS.PolynomialDecay,
     POLYNOMIAL | {"end_learning_rate": 0.0001, "power": 1.0, "cycle": False}, DECAY_STEPS),
    ("polynomialDecay", KERAS.PolynomialDecay,
     POLYNOMIAL | {"end_learning_rate": 0.01, "power": 0.5, "cycle": False}, DECAY_STEPS),
    ("polynomialDecay", KERAS.PolynomialDecay,
     POLYNOMIAL | {"end_learning_rate": 0.01, "power": 2.0, "cycle": True}, DECAY_STEPS),
    ("cosineDecay", KERAS.CosineDecay, COSINE | {"alpha": 0.0, "warmup_steps": 0}, COSINE_STEPS),
    ("cosineDecay", KERAS.CosineDecay,
     COSINE | {"alpha": 0.1, "warmup_target": 0.4, "warmup_steps": 10}, COSINE_STEPS),
    ("cosineDecay", KERAS.CosineDecay,
     COSINE | {"alpha": 0.0, "warmup_target": 0.05, "warmup_steps": 0}, COSINE_STEPS),
    ("cosineDecayRestarts", KERAS.CosineDecayRestarts,
     RESTARTS | {"t_mul": 2.0, "m_mul": 1.0, "alpha": 0.0}, RESTART_STEPS),
    ("cosineDecayRestarts", KERAS.CosineDecayRestarts,
     RESTARTS | {"t_mul": 1.0, "m_mul": 0.5, "alpha": 0.1}, RESTART_STEPS),
    ("cosineDecayRestarts", KERAS.CosineDecayRestarts,
     RESTARTS | {"t_mul": 1.5, "m_mul": 0.75, "alpha": 0.01}, RESTART_STEPS),
    ("exponentialDecay", PYTORCH.StepLR, {"step_size": 5, "gamma": 0.1}, [0, 1, 4, 5, 6, 9, 10, 11, 14, 15]),
    ("oneCycle", PYTORCH.OneCycleLR,
     {"max_lr": 0.1, "total_steps": 100, "pct_start": 0.3, "div_factor": 25.0, "final_div_factor": 1e4},
     [0, 1, 15, 28, 29, 30, 31, 60, 98, 99]),
    ("oneCycle", PYTORCH.OneCycleLR,
     {"max_lr": 2.0, "total_steps": 33, "pct_start": 0.45, "div_factor": 4.0, "final_div_factor": 10.0},
     [0, 1, 7, 13, 14, 15, 20, 31, 32]),
    ("oneCycle", PYTORCH.OneCycleLR,
     {"max_lr": 1.0, "total_steps": 7, "pct_start": 0.0, "div_factor": 25.0, "final_div_factor": 100.0},
     [0, 1, 2, 3, 5, 6]),
]


def keras_rates(schedule_class, arguments, steps):
    schedule = schedule_class(**arguments)
    return [number(schedule(step)) for step in steps]


def torch_rates(schedule_class, arguments, steps):
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=0.1)
    schedule = schedule_class(optimizer, **arguments)
    rates = []
    for _ in range(max(steps) + 1):
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        if len(rates) <= max(steps):
            schedule.step()
    return [number(rates[step]) for step in steps]


def record(name, schedule_class, arguments, steps):
    is_keras = schedule_class.__module__.startswith("keras")
    settings = {NAMES.get(key, key): argument for key, argument in arguments.items()}
    if schedule_class is PYTORCH.StepLR:
        settings |= {"initialLearningRate": 0.1, "staircase": True}
    rates = (keras_rates if is_keras else torch_rates)(schedule_class, arguments, steps)
    return {"peer": schedule_class.__name__, "schedule": {name: settings}, "steps": steps, "rates": rates}


if __name__ == "__main__":
    keras.config.set_floatx("float64")
    write_json(HERE / "schedules.json", {
        "versions": {"keras": keras.__version__, "torch": torch.__version__},
        "schedules": [record(*schedule) for schedule in SCHEDULES]})
