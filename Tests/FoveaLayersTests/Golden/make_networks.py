"""Writes networks.json: parameter counts and outputs of published networks as their own frameworks have them.

Run with keras, torch, torchvision and timm: python make_networks.py

    counts   parameters that are learned, and moving averages, of each network with 1000 classes
    numbers  mean features, the first of each image, and probabilities of 5 classes for two images

Parameters are filled from `tile`, 8191 numbers value(9, i) of hashed_values.py in Tests/FoveaTrainingTests/Golden. In the order
that Keras keeps a parameter in, element i is tile[(start + i) mod 8191], where start is the 32-bit FNV-1a hash of its path in
Fovea, such as "stem_conv/kernel", mod 8191. It is scaled to

    kernel            tile * sqrt(6 / inputs of an output)
    gamma             gamma * (1 + tile / 4), with the gamma of the record
    moving_variance   1 + tile / 4
    others            tile / 8

and images are value(2, i) plus value(3, i) of image and channel. The numbers are the frameworks' in float64.
"""

import os
import re
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "FoveaTrainingTests" / "Golden"))

import keras  # noqa: E402
import numpy as np  # noqa: E402
import timm  # noqa: E402
import torch  # noqa: E402
import torchvision  # noqa: E402

from hashed_values import numbers, value, write_json  # noqa: E402

FEATURES = 24
TILE = value(9, (8191,)).astype(np.float64)


def fnv1a(text):
    result = 0x811C9DC5
    for byte in text.encode():
        result = (result ^ byte) * 0x01000193 % 2**32
    return result


def parameter_value(path, shape, gamma):
    """Of the shape that Keras has."""
    count, kind = int(np.prod(shape)), path.split("/")[-1]
    tile = TILE[(fnv1a(path) % TILE.size + np.arange(count)) % TILE.size].reshape(shape)
    if kind == "kernel":
        # Depthwise kernels end with a multiplier of 1.
        inputs = np.prod(shape[:2]) if len(shape) == 4 and shape[-1] == 1 else np.prod(shape[:-1])
        return tile * np.sqrt(6.0 / inputs)
    if kind == "gamma":
        return gamma * (1 + tile / 4)
    if kind == "moving_variance":
        return 1 + tile / 4
    return tile / 8


# PyTorch.

NORMALIZATION = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}


def efficientnet(name):
    """timm's blocks.2.1.conv_pwl is block3b_project_conv."""
    name = {"conv_stem": "stem_conv", "bn1": "stem_bn", "conv_head": "top_conv", "bn2": "top_bn",
            "classifier": "predictions"}.get(name, name)
    if match := re.fullmatch(r"blocks\.(\d+)\.(\d+)\.(.+)", name):
        stage, index, part = int(match[1]), int(match[2]), match[3]
        parts = {"conv_dw": "dwconv", "bn1": "bn", "conv_pw": "project_conv", "bn2": "project_bn"} if stage == 0 else {
            "conv_pw": "expand_conv", "bn1": "expand_bn", "conv_dw": "dwconv", "bn2": "bn", "conv_pwl": "project_conv",
            "bn3": "project_bn"}
        name = f"block{stage + 1}{'abcdefghij'[index]}_{parts[part]}"
    return name


def mobilenet(name):
    """torchvision's features.4.conv.0.0 is block_3_expand."""
    name = {"features.0.0": "Conv1", "features.0.1": "bn_Conv1", "features.18.0": "Conv_1",
            "features.18.1": "Conv_1_bn", "classifier.1": "predictions"}.get(name, name)
    if match := re.fullmatch(r"features\.(\d+)\.conv\.(.+)", name):
        number, part = int(match[1]), match[2]
        parts = {"0.0": "expand", "0.1": "expand_BN", "1.0": "depthwise", "1.1": "depthwise_BN", "2": "project",
                 "3": "project_BN"}
        if number == 1:
            parts = {"0.0": "depthwise", "0.1": "depthwise_BN", "1": "project", "2": "project_BN"}
        name = f"{'expanded_conv' if number == 1 else f'block_{number - 1}'}_{parts[part]}"
    return name


