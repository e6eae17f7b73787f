"""Keras's part of keras-exchange: random models for Fovea to read, and the reading of what Fovea made of them.

    keras_exchange.py make FOLDER       writes 30 models, and models in training, into FOLDER/keras
    keras_exchange.py compare FOLDER    compares predictions and losses, of Fovea's files as Keras 3 reads them
    keras_exchange.py compare2 FOLDER   the same of .h5 files as Keras 2 (tf_keras) reads them
"""

import glob
import json
import os
import random
import sys

import numpy as np

MODELS = 30


def numbers(shape, seed):
    count = int(np.prod(shape))
    return (((np.arange(count) * 37 + seed * 11) % 101) / 50 - 1).astype("float32").reshape(shape)


def inputs(model, batch=2, seed=0):
    shapes = [tuple(tensor.shape)[1:] for tensor in model.inputs]
    values = [numbers((batch,) + shape, seed + index) for index, shape in enumerate(shapes)]
    return values if len(values) > 1 else values[0]


def outputs(model):
    # Not predict: TensorFlow's optimizer of graphs takes a slope of 0.2 for every LeakyReLU behind the sum of a convolution.
    values = model(inputs(model), training=False)
    return [np.asarray(value).ravel() for value in (values if isinstance(values, list) else [values])]


def block(L, r, x, depth):
    """A few random layers; extents stay at 4 or more."""
    import keras

    kinds = [
        lambda x: L.Conv2D(r.choice([4, 8]), r.choice([1, 3, (3, 2)]), padding="same", activation=r.choice(["relu", "tanh", "silu", None]))(x),
        lambda x: L.DepthwiseConv2D(3, padding="same", depth_multiplier=r.choice([1, 2]))(x),
        lambda x: L.SeparableConv2D(r.choice([4, 6]), 3, padding="same", use_bias=False)(x),
        lambda x: L.Conv2D(8, 3, padding="same", dilation_rate=2, groups=2)(L.Conv2D(4, 1)(x)),
        lambda x: L.BatchNormalization(scale=r.random() < 0.5, center=r.random() < 0.8)(x),
        lambda x: L.LayerNormalization()(x),
        lambda x: L.GroupNormalization(groups=-1)(x),
        lambda x: L.LeakyReLU(0.1)(x),
        lambda x: L.PReLU(shared_axes=[1, 2])(x),
        lambda x: L.ReLU(max_value=6.0)(x),
        lambda x: L.ELU(0.5)(x),
        lambda x: L.Conv2D(4, 1, activation=L.LeakyReLU(0.1))(x),
        lambda x: L.Dropout(0.3)(x),
        lambda x: L.SpatialDropout2D(0.2)(x),
        lambda x: L.GaussianNoise(0.1)(x),
        lambda x: L.RandomFlip("horizontal")(x),
        lambda x: L.ZeroPadding2D(((1, 0), (0, 1)))(x),
        lambda x: L.UpSampling2D(2)(L.AveragePooling2D(2, padding="same")(x)),
        lambda x: L.MaxPooling2D(3, strides=1, padding="same")(x),
        lambda x: L.Conv2DTranspose(4, 3, strides=2, padding="same")(L.MaxPooling2D(2, padding="same")(x)),
        lambda x: L.Add()([x, L.Conv2D(x.shape[-1], 3, padding="same")(x)]),
        lambda x: L.Concatenate()([x, L.Conv2D(3, 1)(x)]),
        lambda x: L.Multiply()([x, L.Conv2D(x.shape[-1], 1, activation="sigmoid")(x)]),
        lambda x: L.Average()([x, x]),
        lambda x: L.Cropping2D(((1, 0), (0, 1)))(L.ZeroPadding2D(1)(x)),
        lambda x: L.Rescaling(0.5, offset=0.1)(x),
        lambda x: L.Activation(r.choice(["relu", "softplus", "gelu", "elu"]))(x),
    ]
    for _ in range(r.randint(3, 8)):
        x = r.choice(kinds)(x)
        if depth > 0 and r.random() < 0.25:
            inner = keras.Input(x.shape[1:])
            body = block(L, r, inner, depth - 1)
            x = keras.Model(inner, body)(x)
    return x


def random_model(keras, seed):
    L, r = keras.layers, random.Random(seed)
    if seed % 3 == 0:
        layers = [L.Input((9, 8, 3)), L.Conv2D(4, 3, activation="relu"), L.BatchNormalization()]
        if r.random() < 0.5:
            layers.append(keras.Sequential([L.Conv2D(4, 3, padding="same"), L.LeakyReLU()]))
        layers += [L.MaxPooling2D(r.choice([2, (2, 1)])), L.Flatten(), L.Dropout(0.5), L.Dense(7, activation="relu")]
        return keras.Sequential(layers + [L.Dense(3, activation="softmax")])
    first = L.Input((8, 6, 4))
    every, x = [first], block(L, r, first, 1)
    if seed % 3 == 2:
        second = L.Input((5,))
        every.append(second)
        shared = L.Dense(4, activation="relu")
        y = L.Concatenate()([L.GlobalAveragePooling2D()(x), shared(second)])
        y = L.Add()([L.Dense(4)(y), shared(second)])
        return keras.Model(every, [L.Dense(3, activation="softmax")(y), L.Dense(1)(y)])
    return keras.Model(every, L.Dense(3, activation="softmax")(L.GlobalMaxPooling2D()(x)))


