"""Writes networks.json: one loss, all outputs and all weight gradients of the six measured networks.

Run with the packages of Benchmarks/peers/requirements.txt: python make_golden.py

Everything that goes in is rebuilt by the tests with the recipe in hashed_values.py (`value`, `unit`):

    inputs             unit(input_stream, i) in NHWC order
    weight array k     value(k + 1, i, scale), k = 0, 1, ... in Keras's order: kernel, bias of each layer
    scale of a kernel  sqrt(6 / (fan_in + fan_out)) computed in float64, then rounded to float32
                       (a convolution has fan_in = height * width * channels and
                       fan_out = height * width * filters)
    scale of a bias    0.05
    labels             (i * 7 + 3) % 10 for sample i, and i % 2 for the binary network
    loss               mean sparse categorical cross-entropy (of logits where the network has no softmax),
                       mean binary cross-entropy for the binary network
    dropout            inactive

Rounding must not decide which element wins a max-pooling or passes a ReLU, because the gradient jumps there.
So the input stream is the first from FIRST_STREAM on with no such decision closer than CLEAR, relative to the
layer's largest output: some times what float32 sums are off.

Layouts are Keras's: kernels [height, width, channels, filters], dense [inputs, units], Flatten in NHWC order.
The numbers are Keras's in float64. They are written only when PyTorch in float64, Keras in float32 and
PyTorch in float32 agree. Of each gradient the file holds its L2 norm, its dot product with
value(1000 + k, i), and samples [index, gradient]: the largest magnitudes first, then hash-chosen indices.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[2] / "Benchmarks" / "peers")]

import torch  # noqa: E402  Loaded before TensorFlow, whose OpenMP it would otherwise meet.
import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402

from hashed_values import (  # noqa: E402
    number, numbers, recipe_check, require_agreement, splitmix64, unit, value, write_json)
from networks import NETWORKS, keras_loss, keras_model, torch_loss, torch_model  # noqa: E402

LARGEST, SAMPLES = 8, 24
EXACT, ROUNDED = 1e-9, 1e-5
FIRST_STREAM, CLEAR = 3000, 5e-7


def weight_values(shapes):
    arrays = []
    for k, shape in enumerate(shapes):
        scale = 0.05
        if len(shape) > 1:
            window = int(np.prod(shape[:-2]))
            scale = np.sqrt(6.0 / (window * shape[-2] + window * shape[-1]))
        arrays.append(value(k + 1, shape, scale))
    return arrays


def with_keras(name, dtype, inputs, labels):
    keras.config.set_floatx(dtype)
    model = keras_model(name)
    weights = weight_values([tuple(w.shape) for w in model.trainable_weights])
    model.set_weights(weights)
    loss_function = keras_loss(name)
    with tf.GradientTape() as tape:
        outputs = model(tf.constant(inputs, dtype), training=False)
        targets = tf.reshape(tf.constant(labels), (-1, 1)) if NETWORKS[name].classes == 1 else labels
        loss = loss_function(targets, outputs)
    gradients = tape.gradient(loss, [w.value for w in model.trainable_weights])
    names = [f"{layer.name}/{w.name}" for layer in model.layers for w in layer.trainable_weights]
    return names, weights, loss.numpy(), outputs.numpy(), [np.asarray(g) for g in gradients]


TO_TORCH, TO_KERAS = {4: (3, 2, 0, 1), 2: (1, 0), 1: (0,)}, {4: (2, 3, 1, 0), 2: (1, 0), 1: (0,)}


def torch_network(name, dtype, weights):
    model = torch_model(name, flatten_channels_last=True).to(dtype).eval()
    with torch.no_grad():
        for parameter, array in zip(model.parameters(), weights, strict=True):
            parameter.copy_(torch.tensor(array.transpose(TO_TORCH[array.ndim]).copy(), dtype=dtype))
    return model


def torch_input(inputs, dtype):
    x = torch.tensor(inputs, dtype=dtype)
    return x.permute(0, 3, 1, 2).contiguous() if x.dim() == 4 else x


def closest_decision(name, inputs):
    """How close a pooling window's two largest elements, or the larger of them and zero, come to each other."""
    keras.config.set_floatx("float64")
    weights = weight_values([tuple(w.shape) for w in keras_model(name).trainable_weights])
    model = torch_network(name, torch.float64, weights)
    closest = [np.inf]

    def look(module, _, output):
        if isinstance(module, torch.nn.Conv2d):
            windows = output.unfold(2, 2, 2).unfold(3, 2, 2).reshape(*output.shape[:2], -1, 4)
            first, second = windows.topk(2, dim=3).values.unbind(-1)
            gaps = torch.cat([(first - second)[first > 0].flatten(), first.flatten()])
        elif isinstance(module, torch.nn.Linear):
            gaps = output
        else:
            return
        closest.append(float(gaps.abs().min() / output.abs().max()))

    for module in model.modules():
        module.register_forward_hook(look)
    with torch.no_grad():
        model(torch_input(inputs, torch.float64))
    return min(closest)