def squeezenet(name):
    """torchvision's features.3.squeeze is fire2_squeeze1x1."""
    name = {"features.0": "conv1", "classifier.1": "conv10"}.get(name, name)
    fires = {3: 2, 4: 3, 6: 4, 7: 5, 9: 6, 10: 7, 11: 8, 12: 9}
    if match := re.fullmatch(r"features\.(\d+)\.(.+)", name):
        name = f"fire{fires[int(match[1])]}_{match[2].replace('squeeze', 'squeeze1x1')}"
    return name


def resnet(name):
    """torchvision's layer1.2.conv3 is conv2_block3_3_conv."""
    name = {"conv1": "conv1_conv", "bn1": "conv1_bn", "fc": "predictions"}.get(name, name)
    if match := re.fullmatch(r"layer(\d)\.(\d+)\.(conv|bn|downsample\.)(\d)", name):
        kind = {"conv": "conv", "bn": "bn", "downsample.": ["conv", "bn"][int(match[4]) % 2]}[match[3]]
        number = 0 if match[3] == "downsample." else int(match[4])
        name = f"conv{int(match[1]) + 1}_block{int(match[2]) + 1}_{number}_{kind}"
    return name


def googlenet(name):
    """torchvision's inception3a.branch2.1.conv is inception_3a_branch2_2_conv."""
    name = re.sub(r"^inception(\d\w)\.branch(\d)\.(\d)\.(\w+)$",
                  lambda m: f"inception_{m[1]}_branch{m[2]}_{int(m[3]) + 1}_{m[4]}" if m[2] != "4"
                  else f"inception_{m[1]}_branch4_{m[4]}", name)
    name = re.sub(r"^inception(\d\w)\.branch1\.(\w+)$", r"inception_\1_branch1_\2", name)
    return {"fc": "predictions"}.get(name, re.sub(r"^conv(\d)\.(\w+)$", r"conv\1_\2", name))


def fill(model, path_of, gamma):
    for name, tensor in model.state_dict().items():
        module, leaf = name.rsplit(".", 1)
        if leaf == "num_batches_tracked":
            continue
        normalizes = f"{module}.running_mean" in model.state_dict()
        path = f"{path_of(module)}/{NORMALIZATION[leaf] if normalizes else {'weight': 'kernel', 'bias': 'bias'}[leaf]}"
        axes = list(range(tensor.dim()))
        if tensor.dim() == 4:
            # Depthwise kernels are (channels, 1, height, width) there and (height, width, channels, 1) here.
            depthwise = tensor.shape[1] == 1 and tensor.shape[0] > 1
            axes = [2, 3, 0, 1] if depthwise else [2, 3, 1, 0]
        elif tensor.dim() == 2:
            axes = [1, 0]
        filled = parameter_value(path, [tensor.shape[a] for a in axes], gamma)
        tensor.copy_(torch.from_numpy(filled.transpose(np.argsort(axes)).copy()))


def images(size):
    return (value(2, (2, *size, 3)) + value(3, (2, 1, 1, 3))).astype(np.float64)


def torch_numbers(make, path_of, size, gamma):
    model = make(num_classes=5).double().eval()
    with torch.no_grad():
        fill(model, path_of, gamma)
        seen = {}
        pool = {"SqueezeNet": "features", "MobileNetV2": "features", "EfficientNet": "bn2"}.get(
            type(model).__name__, "avgpool")
        model.get_submodule(pool).register_forward_hook(lambda m, x, y: seen.update(x=y))
        logits = model(torch.from_numpy(images(size)).permute(0, 3, 1, 2))
        return seen["x"].mean(dim=(2, 3)).numpy(), logits.softmax(dim=1).numpy()


def torch_counts(make):
    model = make(num_classes=1000)
    return [sum(p.numel() for p in model.parameters()),
            sum(b.numel() for name, b in model.named_buffers() if "num_batches" not in name)]


# Keras.

