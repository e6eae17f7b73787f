"""Writes architectures.json: the layers of published architectures as Keras builds them, and numbers of two small ones.

Run with the packages of Benchmarks/peers/requirements.txt: python make_summaries.py

    summaries   of each network the totals and, unless it would repeat another, its layers as [name, kind, output shape
                without the batch axis, parameters]
    numbers     outputs in inference and training mode, and in training mode gradients of the loss
                sum(outputs * value(0, i)), of a residual network for CIFAR and of one made of Keras's own bottleneck
                blocks. Of each gradient there are its L2 norm and samples [index, gradient], largest first.

What goes into the second is made from hashes, with `value` and `unit` of
Tests/FoveaTrainingTests/Golden/hashed_values.py. The stream is the 32-bit FNV-1a hash of a parameter's path, such as
"conv1_conv/kernel":

    images            value(image_stream, i)
    kernel            value(stream, i, sqrt(6 / inputs of an output)), the scale rounded to float32
    gamma             0.75 + value(stream, i, 0.25)
    moving_variance   0.75 + unit(stream, i)
    others            value(stream, i, 0.125)

Of some streams for the images that one is taken for which no ReLU of a training step is given a number as near to 0 as the others
have: on which side of its kink a number is, is not for rounding to decide. The numbers are Keras's in float64. They are written only
when Keras in float32 agrees.
"""

import os
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "FoveaTrainingTests" / "Golden"))

import keras  # noqa: E402
import numpy as np  # noqa: E402
import tensorflow as tf  # noqa: E402
from keras import applications, layers  # noqa: E402
from keras.src.applications.resnet import stack_residual_blocks_v1  # noqa: E402

from hashed_values import number, numbers, require_agreement, unit, value, write_json  # noqa: E402

SAMPLES = 8
ROUNDED = 2e-5


# Summaries.

def count(weights):
    return int(sum(np.prod(w.shape) for w in weights))


def summary(name, make, shape, include_top, with_layers=True):
    model = make(weights=None, include_top=include_top, input_shape=shape)
    return described(name, model, include_top, with_layers)


def described(name, model, include_top=True, with_layers=True):
    record = {"name": name, "input": list(model.input_shape[1:]), "include_top": include_top,
              "output": list(model.output_shape[1:]),
              "trainable": count(model.trainable_weights), "non_trainable": count(model.non_trainable_weights)}
    if with_layers:
        record["layers"] = [[layer.name, type(layer).__name__, list(layer.output.shape[1:]), count(layer.weights)]
                            for layer in model.layers if not isinstance(layer, layers.InputLayer)]
    keras.backend.clear_session()
    return record


def transfer_model():
    base = applications.VGG16(weights=None, include_top=False, input_shape=(32, 32, 3))
    base.trainable = False
    return keras.Sequential([
        keras.Input((32, 32, 3)), base, layers.Flatten(), layers.Dense(512, activation="relu"),
        layers.Dense(10, activation="softmax")])


def summaries():
    large, small, oblong = (224, 224, 3), (32, 32, 3), (96, 64, 3)
    yield summary("vgg16", applications.VGG16, large, True)
    yield summary("vgg16", applications.VGG16, large, False, with_layers=False)
    yield summary("vgg16", applications.VGG16, small, True)
    yield summary("vgg16", applications.VGG16, small, False)
    yield summary("vgg19", applications.VGG19, large, True)
    yield summary("vgg19", applications.VGG19, oblong, False)
    yield summary("resnet50", applications.ResNet50, large, True)
    yield summary("resnet50", applications.ResNet50, oblong, False)
    yield summary("resnet101", applications.ResNet101, large, True)
    yield summary("resnet101", applications.ResNet101, oblong, False, with_layers=False)
    yield summary("resnet152", applications.ResNet152, large, True, with_layers=False)
    yield summary("resnet152", applications.ResNet152, oblong, False)
    yield described("transfer", transfer_model())


# Numbers.

def batch_normalized(x, name, epsilon):
    return layers.BatchNormalization(epsilon=epsilon, name=f"{name}_bn")(x)


def cifar_resnet(depth=20, classes=10):
    """He et al. 2015, section 4.2, with projections where the shape changes: 6n + 2 layers."""
    def conv(x, filters, size, strides, name):
        x = layers.Conv2D(filters, size, strides=strides, padding="same", name=f"{name}_conv")(x)
        return x

    inputs = keras.Input((32, 32, 3))
    x = layers.ReLU(name="conv1_relu")(batch_normalized(conv(inputs, 16, 3, 1, "conv1"), "conv1", 1e-3))
    for stage in range(3):
        filters = 16 * 2**stage
        for block in range((depth - 2) // 6):
            name = f"conv{stage + 2}_block{block + 1}"
            strides = 2 if stage > 0 and block == 0 else 1
            y = layers.ReLU(name=f"{name}_1_relu")(
                batch_normalized(conv(x, filters, 3, strides, f"{name}_1"), f"{name}_1", 1e-3))
            y = batch_normalized(conv(y, filters, 3, 1, f"{name}_2"), f"{name}_2", 1e-3)
            if strides == 2:
                x = conv(x, filters, 1, strides, f"{name}_0")
            x = layers.ReLU(name=f"{name}_out")(layers.Add()([x, y]))
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(classes, activation="softmax", name="predictions")(x))


