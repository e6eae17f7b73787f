"""Writes a measured network as an ONNX file for images of a fixed number, in NCHW, with random weights.

    python onnx_model.py NETWORK BATCH_SIZE FILE

The programs that time inference start it as a process of its own, so that their memory is the runtime's
alone.
"""

import subprocess
import sys
from pathlib import Path

from networks import NETWORKS


def build(name, batch_size):
    import numpy as np
    import onnx
    from onnx import helper, numpy_helper

    network = NETWORKS[name]
    random = np.random.default_rng(1)
    *spatial, channels = network.input_shape
    nodes, weights = [], []

    def add(operation, *parameters, **attributes):
        inputs = [nodes[-1].output[0] if nodes else "images"]
        for shape in parameters:
            # Kernels scaled as by He et al. 2015, arXiv:1502.01852; biases are vectors of zeros.
            fan_in = np.prod(shape[1:] if operation == "Conv" else shape[:1])
            values = random.normal(0, np.sqrt(2 / fan_in), shape) if len(shape) > 1 else np.zeros(shape)
            inputs.append(f"weights_{len(weights)}")
            weights.append(numpy_helper.from_array(values.astype(np.float32), inputs[-1]))
        nodes.append(helper.make_node(operation, inputs, [f"value_{len(nodes)}"], **attributes))

    for kind, *arguments in network.layers:
        if kind == "conv":
            filters, size, padding = arguments
            border = size // 2 if padding == "same" else 0
            add("Conv", (filters, channels, size, size), (filters,), pads=[border] * 4)
            add("Relu")
            channels = filters
            spatial = [extent + 2 * border - size + 1 for extent in spatial]
        elif kind == "pool":
            add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
            spatial = [extent // 2 for extent in spatial]
        elif kind == "flatten":
            add("Flatten")
            channels, spatial = channels * spatial[0] * spatial[1], []
        elif kind == "dense":
            units, activation = arguments
            add("Gemm", (channels, units), (units,))
            channels = units
            if activation:
                add({"relu": "Relu", "softmax": "Softmax", "sigmoid": "Sigmoid"}[activation])
        # Dropout does nothing in inference.

    count = sum(np.prod(array.dims) for array in weights)
    if count != network.parameters:
        raise ValueError(f"{name} has {count} parameters instead of {network.parameters}")
    *size, input_channels = network.input_shape
    images = helper.make_tensor_value_info(
        "images", onnx.TensorProto.FLOAT, [batch_size, input_channels, *size])
    outputs = helper.make_tensor_value_info(
        nodes[-1].output[0], onnx.TensorProto.FLOAT, [batch_size, network.classes])
    model = helper.make_model(
        helper.make_graph(nodes, name, [images], [outputs], weights),
        opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    return model


def write_in_own_process(name, batch_size, file):
    subprocess.run([sys.executable, __file__, name, str(batch_size), str(file)], check=True)


def main():
    if len(sys.argv) != 4 or sys.argv[1] not in NETWORKS or not sys.argv[2].isdigit() or sys.argv[2] == "0":
        sys.exit(__doc__)
    name, batch_size, file = sys.argv[1:]
    Path(file).write_bytes(build(name, int(batch_size)).SerializeToString())


if __name__ == "__main__":
    main()
