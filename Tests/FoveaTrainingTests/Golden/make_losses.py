"""Writes losses.json: each loss per example, its weighted mean over the batch and the gradient of that.

Run with the packages of Benchmarks/peers/requirements.txt: python make_losses.py

Inputs are made with `value` and `unit` of hashed_values.py, brought into each loss's range, rounded to float32 and
written to the file. Everything after that is float64, but for probabilities of 0 and 1: how far those are kept from 0
and 1 depends on the type, because float32 has no 1 - 1e-7. The numbers are Keras's where Keras has the loss, else
PyTorch's; where both have it the script fails unless they agree. They differ in these conventions, which the calls
below even out:

    label smoothing with class numbers   PyTorch only
    negative log likelihood              PyTorch only
    focal losses, log-cosh, hinges       Keras only (PyTorch's hinge and margin losses are other functions)
    KL divergence                        PyTorch takes log p
    Poisson                              PyTorch takes log p by default, and adds 1e-8 instead of 1e-7
    cosine similarity                    PyTorch has the other sign
    percentage and logarithmic errors,   Keras only; the sums of the last two are taken per example, for which Keras
    Dice, Tversky                        is told the axes
    ignored classes                      losses per place are multiplied by (places / places that count), which Keras
                                         does when it takes the mean, and PyTorch's mean amounts to

The weighted mean is Keras's `sum_over_batch_size` with sample weights, asked of its loss classes.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)]

import torch  # noqa: E402  Loaded before TensorFlow, whose OpenMP it would otherwise meet.
import torch.nn.functional as F  # noqa: E402
import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from hashed_values import numbers, require_agreement, unit, value, write_json  # noqa: E402

EXACT = 1e-9
ROWS, COLUMN, PLACES = (5, 7), (4, 1), (3, 2, 5)
L = keras.losses


def softmax(x):
    powers = np.exp(x.astype(np.float64))
    return powers / powers.sum(-1, keepdims=True)


def class_numbers(shape):
    return np.array([(i * 5 + 2) % shape[-1] for i in range(int(np.prod(shape[:-1])))]).reshape(shape[:-1])


def one_hot(shape):
    return np.eye(shape[-1])[class_numbers(shape)]


def rows(shape):
    """Probabilities that sum to exactly 1, for TensorFlow's gradient of the cross-entropy relies on that."""
    x = np.floor(softmax(value(61, shape, 3)) * 1024) / 1024
    x[..., -1] += 1 - x.sum(-1)
    return x


def extreme_logits(shape):
    x = value(57, shape, 4)
    x.flat[::3], x.flat[1::5], x.flat[2::7] = 100, -100, 0
    return x


def extreme_probabilities(shape):
    x = unit(58, shape)
    x.flat[::3], x.flat[1::5] = 0, 1
    return x


def bits(shape):
    return (unit(71, shape) > 0.5).astype(np.float64)


MAKERS = {
    "logits": lambda s: value(51, s, 4),
    "probabilities": lambda s: softmax(value(52, s, 2)),
    "unnormalized": lambda s: unit(53, s) * 0.8 + 0.1,
    "extreme_logits": extreme_logits,
    "extreme_probabilities": extreme_probabilities,
    "log_probabilities": lambda s: np.log(softmax(value(54, s, 3))),
    "numbers": lambda s: value(55, s, 3),
    "positive": lambda s: unit(56, s) * 4 + 0.05,
    "class_numbers": class_numbers,
    "partly_unknown_class_numbers": lambda s: np.where(
        np.arange(int(np.prod(s[:-1]))).reshape(s[:-1]) % 3 == 1, 255, class_numbers(s)),
    "one_hot": one_hot,
    "rows": rows,
    "bits": bits,
    "soft_bits": lambda s: np.where(unit(72, s) > 0.6, unit(73, s), bits(s)),
    "signs": lambda s: bits(s) * 2 - 1,
    "other_numbers": lambda s: value(62, s, 3),
    "counts": lambda s: np.floor(unit(63, s) * 6),
    "other_positive": lambda s: unit(64, s) * 3 + 0.2,
    "mostly_positive": lambda s: value(65, s, 1) + 0.6,
}


def array(kind, shape):
    return MAKERS[kind](shape).astype(np.float32).astype(np.float64)


def scaled(targets, losses):
    """Losses per place of which the mean is that over the places that count."""
    return losses * targets.numel() / (targets != 255).sum()


def classes_second(function):
    """PyTorch's losses of classes have them in the second axis."""
    return lambda t, x: function(t.movedim(-1, 1) if t.is_floating_point() else t, x.movedim(-1, 1))


