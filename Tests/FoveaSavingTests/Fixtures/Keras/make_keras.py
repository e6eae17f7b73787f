"""Makes the files of Keras that the tests read, each beside inputs and the predictions of the program that wrote it.

    TF_CPP_MIN_LOG_LEVEL=3 CUDA_VISIBLE_DEVICES= python make_keras.py

Needs keras 3.15, tf_keras 2.21, tensorflow 2.21, h5py.
"""

import json
import os
import sys

import h5py
import numpy as np

FOLDER = os.path.dirname(os.path.abspath(__file__))


def place(name):
    return os.path.join(FOLDER, name)


def randomize(model, seed):
    """Gives every weight numbers that are not those of a new model; variances stay positive."""
    generator = np.random.default_rng(seed)
    for weight in model.weights:
        if "int" in str(weight.dtype):
            continue
        values = generator.normal(0, 0.5, weight.shape).astype("float32")
        name = getattr(weight, "path", weight.name)
        weight.assign(np.abs(values) + 0.5 if "variance" in name else values)


def sequential(keras):
    L = keras.layers
    return keras.Sequential(
        [
            L.Input((9, 8, 3)),
            L.Conv2D(5, 3, padding="same", activation="relu", kernel_regularizer="l2"),
            L.BatchNormalization(),
            L.MaxPooling2D(),
            L.DepthwiseConv2D((3, 2), depth_multiplier=2, use_bias=False),
            L.LeakyReLU(),
            L.Conv2DTranspose(4, 2, strides=2),
            L.SeparableConv2D(6, 3, activation="tanh"),
            L.Dropout(0.3),
            L.GlobalAveragePooling2D(),
            L.Dense(3, activation="softmax", kernel_constraint=keras.constraints.MaxNorm(3)),
        ],
        name="small",
    )


def graph(keras):
    """Two inputs, two outputs, a shared layer, and a model inside whose middle is frozen."""
    L = keras.layers
    inner_input = L.Input((6, 6, 4), name="inner_input")
    x = L.Conv2D(4, 3, padding="same", name="first")(inner_input)
    x = L.BatchNormalization(name="norm", trainable=False)(x)
    x = L.Conv2D(4, 3, padding="same", name="second", trainable=False)(x)
    x = L.BatchNormalization(name="last_norm")(x)
    base = keras.Model(inner_input, L.Add(name="sum")([x, inner_input]), name="base")

    left, right = L.Input((6, 6, 4), name="left"), L.Input((6, 6, 4), name="right")
    shared = L.Conv2D(4, 1, name="shared")
    a, b = shared(left), shared(right)
    joined = L.Concatenate(name="joined")([base(a), b])
    features = L.GlobalMaxPooling2D(name="features")(joined)
    kind = L.Dense(3, activation="softmax", name="kind")(features)
    size = L.Dense(2, name="size")(L.PReLU(name="slopes")(features))
    return keras.Model([left, right], [kind, size], name="graph")


def old(keras):
    """What other files of its kind lack: a list of layers with names that differ from the order, 1-D layers."""
    L = keras.layers
    return keras.Sequential(
        [
            L.Conv1D(4, 3, padding="causal", name="z", input_shape=(7, 2)),
            L.MaxPooling1D(2, name="y"),
            L.LayerNormalization(name="x"),
            L.Flatten(name="w"),
            L.Dense(3, activation="sigmoid", name="v"),
        ],
        name="old",
    )


def activated(keras):
    """Layers as activations, one of them in a branch whose place among the others would change if it counted as a layer."""
    L = keras.layers
    leaky = L.LeakyReLU(**{"alpha" if keras.__version__.startswith("2") else "negative_slope": 0.1})
    images = L.Input((6, 6, 2), name="images")
    left = L.Conv2D(2, 1, name="left_second")(L.Conv2D(2, 1, name="left")(images))
    right = L.Conv2D(2, 1, name="right", activation=leaky)(images)
    joined = L.Add(name="joined")([left, right])
    x = L.Conv2D(3, 3, name="last", activation=L.ReLU(max_value=2.0))(joined)
    x = L.GlobalAveragePooling2D(name="features")(x)
    x = L.Dense(4, name="hidden", activation=L.ReLU(max_value=6.0))(x)
    return keras.Model(images, L.Dense(3, name="class", activation=L.ELU(alpha=0.5))(x), name="activated")


def open_sized(keras):
    """For images of any size, with a model inside for such."""
    L = keras.layers
    images = L.Input((None, None, 3))
    base = keras.Model(images, L.Conv2D(4, 3, activation="relu")(images), name="base")
    return keras.Sequential([L.Input((None, None, 3)), base, L.GlobalMaxPooling2D(), L.Dense(2)], name="open")


def save(name, model, writes, records, keras, size=None):
    shapes = [size or tuple(tensor.shape)[1:] for tensor in model.inputs]
    inputs = [numbers((2,) + shape, index) for index, shape in enumerate(shapes)]
    writes(place(name))
    outputs = model.predict(inputs if len(inputs) > 1 else inputs[0], verbose=0)
    outputs = outputs if isinstance(outputs, list) else [outputs]
    records[name] = {"outputs": [np.asarray(x).ravel().tolist() for x in outputs]}


def compile_for_training(keras, model, outputs):
    if outputs == 1:
        loss, metrics = "sparse_categorical_crossentropy", ["accuracy"]
    else:
        loss, metrics = ["sparse_categorical_crossentropy", "mse"], [["accuracy"], ["mae"]]
    model.compile(keras.optimizers.Adam(0.01), loss, metrics=metrics)


