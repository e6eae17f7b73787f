"""Inference in float32: Fovea, ONNX Runtime and OpenVINO, for one image and for a batch."""

from catalog import INFERENCE_PEERS, fovea, peers
from programs import run_in_turn
from report import Comparison, comparison_section, summary

DEFAULT_NETWORKS = ["fashion-cnn", "wide-kernel-cnn", "cats-dogs-cnn"]
BATCH_SIZES = [1, 64]


def measure(options):
    comparisons = []
    for network in options.networks or DEFAULT_NETWORKS:
        for batch_size in BATCH_SIZES:
            programs = [
                fovea(options, "Fovea", network, batch_size, "--inference"),
                *peers(options, INFERENCE_PEERS, network, batch_size)]
            load = run_in_turn(f"inference, {network}, batch {batch_size}", programs, options)
            comparisons.append(Comparison(network, batch_size, programs, load))
    return comparison_section(
        "Inference, float32", comparisons, f"### Inference, float32\n\n{summary(comparisons, 'Fovea')}")
