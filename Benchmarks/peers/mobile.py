"""The parts of networks for mobile devices, for Keras and for PyTorch.

Sandler et al. 2018, arXiv:1801.04381: an inverted residual block is a 1x1 convolution to several times the channels, a
depthwise one and a 1x1 convolution back to few, with a way around them where nothing changes its size. All are followed by
batch normalisation, the first two by ReLU6 as well.
"""


def keras_layer(kind, *arguments):
    """A function from a Keras tensor to another."""
    from keras import layers

    def conv(x, filters, size, stride):
        x = layers.Conv2D(filters, size, stride, padding="same", use_bias=False)(x)
        return layers.ReLU(6.0)(layers.BatchNormalization()(x))

    def inverted(x, filters, size, stride, expansion):
        y = conv(x, expansion * x.shape[-1], 1, 1) if expansion > 1 else x
        y = layers.DepthwiseConv2D(size, stride, padding="same", use_bias=False)(y)
        y = layers.ReLU(6.0)(layers.BatchNormalization()(y))
        y = layers.BatchNormalization()(layers.Conv2D(filters, 1, use_bias=False)(y))
        return layers.Add()([x, y]) if stride == 1 and x.shape[-1] == filters else y

    return {"conv6": lambda x: conv(x, *arguments), "inverted": lambda x: inverted(x, *arguments)}[kind]


def torch_module(kind, channels, *arguments):
    """A module for images with so many channels, and how many it gives."""
    from torch import nn

    def conv(channels, filters, size, stride, groups=1, relu=True):
        return [nn.Conv2d(channels, filters, size, stride, padding=size // 2, groups=groups, bias=False),
                nn.BatchNorm2d(filters), *([nn.ReLU6(inplace=True)] if relu else [])]

    class Inverted(nn.Module):
        def __init__(self, filters, size, stride, expansion):
            super().__init__()
            inside = expansion * channels
            self.is_residual = stride == 1 and channels == filters
            self.layers = nn.Sequential(
                *(conv(channels, inside, 1, 1) if expansion > 1 else []),
                *conv(inside, inside, size, stride, groups=inside),
                *conv(inside, filters, 1, 1, relu=False))

        def forward(self, x):
            return x + self.layers(x) if self.is_residual else self.layers(x)

    module = nn.Sequential(*conv(channels, *arguments)) if kind == "conv6" else Inverted(*arguments)
    return module, arguments[0]
