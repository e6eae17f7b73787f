"""Writes the ONNX files that ONNXImportTests reads, with inputs and what ONNX Runtime makes of them.

    pip install onnx onnxruntime safetensors numpy && python make_onnx.py
    python make_onnx.py FOLDER MODEL.onnx ...     # the same for other files, with random inputs

Images in the values have their channels last, as the models have that Fovea makes; outputs of one pixel are flat.
"""

import os
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file

random = np.random.default_rng(7)


def channels_last(array):
    if array.ndim != 4:
        return array
    if array.shape[2:] == (1, 1):
        return array.reshape(array.shape[:2])
    return array.transpose(0, 2, 3, 1)


def save(folder, name, model, feeds, keeps_order=False):
    onnx.checker.check_model(model, full_check=True)
    path = f"{folder}/{name}.onnx"
    onnx.save(model, path)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    outputs = session.run(None, feeds)
    values = {}
    for index, array in enumerate(feeds.values()):
        turned = array if keeps_order or array.ndim < 3 else np.moveaxis(array, 1, -1)
        values[f"in:{index}"] = np.ascontiguousarray(turned.astype(np.float32))
    for index, array in enumerate(outputs):
        values[f"out:{index}"] = np.ascontiguousarray(channels_last(array.astype(np.float32)))
    save_file(values, f"{folder}/{name}.safetensors")


def others(folder, paths):
    os.makedirs(folder, exist_ok=True)
    for path in paths:
        model = onnx.load(path)
        constants = {tensor.name for tensor in model.graph.initializer}
        feeds = {}
        for value in model.graph.input:
            if value.name not in constants:
                shape = [d.dim_value or 1 for d in value.type.tensor_type.shape.dim]
                feeds[value.name] = random.uniform(-1, 1, shape).astype(np.float32)
        save(folder, os.path.basename(path)[: -len(".onnx")], model, feeds)


class Graph:
    """A graph under construction, with random weights."""

    def __init__(self, opset=17, ir=8, inputs=None):
        self.nodes, self.constants, self.opset, self.ir = [], [], opset, ir
        self.inputs = inputs or {"x": ["N", 4, 9, 7]}
        self.count = 0

    def constant(self, array, name=None):
        self.count += 1
        name = name or f"c{self.count}"
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def weight(self, *shape, name=None):
        return self.constant((random.standard_normal(shape) * 0.5).astype(np.float32), name)

    def positive(self, *shape):
        return self.constant(random.uniform(0.5, 1.5, shape).astype(np.float32))

    def __call__(self, operation, *inputs, outputs=1, **attributes):
        self.count += 1
        names = [f"v{self.count}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(operation, list(inputs), names, name=f"{operation.lower()}{self.count}", **attributes))
        return names[0] if outputs == 1 else names

    def model(self, outputs, listed=False, producer="somebody"):
        inputs = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in self.inputs.items()]
        if listed:
            inputs += [helper.make_tensor_value_info(c.name, c.data_type, list(c.dims)) for c in self.constants]
        graph = helper.make_graph(
            self.nodes, "sample", inputs,
            [helper.make_tensor_value_info(o, TensorProto.FLOAT, None) for o in outputs], self.constants)
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=self.ir, producer_name=producer)
        # The checker wants a shape on each output.
        return onnx.shape_inference.infer_shapes(model, strict_mode=True)

    def save(self, name, *outputs, listed=False, batch=2):
        feeds = {
            n: random.standard_normal([batch if isinstance(d, str) else d for d in s]).astype(np.float32)
            for n, s in self.inputs.items()
        }
        save(FOLDER, name, self.model(outputs, listed), feeds)


def windows():
    g = Graph()
    a = g("Conv", "x", g.weight(6, 4, 3, 2), g.weight(6), pads=[1, 0, 2, 1], strides=[2, 1])
    a = g("LeakyRelu", a, alpha=0.1)
    b = g("Conv", a, g.weight(6, 3, 3, 3), group=2, auto_pad="SAME_UPPER", strides=[2, 2], kernel_shape=[3, 3])
    c = g("Conv", "x", g.weight(8, 1, 3, 3), group=4, pads=[2, 2, 2, 2], dilations=[2, 2])
    d = g("MaxPool", c, kernel_shape=[3, 2], strides=[2, 2], pads=[1, 0, 1, 1])
    e = g("AveragePool", c, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    f = g("AveragePool", c, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 0, 1, 0], count_include_pad=1)
    h = g("MaxPool", g("Relu", c), kernel_shape=[3, 3], strides=[2, 2], ceil_mode=1)
    i = g("ConvTranspose", "x", g.weight(4, 3, 3, 2), g.weight(3), strides=[2, 2], pads=[1, 0, 0, 1], output_padding=[1, 0])
    j = g("Conv", "x", g.weight(3, 4, 2, 2), auto_pad="SAME_LOWER")
    g.save("windows", b, d, e, f, h, i, j)