def chosen_inputs(name, batch):
    stream = FIRST_STREAM
    while True:
        inputs = unit(stream, (batch, *NETWORKS[name].input_shape))
        if closest_decision(name, inputs) >= CLEAR:
            return stream, inputs
        stream += 1


def with_torch(name, dtype, inputs, labels, weights):
    network = NETWORKS[name]
    model = torch_network(name, dtype, weights)
    parameters = list(model.parameters())
    logits = model(torch_input(inputs, dtype))
    if network.classes == 1:
        loss = torch_loss(name)(logits[:, 0], torch.tensor(labels, dtype=dtype))
    else:
        loss = torch_loss(name)(logits, torch.tensor(labels, dtype=torch.int64))
    loss.backward()
    outputs = {None: lambda z: z, "softmax": lambda z: z.softmax(1), "sigmoid": torch.sigmoid}[
        network.output_activation](logits)
    gradients = [p.grad.numpy().transpose(TO_KERAS[p.dim()]) for p in parameters]
    return loss.item(), outputs.detach().numpy(), gradients


def sample_indices(k, gradient):
    magnitudes = np.abs(gradient.ravel())
    chosen = list(np.argsort(-magnitudes, kind="stable")[:LARGEST])
    i = 0
    while len(chosen) < min(SAMPLES, magnitudes.size):
        index = int(splitmix64(((2000 + k) << 32) + i) % np.uint64(magnitudes.size))
        if index not in chosen:
            chosen.append(index)
        i += 1
    return [int(index) for index in chosen]


def golden(name):
    network = NETWORKS[name]
    batch = 2 if name == "cats-dogs-cnn" else 3
    stream, inputs = chosen_inputs(name, batch)
    labels = np.array([i % 2 if network.classes == 1 else (i * 7 + 3) % 10 for i in range(batch)], np.int32)

    names, weights, loss, outputs, gradients = with_keras(name, "float64", inputs, labels)
    others = [
        ("Keras float32", ROUNDED, with_keras(name, "float32", inputs, labels)[2:]),
        ("PyTorch float64", EXACT, with_torch(name, torch.float64, inputs, labels, weights)),
        ("PyTorch float32", ROUNDED, with_torch(name, torch.float32, inputs, labels, weights)),
    ]
    for other, tolerance, (other_loss, other_outputs, other_gradients) in others:
        worst = max(
            require_agreement(f"{name}: loss, {other}", other_loss, loss, tolerance),
            require_agreement(f"{name}: outputs, {other}", other_outputs, outputs, tolerance),
            *(require_agreement(f"{name}: {array}, {other}", a, b, tolerance)
              for array, a, b in zip(names, other_gradients, gradients, strict=True)))
        print(f"{name}: {other} differs by at most {worst:.2g}")

    arrays = []
    for k, (array, gradient) in enumerate(zip(names, gradients)):
        flat = gradient.ravel().astype(np.float64)
        probe = value(1000 + k, flat.shape).astype(np.float64)
        arrays.append({
            "name": array, "shape": list(gradient.shape), "norm": number(np.linalg.norm(flat)),
            "dot": number(flat @ probe),
            "samples": [[i, number(flat[i])] for i in sample_indices(k, gradient)]})
    return {
        "name": name, "input_stream": stream, "input_shape": [batch, *network.input_shape], "labels": labels.tolist(),
        "parameters": network.parameters, "loss": number(loss), "output_shape": list(outputs.shape),
        "outputs": numbers(outputs), "weights": arrays}


if __name__ == "__main__":
    write_json(HERE / "networks.json", {
        "versions": {"keras": keras.__version__, "tensorflow": tf.__version__, "torch": torch.__version__},
        "recipe": recipe_check(),
        "networks": [golden(name) for name in NETWORKS]})