def randomize(model, seed):
    generator = np.random.default_rng(seed)
    for weight in model.weights:
        if "int" in str(weight.dtype):
            continue
        values = generator.normal(0, 0.3, weight.shape).astype("float32")
        path = getattr(weight, "path", weight.name)
        if "variance" in path or "gamma" in path:
            values = np.abs(values) + 0.5
        weight.assign(values)


def freeze(keras, model, seed):
    r = random.Random(seed + 1000)
    for layer in model.layers:
        if r.random() < 0.2:
            layer.trainable = False


def losses(model, steps):
    result = []
    model.reset_metrics()
    for step in steps:
        labels = (np.arange(4) + step) % 3
        result.append(float(np.ravel(model.train_on_batch(inputs(model, 4, step * 10), labels))[0]))
        model.reset_metrics()
    return result


def make(folder):
    import keras

    os.makedirs(folder + "/keras", exist_ok=True)
    os.makedirs(folder + "/fovea", exist_ok=True)
    for seed in range(MODELS):
        model = random_model(keras, seed)
        randomize(model, seed)
        freeze(keras, model, seed)
        for ending in ["keras", "h5"]:
            path = f"{folder}/keras/model{seed:02}.{ending}"
            model.save(path)
        np.savez(f"{folder}/keras/model{seed:02}.npz", *outputs(model))
    for optimizer in ["sgd", "adam", "adamw", "rmsprop", "nadam", "adagrad"]:
        L = keras.layers
        model = keras.Sequential([L.Input((6, 6, 2)), L.Conv2D(3, 3), L.BatchNormalization(), L.ReLU(), L.Flatten(), L.Dense(3)])
        model.compile(optimizer, keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
        losses(model, range(4))
        model.save(f"{folder}/keras/training_{optimizer}.keras")
        np.savez(f"{folder}/keras/training_{optimizer}.npz", *outputs(model))
        early = losses(model, range(4, 9))
        json.dump([early, losses(model, range(9, 14))], open(f"{folder}/keras/training_{optimizer}.json", "w"))


def difference(a, b):
    if [len(x) for x in a] != [len(x) for x in b]:
        return float("inf")
    return max(float(np.max(np.abs(np.asarray(x) - np.asarray(y)))) for x, y in zip(a, b))


def expected(folder, stem):
    data = np.load(f"{folder}/keras/{stem}.npz")
    return [data[f"arr_{index}"] for index in range(len(data.files))]


def compare(folder):
    import keras

    answers = json.load(open(folder + "/answers.json"))
    worst = {".keras read": 0, ".h5 read": 0, ".keras written": 0, ".h5 written": 0}
    problems = []
    for name, answer in sorted(answers.items()):
        stem, ending = name.split(".", 1)
        if answer.get("problem"):
            problems.append(f"{name}: {answer['problem']}")
        if answer.get("outputs") is None:
            continue
        kind = "." + ending + " read"
        worst[kind] = max(worst[kind], difference(answer["outputs"], expected(folder, stem)))
    for path in sorted(glob.glob(folder + "/fovea/model*")):
        stem, ending = os.path.basename(path).split(".", 1)
        try:
            model = keras.models.load_model(path)
            kind = "." + ending + " written"
            worst[kind] = max(worst[kind], difference(outputs(model), expected(folder, stem)))
        except Exception as error:
            problems.append(f"Keras on {path}: {str(error)[:300]}")
    for kind, value in worst.items():
        print(f"{kind}: largest difference {value:.2e}")
    in_fovea, in_keras = 0, 0
    for path in sorted(glob.glob(folder + "/keras/training_*.json")):
        stem = os.path.basename(path).split(".")[0]
        early, late = json.load(open(path))
        own = answers[stem + ".keras"].get("losses")
        if own is None:
            continue
        in_fovea = max(in_fovea, difference([early], [own]))
        model = keras.models.load_model(f"{folder}/fovea/{stem}.keras")
        in_keras = max(in_keras, difference([late], [losses(model, range(9, 14))]))
    print(f"training from Keras's files in Fovea: largest difference of 5 losses {in_fovea:.2e}")
    print(f"training from Fovea's files in Keras: largest difference of the next 5 losses {in_keras:.2e}")
    print(f"{len(glob.glob(folder + '/fovea/*'))} files by Fovea, {len(answers)} by Keras, {len(problems)} problems")
    for problem in problems:
        print(" ", problem)


def compare2(folder):
    import tf_keras

    worst, problems, count = 0, [], 0
    for path in sorted(glob.glob(folder + "/fovea/model*.h5")):
        stem = os.path.basename(path).split(".")[0]
        try:
            model = tf_keras.models.load_model(path)
            worst = max(worst, difference(outputs(model), expected(folder, stem)))
            count += 1
        except Exception as error:
            problems.append(f"tf_keras on {path}: {str(error)[:300]}")
    print(f".h5 written, read by tf_keras: {count} files, largest difference {worst:.2e}")
    for problem in problems:
        print(" ", problem)


if __name__ == "__main__":
    {"make": make, "compare": compare, "compare2": compare2}[sys.argv[1]](sys.argv[2])