def activations():
    g = Graph()
    y = []
    for operation, attributes in [
        ("Relu", {}), ("Elu", {}), ("Elu", {"alpha": 0.5}), ("Selu", {}), ("Celu", {}), ("Sigmoid", {}), ("Tanh", {}),
        ("Softplus", {}), ("Softsign", {}), ("Exp", {}), ("HardSigmoid", {}), ("HardSigmoid", {"alpha": 1 / 6}),
        ("HardSwish", {}), ("LeakyRelu", {}), ("LeakyRelu", {"alpha": 0.2}), ("Neg", {}), ("Softmax", {"axis": 1}),
        ("Softmax", {"axis": -1}), ("LogSoftmax", {"axis": 1}), ("LogSoftmax", {"axis": 2}),
    ]:
        y.append(g(operation, "x", **attributes))
    number = lambda value: g.constant(np.float32(value))
    for ends in [(0, 6), (-1, 1), (0, 0.5), (-0.25, 0.75), (0.25, None), (None, 0.5)]:
        y.append(g("Clip", "x", *[number(end) if end is not None else "" for end in ends]))
    y.append(g("PRelu", "x", g.weight(4, 1, 1)))
    y.append(g("PRelu", "x", g.weight(1)))
    erf = g("Erf", g("Div", "x", number(np.sqrt(2))))
    y.append(g("Mul", g("Mul", "x", g("Add", erf, number(1))), number(0.5)))
    y.append(g("Mul", "x", g("Sigmoid", "x")))
    g.save("activations", *y)


def normalizations():
    g = Graph()
    a = g("BatchNormalization", "x", g.positive(4), g.weight(4), g.weight(4), g.positive(4), epsilon=1e-3)
    b = g("Add", g("Mul", a, g.weight(4, 1, 1)), g.weight(1, 4, 1, 1))
    c = g("LRN", "x", size=3, alpha=0.3, beta=0.5, bias=2.0)
    d = g("LayerNormalization", "x", g.positive(7), g.weight(7), axis=-1)
    e = g("Transpose", g("LayerNormalization", g("Transpose", "x", perm=[0, 2, 3, 1]), g.positive(4), axis=3), perm=[0, 3, 1, 2])
    f = g("Relu", g("Div", g("Sub", "x", g.weight(4, 1, 1)), g.positive(4, 1, 1)))
    h = g("Sub", g.constant(np.float32(1)), g("Add", g("Mul", f, g.constant(np.float32(-3))), g.constant(np.float32(0.5))))
    i = g("Mul", g("Relu", "x"), g.weight(7))
    j = g("BatchNormalization", g("Flatten", "x"), *[g.positive(252) for _ in range(4)])
    g.save("normalizations", b, c, d, e, h, i, j)