def train(model, outputs, batches=4):
    """Losses of single batches of fixed numbers, which the tests make again."""
    losses = []
    for step in range(batches):
        losses.append(float(np.ravel(model.train_on_batch(*batch(model, outputs, step)))[0]))
    return losses


def batch(model, outputs, step):
    shapes = [tuple(tensor.shape)[1:] for tensor in model.inputs]
    inputs = [numbers((4,) + shape, step * 10 + index) for index, shape in enumerate(shapes)]
    labels = (np.arange(4) + step) % 3
    targets = [labels, numbers((4, 2), 99)][:outputs]
    return (inputs if len(inputs) > 1 else inputs[0]), (targets if outputs > 1 else targets[0])


def numbers(shape, seed):
    """The i-th number is ((i · 37 + seed · 11) mod 101) / 50 - 1."""
    count = int(np.prod(shape))
    return (((np.arange(count) * 37 + seed * 11) % 101) / 50 - 1).astype("float32").reshape(shape)


def main():
    which = sys.argv[1]
    records = {}
    if which == "keras3":
        import keras

        model = sequential(keras)
        randomize(model, 1)
        compile_for_training(keras, model, 1)
        save("sequential3.keras", model, model.save, records, keras)
        save("sequential3.h5", model, model.save, records, keras)
        save("sequential3.weights.h5", model, model.save_weights, records, keras)

        model = graph(keras)
        randomize(model, 2)
        compile_for_training(keras, model, 2)
        save("graph3.keras", model, model.save, records, keras)
        save("graph3.h5", model, model.save, records, keras)
        save("graph3.weights.h5", model, model.save_weights, records, keras)

        normalization = keras.layers.Normalization()
        model = keras.Sequential([keras.Input((4, 3)), normalization, keras.layers.Flatten(), keras.layers.Dense(2)])
        normalization.adapt(numbers((8, 4, 3), 5) * 3 + 1)
        save("normalization3.keras", model, model.save, records, keras)

        model = activated(keras)
        randomize(model, 6)
        model.compile(keras.optimizers.Adam(0.01), "mse")
        save("activated3.keras", model, model.save, records, keras)
        model = open_sized(keras)
        randomize(model, 7)
        save("open3.keras", model, model.save, records, keras, size=(7, 5, 3))

        for optimizer in [
            keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
            keras.optimizers.RMSprop(0.001, momentum=0.5, centered=True),
            keras.optimizers.Adam(0.01, amsgrad=True),
            keras.optimizers.Nadam(0.01),
            keras.optimizers.Adagrad(0.05),
            keras.optimizers.Adadelta(0.5),
            keras.optimizers.Adamax(0.01),
            keras.optimizers.Lion(0.001),
            keras.optimizers.Adafactor(0.01),
            keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.01, 3, 0.5)),
            keras.optimizers.Adam(0.01, use_ema=True, gradient_accumulation_steps=2, clipnorm=0.1),
        ]:
            L = keras.layers
            model = keras.Sequential(
                [L.Input((6, 6, 2)), L.Conv2D(3, 3), L.BatchNormalization(), L.ReLU(), L.Flatten(), L.Dense(3)]
            )
            loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
            model.compile(optimizer, loss, metrics=["accuracy"])
            before = train(model, 1)
            kind = type(optimizer).__name__.lower()
            if kind == "adam":
                kind = "amsgrad" if optimizer.amsgrad else "averaged" if optimizer.use_ema else "scheduled"
            name = f"training_{kind}.keras"
            model.save(place(name))
            after = []
            model.reset_metrics()
            for step in range(4, 9):
                after.append(float(np.ravel(model.train_on_batch(*batch(model, 1, step)))[0]))
                model.reset_metrics()
            records[name] = {"losses": after}
    else:
        import tf_keras as keras

        model = sequential(keras)
        randomize(model, 3)
        compile_for_training(keras, model, 1)
        save("sequential2.keras", model, model.save, records, keras)
        save("sequential2.h5", model, model.save, records, keras)

        model = graph(keras)
        randomize(model, 4)
        compile_for_training(keras, model, 2)
        save("graph2.keras", model, model.save, records, keras)
        save("graph2.h5", model, model.save, records, keras)
        save("graph2.weights.h5", model, model.save_weights, records, keras)

        model = old(keras)
        randomize(model, 5)
        save("old.h5", model, model.save, records, keras)
        save("old_weights.h5", model, lambda path: model.save_weights(path, save_format="h5"), records, keras)
        age(place("old.h5"))

        model = activated(keras)
        randomize(model, 8)
        model.compile(keras.optimizers.Adam(0.01), "mse")
        save("activated2.keras", model, model.save, records, keras)
        save("activated2.h5", model, model.save, records, keras)
        model = open_sized(keras)
        randomize(model, 9)
        save("open2.h5", model, model.save, records, keras, size=(7, 5, 3))

    path = place("predictions.json")
    known = json.load(open(path)) if os.path.exists(path) else {}
    known.update(records)
    json.dump(known, open(path, "w"), indent=0, sort_keys=True)


def age(path):
    """Brings a file into the form that Keras had before 2.2.3: a list of layers, and texts of fixed length."""
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        layers = [layer for layer in config["config"]["layers"] if layer["class_name"] != "InputLayer"]
        layers[0]["config"]["batch_input_shape"] = [None, 7, 2]
        config["config"] = layers
        del file.attrs["model_config"]
        file.attrs["model_config"] = np.bytes_(json.dumps(config))
        file.attrs["keras_version"] = np.bytes_("2.1.6")


if __name__ == "__main__":
    main()
