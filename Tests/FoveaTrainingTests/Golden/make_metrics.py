"""Writes metrics.json: each metric over three batches of 5, 8 and 3 examples, with and without sample weights.

Run with the packages of Benchmarks/peers/requirements.txt: python make_metrics.py

Inputs are made with `value` and `unit` of hashed_values.py, rounded to float32 and written to the file for all 16
examples; tests cut them into batches. Everything after that is float64 (comparisons for top-k accuracies: float32). Most numbers are those of Keras's metric
objects, updated once per batch. Precision and recall of the class with the largest output, which Keras does not have,
are computed here from their definitions. Keras's F scores and intersections over unions have epsilons that move them by about 1e-7.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)]

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from hashed_values import number, numbers, unit, value, write_json  # noqa: E402

BATCHES = [5, 8, 3]
COUNT = sum(BATCHES)
M = keras.metrics


def softmax(x):
    powers = np.exp(x.astype(np.float64))
    return powers / powers.sum(-1, keepdims=True)


def tied(x):
    """With many equal outputs, among them equal largest ones."""
    return np.round(x * 4) / 4


def with_ends(x):
    """With probabilities that are exactly 0, 1/2 and 1, and twice the same."""
    x = x.copy()
    x.flat[:5] = 0, 1, 0.5, 0.25, 0.25
    return x


LABELS = np.array([(i * i * 3 + i) % 6 for i in range(COUNT)])
LABELS[LABELS == 4] = 1  # One class never occurs.
# Every second example is likely to be right.
SCORES = softmax(value(81, (COUNT, 6), 2) + 3 * np.eye(6)[LABELS] * (np.arange(COUNT) % 2)[:, None])
BITS = (unit(82, (COUNT, 1)) > 0.6).astype(np.float64)
MULTI = (unit(83, (COUNT, 4)) > 0.5).astype(np.float64)

ARRAYS = {
    "class_numbers": LABELS, "rows": np.eye(6)[LABELS], "scores": SCORES, "tied": tied(unit(84, (COUNT, 6))),
    "place_numbers": np.arange(COUNT * 2).reshape(COUNT, 2) * 7 % 5, "place_scores": unit(85, (COUNT, 2, 5)),
    "bits": BITS, "chances": with_ends(np.clip(unit(86, (COUNT, 1)) * 0.7 + 0.3 * BITS, 0, 1)),
    "logits": value(87, (COUNT, 1), 3) + 2 * BITS,
    "multi_bits": MULTI, "multi_chances": unit(88, (COUNT, 4)) * 0.8 + 0.2 * MULTI,
    "unknown_class_numbers": np.where(np.arange(COUNT) % 3 == 0, 255, LABELS),
    "numbers": value(89, (COUNT, 3), 2), "other_numbers": value(90, (COUNT, 3), 2),
}
ARRAYS = {
    name: x if x.dtype == np.int64 else x.astype(np.float32).astype(np.float64) for name, x in ARRAYS.items()}
WEIGHTS = np.array([(i * 3 + 1) % 5 / 2 for i in range(COUNT)])


def of_largest(kind, average):
    """Precision or recall where only the first largest output of each row is predicted."""

    def metric(targets, predictions, weights):
        classes = predictions.shape[-1]
        actual = np.eye(classes)[targets if targets.ndim < predictions.ndim else targets.argmax(-1)]
        predicted = np.eye(classes)[predictions.argmax(-1)]
        weights = weights.reshape([-1] + [1] * (predictions.ndim - 1))
        axes = tuple(range(predictions.ndim - 1))
        right = (weights * actual * predicted).sum(axes)
        whole = (weights * (predicted if kind == "precision" else actual)).sum(axes)
        if average == "micro":
            return right.sum() / whole.sum()
        return np.mean([a / b if b else 0 for a, b in zip(right, whole)])

    return metric


class Classes:
    """One of Keras's metrics of class numbers, given the numbers of the largest predictions."""

    def __init__(self, metric):
        self.metric = metric

    def update_state(self, targets, predictions, sample_weight):
        if sample_weight is not None and targets.ndim > 1:
            sample_weight = np.repeat(sample_weight[:, None], targets.shape[1], axis=1)
        self.metric.update_state(targets, predictions.argmax(-1), sample_weight)

    def result(self):
        return self.metric.result()


class EachOutput:
    """One of Keras's metrics of two axes, with the weight of each example for all its outputs."""

    def __init__(self, metric):
        self.metric = metric

    def update_state(self, targets, predictions, sample_weight):
        if sample_weight is not None:
            sample_weight = np.repeat(sample_weight[:, None], predictions.shape[1], axis=1)
        self.metric.update_state(targets, predictions, sample_weight)

    def result(self):
        return self.metric.result()


