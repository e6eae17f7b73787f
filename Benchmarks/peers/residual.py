"""The parts of residual networks with batch normalisation, for Keras and for PyTorch.

He et al. 2015, arXiv:1512.03385: a block is two 3x3 convolutions and a way around them, which is a 1x1 convolution where
the size or the number of channels changes. A bottleneck has 1x1, 3x3 and 1x1 convolutions, the last with four times the
filters. Convolutions are followed by batch normalisation.
"""


def keras_layer(kind, *arguments):
    """A function from a Keras tensor to another."""
    from keras import layers

    def conv_norm(x, filters, size, stride, bias, relu=True):
        x = layers.Conv2D(filters, size, stride, padding="same", use_bias=bias)(x)
        x = layers.BatchNormalization()(x)
        return layers.ReLU()(x) if relu else x

    def block(x, filters, stride, bias):
        y = conv_norm(x, filters, 3, stride, bias)
        y = conv_norm(y, filters, 3, 1, bias, relu=False)
        if stride != 1 or x.shape[-1] != filters:
            x = layers.Conv2D(filters, 1, stride)(x) if bias else conv_norm(x, filters, 1, stride, bias, relu=False)
        return layers.ReLU()(layers.Add()([x, y]))

    def bottleneck(x, filters, stride, bias):
        y = conv_norm(x, filters, 1, stride, bias)
        y = conv_norm(y, filters, 3, 1, bias)
        y = conv_norm(y, 4 * filters, 1, 1, bias, relu=False)
        if x.shape[-1] != 4 * filters:
            x = conv_norm(x, 4 * filters, 1, stride, bias, relu=False)
        return layers.ReLU()(layers.Add()([x, y]))

    return {
        "conv_norm": lambda x: conv_norm(x, *arguments),
        "residual": lambda x: block(x, *arguments),
        "bottleneck": lambda x: bottleneck(x, *arguments),
        "pool3": lambda x: layers.MaxPooling2D(3, 2, padding="same")(x),
        "global_pool": lambda x: layers.GlobalAveragePooling2D()(x),
    }[kind]


def torch_module(kind, channels, *arguments):
    """A module for images with so many channels, and how many it gives."""
    from torch import nn

    def conv_norm(channels, filters, size, stride, bias, relu=True):
        modules = [nn.Conv2d(channels, filters, size, stride, padding=size // 2, bias=bias),
                   nn.BatchNorm2d(filters)]
        return nn.Sequential(*modules, *([nn.ReLU()] if relu else []))

    class Block(nn.Module):
        def __init__(self, filters, stride, bias):
            super().__init__()
            self.first = conv_norm(channels, filters, 3, stride, bias)
            self.second = conv_norm(filters, filters, 3, 1, bias, relu=False)
            if stride == 1 and channels == filters:
                self.shortcut = nn.Identity()
            elif bias:
                self.shortcut = nn.Conv2d(channels, filters, 1, stride)
            else:
                self.shortcut = conv_norm(channels, filters, 1, stride, bias, relu=False)
            self.relu = nn.ReLU()

        def forward(self, x):
            return self.relu(self.second(self.first(x)) + self.shortcut(x))

    class Bottleneck(nn.Module):
        def __init__(self, filters, stride, bias):
            super().__init__()
            self.ways = nn.Sequential(
                conv_norm(channels, filters, 1, stride, bias), conv_norm(filters, filters, 3, 1, bias),
                conv_norm(filters, 4 * filters, 1, 1, bias, relu=False))
            self.shortcut = (nn.Identity() if channels == 4 * filters
                             else conv_norm(channels, 4 * filters, 1, stride, bias, relu=False))
            self.relu = nn.ReLU()

        def forward(self, x):
            return self.relu(self.ways(x) + self.shortcut(x))

    if kind == "conv_norm":
        return conv_norm(channels, *arguments), arguments[0]
    if kind == "residual":
        return Block(*arguments), arguments[0]
    if kind == "bottleneck":
        return Bottleneck(*arguments), 4 * arguments[0]
    if kind == "pool3":
        return nn.MaxPool2d(3, 2, padding=1), channels
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()), channels
