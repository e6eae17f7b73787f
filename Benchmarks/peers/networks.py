"""The measured networks, written down once and built with Keras or with PyTorch.

A layer is a tuple: ("conv", filters, kernel size, padding), ("pool",), ("flatten",),
("dense", units, activation or None) or ("dropout", rate). Every such convolution has a bias and a ReLU,
every such pooling is 2x2 maximum pooling. Residual networks (residual.py) have ("conv_norm", filters, kernel size,
stride, bias), ("pool3",), a 3x3 maximum pooling with stride 2, ("residual", filters, stride, bias), ("bottleneck", filters,
stride, bias) and ("global_pool",); with a bias, projections are not normalised, as in Keras's example for CIFAR-10. Networks for mobile devices (mobile.py) have
("conv6", filters, kernel size, stride) and ("inverted", filters, kernel size, stride, expansion).

What stands behind an @ in a name is the size of the images, where it is not the one that the network was made for.
"""

import dataclasses
import math
from dataclasses import dataclass

import mobile
import residual


@dataclass(frozen=True)
class Network:
    input_shape: tuple
    batch: int
    layers: list
    # Those that training changes.
    parameters: int
    learning_rate: float = 1e-3
    optimizer: str = "adam"

    @property
    def classes(self):
        """1 means one probability of the second of two classes."""
        return self.layers[-1][1]

    @property
    def output_activation(self):
        """None where the network gives logits."""
        return self.layers[-1][2]


NETWORKS = {
    "fashion-cnn": Network(
        (28, 28, 1), 128,
        [("conv", 32, 3, "valid"), ("pool",), ("conv", 64, 3, "valid"), ("pool",), ("flatten",),
         ("dense", 128, "relu"), ("dropout", 0.5), ("dense", 10, "softmax")],
        225_034),
    "single-conv": Network(
        (28, 28, 1), 128,
        [("conv", 32, 3, "same"), ("pool",), ("dropout", 0.25), ("flatten",), ("dense", 128, "relu"),
         ("dropout", 0.25), ("dense", 10, "softmax")],
        804_554),
    "mnist-cnn": Network(
        (28, 28, 1), 32,
        [("conv", 32, 3, "valid"), ("pool",), ("conv", 64, 3, "valid"), ("pool",),
         ("conv", 64, 3, "valid"), ("flatten",), ("dense", 64, "relu"), ("dropout", 0.5),
         ("dense", 10, "softmax")],
        93_322),
    "wide-kernel-cnn": Network(
        (28, 28, 1), 64,
        [("conv", 32, 5, "same"), ("pool",), ("conv", 64, 5, "same"), ("pool",), ("flatten",),
         ("dense", 1024, "relu"), ("dropout", 0.5), ("dense", 10, None)],
        3_274_634),
    "cats-dogs-cnn": Network(
        (150, 150, 3), 20,
        [("conv", 32, 3, "valid"), ("pool",), ("conv", 64, 3, "valid"), ("pool",),
         ("conv", 128, 3, "valid"), ("pool",), ("conv", 128, 3, "valid"), ("pool",), ("flatten",),
         ("dropout", 0.5), ("dense", 512, "relu"), ("dense", 1, "sigmoid")],
        3_453_121, learning_rate=1e-4, optimizer="rmsprop"),
    "resnet18@64": Network(
        (64, 64, 3), 16,
        [("conv_norm", 64, 7, 2, False), ("pool3",),
         *[("residual", filters, 2 if block == 0 and filters > 64 else 1, False)
           for filters in (64, 128, 256, 512) for block in range(2)],
         ("global_pool",), ("dense", 1000, "softmax")],
        11_689_512),
    "cifar-resnet20": Network(
        (32, 32, 3), 128,
        [("conv_norm", 16, 3, 1, True),
         *[("residual", filters, 2 if block == 0 and filters > 16 else 1, True)
           for filters in (16, 32, 64) for block in range(3)],
         ("global_pool",), ("dense", 10, "softmax")],
        273_066),
    "vgg16": Network(
        (224, 224, 3), 32,
        [*[layer for filters, count in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3))
           for layer in [("conv", filters, 3, "same")] * count + [("pool",)]],
         ("flatten",), ("dense", 4096, "relu"), ("dense", 4096, "relu"), ("dense", 1000, "softmax")],
        138_357_544),
    "resnet50": Network(
        (224, 224, 3), 32,
        [("conv_norm", 64, 7, 2, True), ("pool3",),
         *[("bottleneck", filters, 2 if block == 0 and filters > 64 else 1, True)
           for filters, count in ((64, 3), (128, 4), (256, 6), (512, 3)) for block in range(count)],
         ("global_pool",), ("dense", 1000, "softmax")],
        25_583_592),
    "efficientnet-lite0": Network(
        (224, 224, 3), 32,
        [("conv6", 32, 3, 2),
         *[("inverted", filters, size, stride if block == 0 else 1, expansion)
           for filters, count, size, stride, expansion in (
               (16, 1, 3, 1, 1), (24, 2, 3, 2, 6), (40, 2, 5, 2, 6), (80, 3, 3, 2, 6), (112, 3, 5, 1, 6),
               (192, 4, 5, 2, 6), (320, 1, 3, 1, 6))
           for block in range(count)],
         ("conv6", 1280, 1, 1), ("global_pool",), ("dropout", 0.2), ("dense", 1000, "softmax")],
        4_652_008),
    "mobilenet-v2-torch": Network(
        (224, 224, 3), 32,
        [("conv6", 32, 3, 2),
         *[("inverted", filters, 3, stride if block == 0 else 1, expansion)
           for filters, count, stride, expansion in (
               (16, 1, 1, 1), (24, 2, 2, 6), (32, 3, 2, 6), (64, 4, 2, 6), (96, 3, 1, 6), (160, 3, 2, 6),
               (320, 1, 1, 6))
           for block in range(count)],
         ("conv6", 1280, 1, 1), ("global_pool",), ("dropout", 0.2), ("dense", 1000, "softmax")],
        3_504_872),
    "softmax-regression": Network((784,), 32, [("dense", 10, "softmax")], 7_850),
}
for name in ["efficientnet-lite0", "mobilenet-v2-torch"]:
    NETWORKS[f"{name}@96"] = dataclasses.replace(NETWORKS[name], input_shape=(96, 96, 3))