def setting(name, **settings):
    return {"name": name, **settings} if settings else name


def cases():
    """The metric as the tests read it, targets, predictions, Keras's metric or a function."""
    for name in ["accuracy", "sparse_categorical_accuracy"]:
        yield name, "class_numbers", "scores", M.SparseCategoricalAccuracy
    yield "sparse_categorical_accuracy", "class_numbers", "tied", M.SparseCategoricalAccuracy
    for name in ["accuracy", "categorical_accuracy"]:
        yield name, "rows", "scores", M.CategoricalAccuracy
    for name in ["accuracy", "binary_accuracy"]:
        yield name, "bits", "chances", M.BinaryAccuracy
    yield "binary_accuracy", "multi_bits", "multi_chances", M.BinaryAccuracy
    yield (setting("binary_accuracy", threshold=0.25), "bits", "chances",
           lambda: M.BinaryAccuracy(threshold=0.25))
    for k in [1, 2, 3, 5]:
        settings = {} if k == 5 else {"k": k}
        for predictions in ["scores", "tied"]:
            yield (setting("top_k_categorical_accuracy", **settings), "rows", predictions,
                   lambda: M.TopKCategoricalAccuracy(k=k))
            yield (setting("sparse_top_k_categorical_accuracy", **settings), "class_numbers", predictions,
                   lambda: M.SparseTopKCategoricalAccuracy(k=k))
    for kind, of_keras in [("precision", M.Precision), ("recall", M.Recall)]:
        yield kind, "bits", "chances", of_keras
        yield (setting(kind, threshold=0.35, average="macro"), "bits", "chances",
               lambda: of_keras(thresholds=0.35))
        yield (setting(kind, threshold=0.4, average="micro"), "multi_bits", "multi_chances",
               lambda: of_keras(thresholds=0.4))
        yield kind, "class_numbers", "scores", of_largest(kind, "macro")
        yield kind, "rows", "tied", of_largest(kind, "macro")
        yield setting(kind, average="micro"), "class_numbers", "scores", of_largest(kind, "micro")
        yield kind, "place_numbers", "place_scores", of_largest(kind, "macro")
    yield "f1_score", "bits", "chances", lambda: M.F1Score(average="macro", threshold=0.5)
    yield "f1_score", "rows", "scores", lambda: M.F1Score(average="macro")
    yield setting("f1_score", average="micro"), "rows", "scores", lambda: M.F1Score(average="micro")
    for average in ["macro", "micro"]:
        yield (setting("f1_score", threshold=0.4, average=average), "multi_bits", "multi_chances",
               lambda: M.F1Score(average=average, threshold=0.4))
    for average in ["macro", "micro"]:
        yield (setting("fbeta_score", beta=0.5, average=average), "rows", "scores",
               lambda: M.FBetaScore(average=average, beta=0.5))
        yield (setting("fbeta_score", beta=2, threshold=0.4, average=average), "multi_bits", "multi_chances",
               lambda: M.FBetaScore(average=average, beta=2.0, threshold=0.4))
    for name, of_keras in [("true_positives", M.TruePositives), ("false_positives", M.FalsePositives),
                           ("true_negatives", M.TrueNegatives), ("false_negatives", M.FalseNegatives)]:
        yield name, "bits", "chances", of_keras
        yield (setting(name, threshold=0.35), "multi_bits", "multi_chances",
               lambda: of_keras(thresholds=0.35))
    # No rate is exactly so large: Keras compares with limits in float32.
    for limit in [0.31, 0.62, 0.91]:
        for thresholds in [200, 7]:
            for name, key, of_keras in [
                    ("precision_at_recall", "recall", M.PrecisionAtRecall),
                    ("recall_at_precision", "precision", M.RecallAtPrecision),
                    ("sensitivity_at_specificity", "specificity", M.SensitivityAtSpecificity),
                    ("specificity_at_sensitivity", "sensitivity", M.SpecificityAtSensitivity)]:
                settings = {key: limit, "thresholds": thresholds}
                make = lambda: of_keras(limit, num_thresholds=thresholds)
                yield setting(name, **settings), "rows", "scores", make
                yield setting(name, **settings), "multi_bits", "multi_chances", make
    for targets, predictions in [("class_numbers", "scores"), ("place_numbers", "place_scores")]:
        classes = ARRAYS[predictions].shape[-1]
        yield ("iou", targets, predictions,
               lambda: Classes(M.MeanIoU(num_classes=classes, dtype="float64")))
        yield (setting("iou", classes=[0, 2]), targets, predictions,
               lambda: Classes(M.IoU(num_classes=classes, target_class_ids=[0, 2], dtype="float64")))
        yield (setting("iou", ignoreClass=1), targets, predictions,
               lambda: Classes(M.MeanIoU(num_classes=classes, ignore_class=1, dtype="float64")))
    yield (setting("iou", ignoreClass=255), "unknown_class_numbers", "scores",
           lambda: Classes(M.MeanIoU(num_classes=6, ignore_class=255, dtype="float64")))
    yield "iou", "rows", "scores", lambda: M.OneHotMeanIoU(num_classes=6, dtype="float64")
    yield (setting("iou", classes=[1]), "rows", "tied",
           lambda: M.OneHotIoU(num_classes=6, target_class_ids=[1], dtype="float64"))
    for targets, predictions in [("bits", "chances"), ("multi_bits", "multi_chances")]:
        for classes, threshold in [([0, 1], 0.5), ([0], 0.4), ([1], 0.25)]:
            yield (setting("binary_iou", classes=classes, threshold=threshold), targets, predictions,
                   lambda: EachOutput(M.BinaryIoU(
                       target_class_ids=classes, threshold=threshold, dtype="float64")))
    yield "r2_score", "other_numbers", "numbers", M.R2Score
    yield (setting("r2_score", aggregation="varianceWeightedAverage"), "other_numbers", "numbers",
           lambda: M.R2Score(class_aggregation="variance_weighted_average"))
    for curve in ["roc", "pr"]:
        for thresholds in [200, 7, 2]:
            settings = {} if (curve, thresholds) == ("roc", 200) else {"curve": curve, "thresholds": thresholds}
            of_keras = lambda logits=False: M.AUC(
                num_thresholds=thresholds, curve=curve.upper(), from_logits=logits)
            yield setting("auc", **settings), "bits", "chances", of_keras
            yield setting("auc", **settings), "bits", "logits", lambda: of_keras(True)
            yield setting("auc", **settings), "multi_bits", "multi_chances", of_keras
            yield setting("auc", **settings), "rows", "scores", of_keras
    yield "mean_squared_error", "other_numbers", "numbers", M.MeanSquaredError
    yield "root_mean_squared_error", "other_numbers", "numbers", M.RootMeanSquaredError
    yield "mean_absolute_error", "other_numbers", "numbers", M.MeanAbsoluteError
    yield "cosine_similarity", "other_numbers", "numbers", M.CosineSimilarity
    yield "sparse_categorical_crossentropy", "class_numbers", "scores", M.SparseCategoricalCrossentropy
    yield "categorical_crossentropy", "rows", "scores", M.CategoricalCrossentropy
    yield "binary_crossentropy", "multi_bits", "multi_chances", M.BinaryCrossentropy
    yield "kl_divergence", "rows", "scores", M.KLDivergence
    yield "poisson", "multi_bits", "multi_chances", M.Poisson
    yield "mean_absolute_percentage_error", "other_numbers", "numbers", M.MeanAbsolutePercentageError
    yield "mean_squared_logarithmic_error", "multi_bits", "multi_chances", M.MeanSquaredLogarithmicError
    yield "log_cosh", "other_numbers", "numbers", M.LogCoshError
    yield "hinge", "multi_bits", "multi_chances", M.Hinge
    yield "squared_hinge", "multi_bits", "multi_chances", M.SquaredHinge
    yield "categorical_hinge", "rows", "scores", M.CategoricalHinge


