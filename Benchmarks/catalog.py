"""The programs that are measured, Fovea's and its peers', and how each is started."""

import sys
from pathlib import Path

from programs import Program

PEERS = Path(__file__).resolve().parent / "peers"
# The peers' list of networks is everyone's.
sys.path.insert(0, str(PEERS))

from networks import NETWORKS

# Each peer's name for readers, and its script with arguments.
TRAINING_PEERS = {
    "keras_tensorflow": ("Keras/TensorFlow", "keras_tensorflow.py"),
    "keras_jax": ("Keras/JAX", "keras_jax.py"),
    "pytorch": ("PyTorch", "pytorch.py"),
    "pytorch_compiled": ("PyTorch, compiled", "pytorch.py", "--compiled"),
}
BFLOAT16_PEERS = {
    "pytorch": ("PyTorch, bfloat16", "pytorch.py", "--bfloat16"),
    "pytorch_compiled": ("PyTorch, compiled, bfloat16", "pytorch.py", "--compiled", "--bfloat16"),
}
INFERENCE_PEERS = {
    "onnx_runtime": ("ONNX Runtime", "onnx_runtime.py"),
    "openvino": ("OpenVINO", "openvino_runtime.py"),
    "ncnn": ("ncnn", "ncnn_runtime.py"),
}
LOADING_PEERS = {
    "keras_loading": ("Keras ImageDataGenerator", "keras_loading.py"),
    "torchvision_loading": ("torchvision DataLoader", "torchvision_loading.py"),
}
# What holds programs to fewer instructions: Fovea, oneDNN within TensorFlow and PyTorch, PyTorch's own kernels, JAX.
INSTRUCTIONS = {
    "avx512": {"FOVEA_CPU": "avx512", "ONEDNN_MAX_CPU_ISA": "AVX512_CORE_BF16", "ATEN_CPU_CAPABILITY": "avx512"},
    "avx2": {"FOVEA_CPU": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "DNNL_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2",
             "XLA_FLAGS": "--xla_cpu_max_isa=AVX2"},
}
LIMITED_PEERS = [*TRAINING_PEERS, *LOADING_PEERS]
ALL_PEERS = [*TRAINING_PEERS, *INFERENCE_PEERS, *LOADING_PEERS]


def fovea(options, name, network, batch_size, *arguments, environment=None):
    design, _, size = network.partition("@")
    work = [design, "--batch-size", str(batch_size), *(["--image-size", size] if size else []), *arguments]
    command = [*options.fovea, "bench", *work, "--rounds-from-stdin"]
    return Program(name, command, is_peer=False, environment=environment)


def peers(options, choice, network, batch_size, *arguments_of_all):
    """Those of the choice that the user wants."""
    work = [network, "--batch-size", str(batch_size), *arguments_of_all]
    return [
        Program(name, [options.python, str(PEERS / script), *work, *arguments])
        for peer, (name, script, *arguments) in choice.items() if peer in options.peers]