def keras_numbers(make, size, gamma):
    keras.config.set_floatx("float64")
    keras.config.set_dtype_policy("float64")
    model = make(weights=None, input_shape=(*size, 3), classes=5)
    for layer in model.layers:
        for weight in layer.weights:
            name = "kernel" if weight.name == "depthwise_kernel" else weight.name
            weight.assign(parameter_value(f"{layer.name}/{name}", tuple(weight.shape), gamma))
    last = [layer for layer in model.layers if isinstance(layer, keras.layers.GlobalAveragePooling2D)][0]
    both = keras.Model(model.input, [last.output, model.output])
    return [keras.ops.convert_to_numpy(y) for y in both(images(size), training=False)]


def keras_counts(make):
    model = make(weights=None)
    return [int(sum(np.prod(w.shape) for w in weights))
            for weights in (model.trainable_weights, model.non_trainable_weights)]


# All.

def torchvision_model(name, **settings):
    return lambda num_classes: getattr(torchvision.models, name)(weights=None, num_classes=num_classes, **settings)


def timm_model(name):
    return lambda num_classes: timm.create_model(name, num_classes=num_classes)


def record(name, size, gamma, result):
    features, probabilities = (np.asarray(x) for x in result)
    spread = np.abs(features[0] - features[1]).max() / np.abs(features).max()
    print(f"{name} {size}: features up to {np.abs(features).max():.3g}, of two images differ by {spread:.2f}; "
          f"probabilities {probabilities.min():.2g} to {probabilities.max():.2g}")
    if spread < 0.05 or probabilities.max() > 0.98:
        raise SystemExit("these numbers would not show an error")
    return {"name": name, "input": [*size, 3], "gamma": gamma, "features": numbers(features[:, :FEATURES]),
            "probabilities": numbers(probabilities)}


TORCH = {
    **{f"efficientnet-lite{i}": (timm_model(f"tf_efficientnet_lite{i}"), efficientnet) for i in range(5)},
    "mobilenet-v2-torch": (torchvision_model("mobilenet_v2"), mobilenet),
    "squeezenet": (torchvision_model("squeezenet1_1"), squeezenet),
    "resnet50-torch": (torchvision_model("resnet50"), resnet),
    "resnet101-torch": (torchvision_model("resnet101"), resnet),
    "resnet152-torch": (torchvision_model("resnet152"), resnet),
    "googlenet-torch": (torchvision_model("googlenet", aux_logits=False, init_weights=False), googlenet),
}
KERAS = {"mobilenet-v2": keras.applications.MobileNetV2, "densenet121": keras.applications.DenseNet121}
CASES = [
    ("efficientnet-lite0", (64, 64), 0.9), ("efficientnet-lite0", (75, 50), 0.9), ("efficientnet-lite2", (50, 70), 0.9),
    ("efficientnet-lite4", (40, 56), 0.9), ("mobilenet-v2", (64, 64), 0.9), ("mobilenet-v2", (75, 50), 0.9),
    ("mobilenet-v2-torch", (64, 64), 0.9), ("mobilenet-v2-torch", (75, 50), 0.9), ("squeezenet", (64, 64), 0.9),
    ("squeezenet", (50, 69), 0.9), ("squeezenet", (53, 55), 0.9), ("resnet50-torch", (64, 45), 0.6),
    ("googlenet-torch", (64, 64), 0.9), ("googlenet-torch", (53, 75), 0.9), ("densenet121", (64, 47), 0.9),
]

if __name__ == "__main__":
    counts = {name: torch_counts(make) for name, (make, _) in TORCH.items()}
    counts |= {name: keras_counts(make) for name, make in KERAS.items()}
    write_json(HERE / "networks.json", {
        "versions": {"keras": keras.__version__, "torch": torch.__version__, "torchvision": torchvision.__version__,
                     "timm": timm.__version__},
        "counts": [{"name": name, "learned": learned, "others": others}
                   for name, (learned, others) in counts.items()],
        "numbers": [
            record(name, size, gamma, torch_numbers(*TORCH[name], size, gamma) if name in TORCH
                   else keras_numbers(KERAS[name], size, gamma))
            for name, size, gamma in CASES]})
