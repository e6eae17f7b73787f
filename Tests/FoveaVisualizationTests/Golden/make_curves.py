"""Writes curves.json: what scikit-learn makes of labels and scores, some of which are equal.

    python make_curves.py    # needs numpy and scikit-learn 1
"""

import json
import pathlib

import numpy
from sklearn import metrics
from sklearn.calibration import calibration_curve

rng = numpy.random.default_rng(7)
labels = rng.random(60) < 0.4
scores = numpy.clip(numpy.round(0.35 * labels + rng.random(60) * 0.65, 2), 0, 1)
scores[:3] = [0.0, 1.0, 0.5]
fpr, tpr, thresholds = metrics.roc_curve(labels, scores, drop_intermediate=False)
precision, recall, pr_thresholds = metrics.precision_recall_curve(labels, scores)
# Ends of intervals belong to the interval below here, and above there.
off_ends = numpy.where(numpy.isclose(scores * 10 % 1, 0), scores + 0.003 * (scores < 1), scores)
true, predicted = calibration_curve(labels, off_ends, n_bins=10)

classes = rng.integers(0, 3, 40)
probabilities = rng.dirichlet([1, 1, 1], 40) + 0.7 * numpy.eye(3)[classes]
probabilities = (probabilities / probabilities.sum(1, keepdims=True)).astype(numpy.float32)
# Rows of float32 numbers do not add up to 1, as scikit-learn would have it.
areas = [metrics.roc_auc_score(classes == k, probabilities[:, k]) for k in range(3)]

golden = {
    "labels": labels.tolist(),
    "scores": scores.tolist(),
    "falsePositiveRates": fpr.tolist(),
    "truePositiveRates": tpr.tolist(),
    "thresholds": thresholds[1:].tolist(),
    "area": metrics.roc_auc_score(labels, scores),
    "precisions": precision[-2::-1].tolist(),
    "recalls": recall[-2::-1].tolist(),
    "averagePrecision": metrics.average_precision_score(labels, scores),
    "calibrated": off_ends.tolist(),
    "frequencies": true.tolist(),
    "probabilities": predicted.tolist(),
    "classes": classes.tolist(),
    "rows": probabilities.tolist(),
    "meanArea": float(numpy.mean(areas)),
}
path = pathlib.Path(__file__).with_name("curves.json")
path.write_text(json.dumps(golden) + "\n")