def family(kind):
    """The module that has a kind of layer."""
    return mobile if kind in ("conv6", "inverted") else residual


def keras_model(name):
    """The network as a Keras model, its layers named as in a fresh Keras session."""
    import keras

    keras.utils.clear_session()
    network = NETWORKS[name]
    x = images = keras.Input(network.input_shape)
    for kind, *arguments in network.layers:
        if kind == "conv":
            filters, size, padding = arguments
            x = keras.layers.Conv2D(filters, size, padding=padding, activation="relu")(x)
        elif kind == "pool":
            x = keras.layers.MaxPooling2D(2)(x)
        elif kind == "flatten":
            x = keras.layers.Flatten()(x)
        elif kind == "dense":
            units, activation = arguments
            x = keras.layers.Dense(units, activation=activation)(x)
        elif kind == "dropout":
            x = keras.layers.Dropout(arguments[0])(x)
        else:
            x = family(kind).keras_layer(kind, *arguments)(x)
    model = keras.Model(images, x, name=name.split("@")[0].replace("-", "_"))
    count = sum(math.prod(weight.shape) for weight in model.trainable_weights)
    if count != network.parameters:
        raise ValueError(f"{name} has {count} parameters instead of {network.parameters}")
    return model


def keras_loss(name):
    import keras

    network = NETWORKS[name]
    if network.classes == 1:
        return keras.losses.BinaryCrossentropy()
    return keras.losses.SparseCategoricalCrossentropy(from_logits=network.output_activation is None)


def torch_model(name, flatten_channels_last=False):
    """The network as a PyTorch module on NCHW input that gives logits.

    `flatten_channels_last` flattens in NHWC order, so that the rows of the first dense layer mean what
    they mean in Keras. It costs a copy, so timings leave it off.
    """
    from torch import nn

    class FlattenChannelsLast(nn.Module):
        def forward(self, x):
            return x.permute(0, 2, 3, 1).flatten(1)

    network = NETWORKS[name]
    *spatial, channels = network.input_shape
    modules = []
    for kind, *arguments in network.layers:
        if kind == "conv":
            filters, size, padding = arguments
            border = size // 2 if padding == "same" else 0
            modules += [nn.Conv2d(channels, filters, size, padding=border), nn.ReLU()]
            channels = filters
            spatial = [extent + 2 * border - size + 1 for extent in spatial]
        elif kind == "pool":
            modules.append(nn.MaxPool2d(2))
            spatial = [extent // 2 for extent in spatial]
        elif kind == "flatten":
            modules.append(FlattenChannelsLast() if flatten_channels_last else nn.Flatten())
            channels, spatial = channels * spatial[0] * spatial[1], []
        elif kind == "dense":
            units, activation = arguments
            modules.append(nn.Linear(channels, units))
            if activation == "relu":
                modules.append(nn.ReLU())
            channels = units
        elif kind == "dropout":
            modules.append(nn.Dropout(arguments[0]))
        else:
            module, channels = family(kind).torch_module(kind, channels, *arguments)
            modules.append(module)
    model = nn.Sequential(*modules)
    count = sum(parameter.numel() for parameter in model.parameters())
    if count != network.parameters:
        raise ValueError(f"{name} has {count} parameters instead of {network.parameters}")
    return model


def torch_loss(name):
    from torch import nn

    return nn.BCEWithLogitsLoss() if NETWORKS[name].classes == 1 else nn.CrossEntropyLoss()
