"""Writes a measured network as an ONNX file for images of a fixed number, in NCHW, with random weights.

    python onnx_model.py NETWORK BATCH_SIZE FILE

The programs that time inference start it as a process of its own, so that their memory is the runtime's
alone.
"""

import subprocess
import sys
from pathlib import Path

from networks import NETWORKS


class Builder:
    """Nodes and weights of a graph. Layers take the name of a value with its channels and return those of their result."""

    def __init__(self):
        import numpy as np
        self.random = np.random.default_rng(1)
        self.nodes, self.weights, self.parameters = [], [], 0

    def weight(self, values, is_trained=True):
        import numpy as np
        from onnx import numpy_helper

        name = f"weights_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(values.astype(np.float32), name))
        self.parameters += values.size if is_trained else 0
        return name

    def kernel(self, shape, fan_in):
        """Scaled as by He et al. 2015, arXiv:1502.01852."""
        import numpy as np

        return self.weight(self.random.normal(0, np.sqrt(2 / fan_in), shape))

    def zeros(self, count):
        import numpy as np

        return self.weight(np.zeros(count))

    def node(self, operation, *inputs, **attributes):
        from onnx import helper

        self.nodes.append(helper.make_node(operation, inputs, [f"value_{len(self.nodes)}"], **attributes))
        return self.nodes[-1].output[0]

    def conv(self, x, channels, filters, size, stride=1, border=0, bias=True, groups=1):
        weights = [self.kernel((filters, channels // groups, size, size), channels // groups * size * size)]
        if bias:
            weights.append(self.zeros(filters))
        return self.node("Conv", x, *weights, strides=[stride] * 2, pads=[border] * 4, group=groups)

    def normalized(self, x, filters):
        import numpy as np

        moments = [self.weight(np.zeros(filters), is_trained=False), self.weight(np.ones(filters), is_trained=False)]
        return self.node("BatchNormalization", x, self.weight(np.ones(filters)), self.zeros(filters), *moments)

    def conv_norm(self, x, channels, filters, size, stride, bias, relu=True):
        x = self.normalized(self.conv(x, channels, filters, size, stride, size // 2, bias), filters)
        return self.node("Relu", x) if relu else x

    def conv6(self, x, channels, filters, size, stride, groups=1):
        import numpy as np

        x = self.normalized(self.conv(x, channels, filters, size, stride, size // 2, False, groups), filters)
        return self.node("Clip", x, *[self.weight(np.array(limit), is_trained=False) for limit in (0, 6)])

    def inverted(self, x, channels, filters, size, stride, expansion):
        inside = expansion * channels
        y = self.conv6(x, channels, inside, 1, 1) if expansion > 1 else x
        y = self.conv6(y, inside, inside, size, stride, groups=inside)
        y = self.conv_norm(y, inside, filters, 1, 1, False, relu=False)
        return self.node("Add", x, y) if stride == 1 and channels == filters else y, filters

    def residual(self, x, channels, filters, stride, bias):
        y = self.conv_norm(x, channels, filters, 3, stride, bias)
        y = self.conv_norm(y, filters, filters, 3, 1, bias, relu=False)
        if stride != 1 or channels != filters:
            x = (self.conv(x, channels, filters, 1, stride) if bias
                 else self.conv_norm(x, channels, filters, 1, stride, bias, relu=False))
        return self.node("Relu", self.node("Add", x, y)), filters

    def bottleneck(self, x, channels, filters, stride, bias):
        y = self.conv_norm(x, channels, filters, 1, stride, bias)
        y = self.conv_norm(y, filters, filters, 3, 1, bias)
        y = self.conv_norm(y, filters, 4 * filters, 1, 1, bias, relu=False)
        if channels != 4 * filters:
            x = self.conv_norm(x, channels, 4 * filters, 1, stride, bias, relu=False)
        return self.node("Relu", self.node("Add", x, y)), 4 * filters


def build(name, batch_size):
    import onnx
    from onnx import helper

    network = NETWORKS[name]
    *spatial, channels = network.input_shape
    builder, x = Builder(), "images"
    for kind, *arguments in network.layers:
        if kind == "conv":
            filters, size, padding = arguments
            border = size // 2 if padding == "same" else 0
            x = builder.node("Relu", builder.conv(x, channels, filters, size, border=border))
            channels = filters
            spatial = [extent + 2 * border - size + 1 for extent in spatial]
        elif kind == "pool":
            x = builder.node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
            spatial = [extent // 2 for extent in spatial]
        elif kind == "pool3":
            x = builder.node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
        elif kind == "conv_norm":
            x = builder.conv_norm(x, channels, *arguments)
            channels = arguments[0]
        elif kind == "conv6":
            x, channels = builder.conv6(x, channels, *arguments), arguments[0]
        elif kind in ("residual", "bottleneck", "inverted"):
            x, channels = getattr(builder, kind)(x, channels, *arguments)
        elif kind == "global_pool":
            x = builder.node("Flatten", builder.node("GlobalAveragePool", x))
        elif kind == "flatten":
            x = builder.node("Flatten", x)
            channels *= spatial[0] * spatial[1]
        elif kind == "dense":
            units, activation = arguments
            x = builder.node("Gemm", x, builder.kernel((channels, units), channels), builder.zeros(units))
            channels = units
            if activation:
                x = builder.node({"relu": "Relu", "softmax": "Softmax", "sigmoid": "Sigmoid"}[activation], x)
        # Dropout does nothing in inference.

    if builder.parameters != network.parameters:
        raise ValueError(f"{name} has {builder.parameters} parameters instead of {network.parameters}")
    *size, input_channels = network.input_shape
    images = helper.make_tensor_value_info(
        "images", onnx.TensorProto.FLOAT, [batch_size, input_channels, *size])
    outputs = helper.make_tensor_value_info(x, onnx.TensorProto.FLOAT, [batch_size, network.classes])
    model = helper.make_model(
        helper.make_graph(builder.nodes, name, [images], [outputs], builder.weights),
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
