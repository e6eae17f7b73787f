"""Training steps in float32: Fovea, with its fast algorithms and without, and its peers."""

from catalog import TRAINING_PEERS, fovea, peers
from networks import NETWORKS
from programs import run_in_turn
from report import Comparison, comparison_section, summary

DEFAULT_NETWORKS = ["fashion-cnn", "single-conv", "mnist-cnn", "wide-kernel-cnn", "cats-dogs-cnn"]


def measure(options):
    comparisons = []
    for network in options.networks or DEFAULT_NETWORKS:
        batch_size = options.batch_size or NETWORKS[network].batch
        programs = [
            fovea(options, "Fovea", network, batch_size),
            fovea(options, "Fovea, strict", network, batch_size, "--strict"),
            *peers(options, TRAINING_PEERS, network, batch_size)]
        load = run_in_turn(f"training, {network}", programs, options)
        comparisons.append(Comparison(network, batch_size, programs, load))
    return comparison_section("Training step, float32", comparisons, f"""\
### Training step, float32

{summary(comparisons, "Fovea")}
### Training step, float32, strict

Fovea with `--strict`, without any fast algorithm, in the same rounds with the same peers, which choose their
algorithms themselves.

{summary(comparisons, "Fovea, strict")}""")