def cases():
    """Name, the loss as the tests read it, targets, predictions, shapes, Keras's loss, PyTorch's function."""
    wide, all_shapes = [ROWS, PLACES], [ROWS, COLUMN, PLACES]
    for smoothing in [0.0, 0.15]:
        yield ("sparseCategoricalCrossentropy", {"fromLogits": True, "labelSmoothing": smoothing},
               "class_numbers", "logits", wide,
               None if smoothing else L.SparseCategoricalCrossentropy(from_logits=True, reduction=None),
               classes_second(lambda t, x: F.cross_entropy(x, t, reduction="none", label_smoothing=smoothing)))
        yield ("categoricalCrossentropy", {"fromLogits": True, "labelSmoothing": smoothing}, "rows", "logits", wide,
               L.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing, reduction=None),
               classes_second(lambda t, x: F.cross_entropy(x, t, reduction="none", label_smoothing=smoothing)))
        yield ("categoricalCrossentropy", {"fromLogits": False, "labelSmoothing": smoothing}, "one_hot",
               "unnormalized", wide, L.CategoricalCrossentropy(label_smoothing=smoothing, reduction=None), None)
        smooth = lambda t: t * (1 - smoothing) + smoothing / 2
        yield ("binaryCrossentropy", {"fromLogits": True, "labelSmoothing": smoothing}, "soft_bits", "logits",
               all_shapes, L.BinaryCrossentropy(from_logits=True, label_smoothing=smoothing, reduction=None),
               lambda t, x: F.binary_cross_entropy_with_logits(x, smooth(t), reduction="none"))
        yield ("binaryCrossentropy", {"fromLogits": False, "labelSmoothing": smoothing}, "soft_bits",
               "unnormalized", all_shapes, L.BinaryCrossentropy(label_smoothing=smoothing, reduction=None),
               lambda t, x: F.binary_cross_entropy(x, smooth(t), reduction="none"))
        yield ("categoricalFocalCrossentropy",
               {"alpha": 0.4, "gamma": 1.5, "fromLogits": True, "labelSmoothing": smoothing}, "one_hot", "logits",
               wide, L.CategoricalFocalCrossentropy(
                   alpha=0.4, gamma=1.5, from_logits=True, label_smoothing=smoothing, reduction=None), None)
        yield ("binaryFocalCrossentropy",
               {"applyClassBalancing": smoothing > 0, "alpha": 0.3, "gamma": 1.5, "fromLogits": True,
                "labelSmoothing": smoothing}, "bits", "logits", all_shapes,
               L.BinaryFocalCrossentropy(
                   apply_class_balancing=smoothing > 0, alpha=0.3, gamma=1.5, from_logits=True,
                   label_smoothing=smoothing, reduction=None), None)
    yield ("sparseCategoricalCrossentropy", {"fromLogits": False, "labelSmoothing": 0}, "class_numbers",
           "probabilities", wide, L.SparseCategoricalCrossentropy(reduction=None), None)
    yield ("categoricalFocalCrossentropy", {"alpha": 0.25, "gamma": 2, "fromLogits": False, "labelSmoothing": 0},
           "rows", "unnormalized", wide, L.CategoricalFocalCrossentropy(reduction=None), None)
    yield ("binaryFocalCrossentropy",
           {"applyClassBalancing": True, "alpha": 0.25, "gamma": 2, "fromLogits": False, "labelSmoothing": 0},
           "soft_bits", "unnormalized", all_shapes,
           L.BinaryFocalCrossentropy(apply_class_balancing=True, reduction=None), None)
    for from_logits, extreme in [(True, "extreme_logits"), (False, "extreme_probabilities")]:
        settings = {"fromLogits": from_logits, "labelSmoothing": 0}
        dtype = "float64" if from_logits else "float32"
        yield ("sparseCategoricalCrossentropy", settings, "class_numbers", extreme, [ROWS],
               L.SparseCategoricalCrossentropy(from_logits=from_logits, reduction=None, dtype=dtype), None)
        yield ("categoricalCrossentropy", settings, "one_hot", extreme, [ROWS],
               L.CategoricalCrossentropy(from_logits=from_logits, reduction=None, dtype=dtype), None)
        yield ("binaryCrossentropy", settings, "soft_bits", extreme, [ROWS],
               L.BinaryCrossentropy(from_logits=from_logits, reduction=None, dtype=dtype), None)
    yield ("negativeLogLikelihood", {}, "class_numbers", "log_probabilities", wide, None,
           classes_second(lambda t, x: F.nll_loss(x, t, reduction="none")))
    yield ("klDivergence", {}, "rows", "probabilities", wide, L.KLDivergence(reduction=None),
           lambda t, x: F.kl_div(x.log(), t, reduction="none").sum(-1))
    yield ("meanSquaredError", {}, "other_numbers", "numbers", all_shapes, L.MeanSquaredError(reduction=None),
           lambda t, x: F.mse_loss(x, t, reduction="none"))
    yield ("meanAbsoluteError", {}, "other_numbers", "numbers", all_shapes, L.MeanAbsoluteError(reduction=None),
           lambda t, x: F.l1_loss(x, t, reduction="none"))
    yield ("huber", {"delta": 1.5}, "other_numbers", "numbers", all_shapes, L.Huber(delta=1.5, reduction=None),
           lambda t, x: F.huber_loss(x, t, delta=1.5, reduction="none"))
    yield ("logCosh", {}, "other_numbers", "numbers", all_shapes, L.LogCosh(reduction=None), None)
    yield ("poisson", {}, "counts", "positive", all_shapes, L.Poisson(reduction=None),
           lambda t, x: F.poisson_nll_loss(x, t, log_input=False, eps=1e-7, reduction="none"))
    yield ("cosineSimilarity", {}, "other_numbers", "numbers", wide, L.CosineSimilarity(reduction=None),
           lambda t, x: -F.cosine_similarity(x, t, dim=-1))
    yield ("meanAbsolutePercentageError", {}, "other_positive", "numbers", all_shapes,
           L.MeanAbsolutePercentageError(reduction=None), None)
    yield ("meanSquaredLogarithmicError", {}, "counts", "mostly_positive", all_shapes,
           L.MeanSquaredLogarithmicError(reduction=None), None)
    for shape in all_shapes:
        axes = tuple(range(1, len(shape)))
        yield "dice", {}, "soft_bits", "unnormalized", [shape], L.Dice(axis=axes, reduction=None), None
        for alpha, beta in [(0.5, 0.5), (0.3, 0.8)]:
            yield ("tversky", {"alpha": alpha, "beta": beta}, "soft_bits", "unnormalized", [shape],
                   L.Tversky(alpha=alpha, beta=beta, axis=axes, reduction=None), None)
    for from_logits in [True, False]:
        yield ("sparseCategoricalCrossentropy",
               {"fromLogits": from_logits, "labelSmoothing": 0, "ignoreClass": 255}, "partly_unknown_class_numbers",
               "logits" if from_logits else "probabilities", wide,
               L.SparseCategoricalCrossentropy(from_logits=from_logits, ignore_class=255, reduction=None),
               classes_second(lambda t, x: scaled(t, F.cross_entropy(x, t, reduction="none", ignore_index=255)))
               if from_logits else None)
    for targets in ["bits", "signs"]:
        yield ("hinge", {}, targets, "numbers", all_shapes, L.Hinge(reduction=None), None)
        yield ("squaredHinge", {}, targets, "numbers", all_shapes, L.SquaredHinge(reduction=None), None)
    yield ("categoricalHinge", {}, "one_hot", "numbers", wide, L.CategoricalHinge(reduction=None), None)