def movements():
    g = Graph()
    ints = lambda *values: g.constant(np.array(values, np.int64))
    a = g("Reshape", "x", ints(0, 2, 2, 9, 7))
    a = g("Reshape", g("Transpose", a, perm=[0, 2, 1, 3, 4]), ints(0, -1, 9, 7))
    b = g("Conv", a, g.weight(6, 4, 1, 1))
    parts = g("Split", b, ints(2, 3, 1), outputs=3, axis=1)
    c = g("Concat", parts[2], parts[0], a, axis=1)
    d = g("Pad", c, ints(0, 0, 1, 0, 0, 0, 2, 3))
    e = g("Slice", d, ints(1, -5), ints(9, 2**62), ints(2, 3))
    f = g("Slice", e, ints(1), ints(-1), ints(1))
    h = g("Resize", f, "", g.constant(np.array([1, 1, 2, 3], np.float32)), mode="nearest",
          coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    i = g("Resize", f, "", g.constant(np.array([1, 1, 2, 2], np.float32)), mode="linear")
    j = g("Resize", f, "", "", ints(2, 5, 5, 9), mode="linear")
    k = g("Reshape", "x", ints(-1, 4, 63))
    k = g("Transpose", k, perm=[0, 2, 1])
    k = g("Gemm", g("Flatten", k), g.weight(252, 3))
    shape = g("Shape", "x")
    rows = g("Reshape", "x", g("Concat", g("Unsqueeze", g("Gather", shape, g.constant(np.int64(0))), ints(0)), ints(-1), axis=0))
    rows = g("Tanh", g("Dropout", rows))
    l = g("Add", g("MatMul", rows, g.weight(252, 5)), g.weight(5))
    m = g("Mul", g("Unsqueeze", g("Squeeze", g("GlobalMaxPool", "x"), ints(2, 3)), ints(2, 3)), "x")
    n = g("ReduceMean", "x", axes=[2, 3], keepdims=0)
    o = g("Transpose", g("Flatten", g("Reshape", "x", ints(-1, 7, 9, 4))), perm=[0, 1])
    g.save("movements", h, i, j, k, l, m, n, o)


def merging():
    g = Graph(inputs={"x": ["N", 4, 9, 7], "z": ["N", 4, 9, 7], "row": ["N", 6]})
    y = [g(operation, "x", "z") for operation in ["Add", "Sub", "Mul", "Max", "Min", "Mean"]]
    y.append(g("Sum", "x", "z", "x"))
    gate = g("Sigmoid", g("Conv", g("GlobalAveragePool", "x"), g.weight(4, 4, 1, 1), g.weight(4)))
    y.append(g("Mul", g("Conv", "z", g.weight(4, 4, 1, 1)), gate))
    both = g("Concat", g("Flatten", g("MaxPool", "x", kernel_shape=[2, 2], strides=[2, 2])), "row", axis=1)
    y.append(g("Softmax", g("Gemm", both, g.weight(3, 54), g.weight(3), transB=1, alpha=0.5, beta=2.0)))
    g.save("merging", *y)


def old():
    """What files of 2017 and 2018 are like."""
    g = Graph(opset=9, ir=3, inputs={"data_0": [1, 3, 12, 12]})
    a = g("Conv", "data_0", g.weight(4, 3, 3, 3, name="conv1_w_0"), g.weight(4), kernel_shape=[3, 3])
    scale, shift = g.weight(4), g.weight(4)
    a = g("BatchNormalization", a, g.positive(4), g.weight(4), g.weight(4), g.positive(4))
    a = g("Add", g("Mul", a, g("Unsqueeze", scale, axes=[1, 2])), g("Unsqueeze", shift, axes=[1, 2]))
    a = g("Clip", a, min=0.0, max=6.0)
    a = g("Pad", a, pads=[0, 0, 1, 1, 0, 0, 1, 1])
    a = g("MaxPool", a, kernel_shape=[2, 2], strides=[2, 2])
    a = g("Upsample", a, g.constant(np.array([1, 1, 2, 2], np.float32)), mode="nearest")
    a = g("Slice", a, starts=[1, 1], ends=[9, 9], axes=[2, 3])
    dropped = g("Dropout", g("Reshape", a, g.constant(np.array([1, 256], np.int64))), ratio=0.4)
    weights = g("ConstantOfShape", g.constant(np.array([5, 256], np.int64)),
                value=helper.make_tensor("value", TensorProto.FLOAT, [1], [0.02]))
    b = g("Gemm", dropped, g("Identity", weights), g.weight(5), transB=1)
    c = g("Softmax", b)
    d = g("Softmax", g("Conv", a, g.weight(5, 4, 8, 8)))
    e = g("Softmax", a)
    g.save("old", c, d, e, listed=True)


def sequences():
    g = Graph(inputs={"x": ["N", 4, 11]})
    a = g("Relu", g("Conv", "x", g.weight(6, 4, 3), g.weight(6), pads=[1, 1], strides=[2]))
    a = g("MaxPool", a, kernel_shape=[2])
    b = g("Flatten", g("GlobalAveragePool", g("Conv", a, g.weight(6, 1, 2), group=6)))
    g.save("sequences", a, b)


def channels_last_input():
    g = Graph(opset=13, inputs={"images": ["N", 8, 6, 3]})
    a = g("Transpose", "images", perm=[0, 3, 1, 2])
    a = g("Relu", g("Conv", a, g.weight(5, 3, 3, 3), pads=[1, 1, 1, 1]))
    a = g("AveragePool", a, kernel_shape=[8, 6])
    a = g("Squeeze", a, g.constant(np.array([2, 3], np.int64)))
    a = g("Softmax", g("Add", g("MatMul", a, g.weight(5, 4)), g.weight(4)))
    model = g.model([a])
    feeds = {"images": random.standard_normal([2, 8, 6, 3]).astype(np.float32)}
    save(FOLDER, "channels_last_input", model, feeds, keeps_order=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        others(sys.argv[1], sys.argv[2:])
    else:
        FOLDER = os.path.dirname(os.path.abspath(__file__)) + "/ONNX"
        for make in [windows, activations, normalizations, movements, merging, old, sequences, channels_last_input]:
            make()
