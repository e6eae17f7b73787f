"""Writes sure_losses.json: cross-entropies and focal losses of sure predictions and of logits that are not finite, in
float64.

Run with the packages of Benchmarks/peers/requirements.txt: python make_sure_losses.py

Sure rows: for each gap, one row in which class 0 and one in which class 1 has the logit `gap`; the other classes j have
-((13 j + k) mod 16) / 16, where k is that class. The label of the rows of gap number n is n mod 2. Each row has its
cross-entropy, its focal loss (1 - p)^2 (-log p), and their gradients with respect to the logits of class 0, class 1 and
the last class.

Irregular rows are written as text, for JSON has neither infinity nor NaN. All numbers are PyTorch's.
"""

import math
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)]

import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402

from hashed_values import number, numbers, write_json  # noqa: E402

INFINITY = math.inf
IRREGULAR = [
    ([1.5, -INFINITY, 0.25, -INFINITY], 0), ([-INFINITY, 2, -1, 3], 2), ([0, -INFINITY, -INFINITY, -INFINITY], 0),
    ([1, 0, -INFINITY, 2], 2), ([1, INFINITY, 0, 2], 1), ([1, INFINITY, 0, 2], 0), ([1, 2, math.nan, 0], 2),
    ([math.nan, 2, 1, 0], 1), ([-INFINITY, -INFINITY, -INFINITY, -INFINITY], 3),
]


def sure_rows(classes):
    gaps = range(0, 61, 12 if classes > 100 else 3)
    rows = [[float(gap) if j == k else -((13 * j + k) % 16) / 16 for j in range(classes)]
            for gap in gaps for k in (0, 1)]
    return rows, [n % 2 for n in range(len(gaps)) for _ in (0, 1)]


def differentiated(function, rows, labels):
    x = torch.tensor(rows, dtype=torch.float64, requires_grad=True)
    losses = function(x, torch.tensor(labels))
    losses.sum().backward()
    return losses.detach(), x.grad


def crossentropy(x, labels):
    return F.cross_entropy(x, labels, reduction="none")


def focal(x, labels):
    losses = crossentropy(x, labels)
    return torch.expm1(-losses) ** 2 * losses


def binary(logits, targets):
    x = torch.tensor(logits, dtype=torch.float64, requires_grad=True)
    losses = F.binary_cross_entropy_with_logits(x, torch.tensor(targets, dtype=torch.float64), reduction="none")
    losses.sum().backward()
    return losses.detach(), x.grad


def text(x):
    return str(number(x)) if math.isfinite(x) else str(float(x))


def main():
    sure = []
    for classes in [2, 3, 10, 1000]:
        record = {"classes": classes}
        for name, function in [("crossentropy", crossentropy), ("focal", focal)]:
            losses, gradient = differentiated(function, *sure_rows(classes))
            record[name] = {
                "losses": numbers(losses),
                "gradient": [numbers(gradient[row, [0, 1, -1]]) for row in range(len(losses))]}
        sure.append(record)
    losses, gradient = differentiated(
        crossentropy, [row for row, _ in IRREGULAR], [label for _, label in IRREGULAR])
    irregular = [
        {"logits": [text(x) for x in row], "label": label, "loss": text(losses[i].item()),
         "gradient": [text(x) for x in gradient[i].tolist()]} for i, (row, label) in enumerate(IRREGULAR)]
    pairs = [(x, t) for x in (-60, -30, -9.5, -1, -0.0625, 0, 0.0625, 1, 9.5, 30, 60) for t in (0, 0.25, 1)]
    losses, gradient = binary([x for x, _ in pairs], [t for _, t in pairs])
    write_json(HERE / "sure_losses.json", {
        "versions": {"torch": torch.__version__.split("+")[0]}, "sure": sure, "irregular": irregular,
        "binary": {"logits": numbers([x for x, _ in pairs]), "targets": numbers([t for _, t in pairs]),
                   "losses": numbers(losses), "gradient": numbers(gradient)}})


if __name__ == "__main__":
    main()
