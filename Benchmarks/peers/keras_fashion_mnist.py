"""Trains the fashion-cnn network on Fashion-MNIST with Keras, as the lesson does, start to finish.

    python keras_fashion_mnist.py [FOLDER] [--epochs 10]

FOLDER has the four IDX files, gzipped or not. Prints the test accuracy, the total seconds (reading of the
files, training, evaluation; not the import of Keras) and the peak memory as one JSON line.
"""

import argparse
import gzip
import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras  # noqa: E402
import numpy as np  # noqa: E402
from keras import layers  # noqa: E402

from rounds import peak_rss_mib  # noqa: E402


def read_idx(folder, name):
    for path, opener in [(folder / name, open), (folder / f"{name}.gz", gzip.open)]:
        if path.exists():
            with opener(path, "rb") as file:
                content = file.read()
            break
    else:
        sys.exit(f"{folder} has neither {name} nor {name}.gz; "
                 "give the folder with the IDX files of Fashion-MNIST")
    if len(content) < 4 or content[:3] != b"\0\0\x08":
        sys.exit(f"{path} is not an IDX file of bytes")
    header = 4 + 4 * content[3]
    shape = np.frombuffer(content, ">u4", content[3], 4).astype(int)
    if len(content) != header + shape.prod():
        sys.exit(f"{path} has {len(content)} bytes instead of {header + shape.prod()}")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path("/usr/share/datasets/fashion-mnist"))
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--batch-size", type=int, default=128)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    keras.utils.set_random_seed(options.seed)
    start = time.perf_counter()

    train_images, train_labels, test_images, test_labels = (
        read_idx(options.folder, name) for name in (
            "train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
            "t10k-labels-idx1-ubyte"))
    train_images = train_images[..., None].astype(np.float32) / 255
    test_images = test_images[..., None].astype(np.float32) / 255

    model = keras.Sequential([
        keras.Input((28, 28, 1)),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(10, activation="softmax"),
    ])
    # TensorFlow's CPU kernels are faster here than what XLA makes of the step.
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False)
    model.fit(train_images, train_labels, batch_size=options.batch_size, epochs=options.epochs,
              validation_split=0.1, verbose=2)
    loss, accuracy = model.evaluate(test_images, test_labels, batch_size=options.batch_size, verbose=0)
    print(json.dumps({
        "framework": "keras-tensorflow", "version": keras.__version__, "epochs": options.epochs,
        "test_accuracy": round(accuracy, 4), "test_loss": round(loss, 4),
        "seconds": round(time.perf_counter() - start, 1), "peak_rss_mib": peak_rss_mib()}))


if __name__ == "__main__":
    main()
