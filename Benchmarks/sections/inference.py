"""Inference in float32: Fovea, ONNX Runtime, OpenVINO and ncnn, for one image and for a batch."""

from catalog import INFERENCE_PEERS, fovea, peers
from programs import run_in_turn
from report import Comparison, comparison_section, summary

DEFAULT_NETWORKS = ["fashion-cnn", "wide-kernel-cnn", "cats-dogs-cnn"]
# Of images of 224x224 pixels a batch is 8.
LARGE_NETWORKS = ["vgg16", "resnet50", "efficientnet-lite0", "mobilenet-v2-torch"]


def batch_sizes(network):
    return [1, 8 if network in LARGE_NETWORKS else 64]


def measure(options):
    comparisons = []
    for network in options.networks or DEFAULT_NETWORKS + LARGE_NETWORKS:
        for batch_size in batch_sizes(network):
            programs = [
                fovea(options, "Fovea", network, batch_size, "--inference"),
                *peers(options, INFERENCE_PEERS, network, batch_size)]
            load = run_in_turn(f"inference, {network}, batch {batch_size}", programs, options)
            comparisons.append(Comparison(network, batch_size, programs, load))
    return comparison_section(
        "Inference, float32", comparisons, f"### Inference, float32\n\n{summary(comparisons, 'Fovea')}")