def bottleneck_resnet(shape=(32, 48, 3), blocks=(2, 1, 2, 1), filters=4, classes=5):
    """A ResNet-50 with fewer blocks and filters."""
    inputs = keras.Input(shape)
    x = layers.ZeroPadding2D(3)(inputs)
    x = layers.Conv2D(filters, 7, strides=2, name="conv1_conv")(x)
    x = layers.ReLU()(batch_normalized(x, "conv1", 1.001e-5))
    x = layers.MaxPooling2D(3, strides=2)(layers.ZeroPadding2D(1)(x))
    for stage, block_count in enumerate(blocks):
        x = stack_residual_blocks_v1(
            x, filters * 2**stage, block_count, stride1=2 if stage > 0 else 1, name=f"conv{stage + 2}")
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(classes, activation="softmax", name="predictions")(x))


def fnv1a(text):
    result = 0x811C9DC5
    for byte in text.encode():
        result = (result ^ byte) * 0x01000193 % 2**32
    return result


def parameter_value(path, shape):
    stream, kind = fnv1a(path), path.split("/")[-1]
    if kind == "kernel":
        return value(stream, shape, np.sqrt(6.0 / np.prod(shape[:-1])))
    if kind == "gamma":
        return np.float32(0.75) + value(stream, shape, 0.25)
    if kind == "moving_variance":
        return np.float32(0.75) + unit(stream, shape)
    return value(stream, shape, 0.125)


IMAGE_STREAMS = range(2, 34)


def distance_from_kinks(model, images):
    """The least absolute number that any ReLU is given in a training step."""
    rectified = [layer.input for layer in model.layers
                 if isinstance(layer, layers.ReLU) or getattr(layer, "activation", None) is keras.activations.relu]
    return min(float(tf.reduce_min(tf.abs(x))) for x in keras.Model(model.inputs, rectified)(images, training=True))


def run(make, batch, dtype, chosen, stream=None):
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
    model = make()
    weights = {f"{layer.name}/{w.name}": w for layer in model.layers for w in layer.weights}
    for path, weight in weights.items():
        weight.assign(parameter_value(path, tuple(weight.shape)))
    def images_of(stream):
        return tf.constant(value(stream, (batch, *model.input_shape[1:])), dtype)

    # In training mode moving averages change, which training itself does not read.
    averages = {path: w.numpy() for path, w in weights.items() if "moving" in path}
    stream = stream or max(IMAGE_STREAMS, key=lambda stream: distance_from_kinks(model, images_of(stream)))
    for path, average in averages.items():
        weights[path].assign(average)
    images = images_of(stream)
    inference = model(images, training=False)
    upstream = tf.constant(value(0, tuple(inference.shape)), dtype)
    with tf.GradientTape() as tape:
        training = model(images, training=True)
        loss = tf.reduce_sum(training * upstream)
    gradients = tape.gradient(loss, [weights[path].value for path in chosen])
    return model, stream, inference.numpy(), training.numpy(), [np.asarray(g) for g in gradients]


def compared(name, make, batch, chosen):
    model, stream, *double = run(make, batch, "float64", chosen)
    _, _, *single = run(make, batch, "float32", chosen, stream)
    for what, a, b in zip(["inference", "training", *chosen], [*single[:2], *single[2]], [*double[:2], *double[2]],
                          strict=True):
        print(f"{name} {what}: float32 differs by {require_agreement(f'{name} {what}', a, b, ROUNDED):.2g}")
    inference, training, gradients = double
    records = []
    for path, gradient in zip(chosen, gradients, strict=True):
        flat = gradient.ravel()
        largest = np.argsort(-np.abs(flat), kind="stable")[:SAMPLES]
        records.append({"path": path, "norm": number(np.linalg.norm(flat)),
                        "samples": [[int(i), number(flat[i])] for i in largest]})
    return {"name": name, "image_stream": stream, "input_shape": [batch, *model.input_shape[1:]], "output_shape": list(inference.shape),
            "parameters": count(model.weights), "inference": numbers(inference), "training": numbers(training),
            "gradients": records}


if __name__ == "__main__":
    write_json(HERE / "architectures.json", {
        "versions": {"keras": keras.__version__, "tensorflow": tf.__version__},
        "summaries": list(summaries()),
        "numbers": [
            compared("cifar-resnet20", cifar_resnet, 4, [
                "conv1_conv/kernel", "conv2_block2_1_bn/gamma", "conv3_block1_0_conv/kernel",
                "conv4_block1_0_conv/bias", "conv4_block3_2_conv/kernel", "predictions/kernel"]),
            compared("bottleneck", bottleneck_resnet, 6, [
                "conv1_conv/kernel", "conv1_bn/beta", "conv2_block1_0_conv/kernel", "conv3_block1_2_conv/kernel",
                "conv5_block1_3_bn/gamma", "predictions/bias"])]})
