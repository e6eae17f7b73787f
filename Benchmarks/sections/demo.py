"""The whole demo, from a program's start to its end: `fovea train` beside the same lesson in Keras."""

import dataclasses
import os
import re
import statistics
import sys
import tempfile
from dataclasses import field
from pathlib import Path

from catalog import PEERS
from programs import ProgramFailure, run_to_end
from report import Section, table

BATCH_SIZE = 128


@dataclasses.dataclass
class Contender:
    name: str
    # Without the seed.
    command: list
    accuracy_pattern: str
    runs: list = field(default_factory=list)
    accuracies: list = field(default_factory=list)
    failure: str = None

    def run(self, seed):
        run = run_to_end([*self.command, "--seed", str(seed)])
        accuracy = re.search(self.accuracy_pattern, run.output)
        if not accuracy:
            raise ProgramFailure(f"no test accuracy in what it printed: {run.output[-200:]!r}")
        self.runs.append(run)
        self.accuracies.append(float(accuracy[1]))


def measure(options):
    with tempfile.TemporaryDirectory() as results:
        sizes = ["--epochs", str(options.demo_epochs), "--batch-size", str(BATCH_SIZE)]
        fovea = Contender(
            "Fovea", [*options.fovea, "train", "fashion-mnist", "--network", "fashion-cnn", *sizes,
                      "--validation", "0.1", "--output", results],
            r"test accuracy ([\d.]+)")
        keras = Contender(
            "Keras/TensorFlow",
            [options.python, str(PEERS / "keras_fashion_mnist.py"), str(data_folder()), *sizes],
            r'"test_accuracy": ([\d.]+)')
        contenders = [fovea, keras] if "keras_tensorflow" in options.peers else [fovea]
        for number in range(1, options.demo_runs + 1):
            for contender in contenders:
                if contender.failure:
                    continue
                try:
                    contender.run(seed=number)
                    print(f"demo, run {number} of {options.demo_runs}: {contender.name} "
                          f"{contender.runs[-1].seconds:.1f} s", file=sys.stderr)
                except ProgramFailure as failure:
                    contender.failure, contender.runs, contender.accuracies = str(failure), [], []
                    print(f"{contender.name} failed: {failure}", file=sys.stderr)
    return report(contenders, options)


def data_folder():
    """Where Fovea finds or has put Fashion-MNIST; the folder of the package where there is none."""
    name = "fashion-mnist"
    chosen, caches = os.environ.get("FOVEA_DATA"), os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    package = Path("/usr/share/datasets", name)
    folders = [Path(chosen, name), Path(chosen)] if chosen else []
    folders += [Path(os.environ.get("FOVEA_CACHE") or Path(caches, "fovea"), name), package]
    return next((folder for folder in folders if list(folder.glob("train-images?idx3-ubyte*"))), package)


def report(contenders, options):
    rows = [
        [contender.name, f"{statistics.median(run.seconds for run in contender.runs):.1f}",
         f"{max(run.peak_mib for run in contender.runs):.0f}",
         " ".join(f"{run.seconds:.1f}" for run in contender.runs),
         " ".join(f"{accuracy:.4f}" for accuracy in contender.accuracies)]
        if contender.runs else [contender.name, "failed", "", "", ""] for contender in contenders]
    text = f"""\
`fashion-cnn` on Fashion-MNIST, batch {BATCH_SIZE}, 10 % validation, {options.demo_epochs} epochs: from the
start of the process to its end, with reading the files and evaluating on the test images; median of the runs.

{table([":program", "seconds", "peak memory, MiB", ":seconds of each run", ":test accuracies"], rows)}"""
    if all(contender.runs for contender in contenders) and len(contenders) > 1:
        fovea, keras = contenders
        ratios = [a.seconds / b.seconds for a, b in zip(fovea.runs, keras.runs, strict=True)]
        memory = max(run.peak_mib for run in fovea.runs) / max(run.peak_mib for run in keras.runs)
        each = " ".join(f"{ratio:.3f}" for ratio in ratios)
        median = statistics.median(ratios)
        text += (f"\n{fovea.name}'s time divided by that of {keras.name}: **{median:.3f}** ({each}); "
                 f"peak memory: **{memory:.3f}**.\n")
    return Section("", "", f"### The whole demo\n\n{text}", [
        f"demo: {contender.name}: {contender.failure}" for contender in contenders if contender.failure])