def measured(make, targets, predictions, weights):
    try:
        metric = make()
    except TypeError:
        return make(targets, predictions, np.ones(COUNT) if weights is None else weights)
    if "TopK" in type(metric).__name__:  # TensorFlow's in_top_k takes nothing else.
        predictions = predictions.astype(np.float32)
    start = 0
    for size in BATCHES:
        batch = slice(start, start + size)
        metric.update_state(
            targets[batch], predictions[batch], sample_weight=None if weights is None else weights[batch])
        start += size
    return float(metric.result())


def main():
    keras.config.set_floatx("float64")
    records, used = [], {}
    for metric, target_name, prediction_name, make in cases():
        targets, predictions = ARRAYS[target_name], ARRAYS[prediction_name]
        used[target_name], used[prediction_name] = targets, predictions
        records.append({
            "metric": metric, "targets": target_name, "predictions": prediction_name,
            "from_logits": prediction_name == "logits",
            "value": number(measured(make, targets, predictions, None)),
            "weighted": number(measured(make, targets, predictions, WEIGHTS))})
    write_json(HERE / "metrics.json", {
        "versions": {"keras": keras.__version__, "tensorflow": tf.__version__},
        "batches": BATCHES, "weights": numbers(WEIGHTS),
        "inputs": [{"name": name, "shape": list(x.shape), "values": numbers(x)} for name, x in used.items()],
        "metrics": records})


if __name__ == "__main__":
    main()