def weights(batch):
    return np.array([(i * 3 + 1) % 5 + 0.5 for i in range(batch)])


def with_keras(loss, targets, predictions):
    x = tf.Variable(predictions, dtype=loss.dtype)
    sums_all = isinstance(loss, (L.Dice, L.Tversky))
    w = tf.reshape(tf.constant(weights(len(targets))), [-1] + [1] * (0 if sums_all else predictions.ndim - 2))
    with tf.GradientTape() as tape:
        values = loss(targets, x)
        if getattr(loss, "ignore_class", None) is not None:
            values = values * (targets.size / np.count_nonzero(targets != loss.ignore_class))
        per_example = tf.reduce_mean(tf.reshape(values, [len(targets), -1]), 1)
        loss.reduction = "sum_over_batch_size"
        mean = loss(targets, x, sample_weight=w)
        loss.reduction = None
    return per_example.numpy(), float(mean), np.asarray(tape.gradient(mean, x))


def with_torch(function, targets, predictions):
    x = torch.tensor(predictions, requires_grad=True)
    t = torch.tensor(targets)
    values = function(t, x).reshape(len(targets), -1).mean(1)
    mean = (values * torch.tensor(weights(len(targets)))).mean()
    mean.backward()
    return values.detach().numpy(), mean.item(), x.grad.numpy()


def main():
    keras.config.set_floatx("float64")
    inputs, records = {}, []

    def given(kind, shape):
        name = f"{kind} {'x'.join(map(str, shape))}"
        x = MAKERS[kind](shape) if kind.endswith("class_numbers") else array(kind, shape)
        inputs[name] = {"name": name, "shape": list(x.shape), "values": numbers(x)}
        return name, x

    for loss, settings, target_kind, prediction_kind, shapes, of_keras, of_torch in cases():
        for shape in shapes:
            (target_name, targets), (prediction_name, predictions) = (
                given(target_kind, shape), given(prediction_kind, shape))
            found = ([with_keras(of_keras, targets, predictions)] if of_keras else []) + (
                [with_torch(of_torch, targets, predictions)] if of_torch else [])
            values, mean, gradient = found[0]
            if len(found) > 1:
                for what, a, b in zip(["values", "mean", "gradient"], found[1], found[0], strict=True):
                    require_agreement(f"{loss} {settings} {shape}: {what}", a, b, EXACT)
            source = " and ".join(
                [n for n, f in [("Keras", of_keras), ("PyTorch", of_torch)] if f])
            records.append({
                "loss": {loss: settings}, "source": source, "targets": target_name, "predictions": prediction_name,
                "values": numbers(values), "weighted_mean": numbers([mean])[0], "gradient": numbers(gradient)})
    write_json(HERE / "losses.json", {
        "versions": {"keras": keras.__version__, "tensorflow": tf.__version__, "torch": torch.__version__},
        "weights": {str(n): numbers(weights(n)) for n in [3, 4, 5]},
        "inputs": list(inputs.values()), "losses": records})


if __name__ == "__main__":
    main()
