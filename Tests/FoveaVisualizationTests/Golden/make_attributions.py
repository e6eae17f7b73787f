"""Makes attributions.json: what decided in a small network with fixed weights, and the first steps of gradient ascent, as
TensorFlow's gradients have them.

Run: python3 make_attributions.py (needs keras 3, tensorflow, numpy, scikit-learn).
"""

import json
import os

os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf
from sklearn.decomposition import PCA

HEIGHT, WIDTH, CLASSES = 10, 12, 5
CLASS = 0
STEPS = 20


@tf.custom_gradient
def guided_relu(x):
    y = tf.nn.relu(x)
    return y, lambda g: tf.where((y > 0) & (g > 0), g, 0.0)


def network(relu):
    """The layers as pairs of name and layer."""
    return [
        ("conv1", keras.layers.Conv2D(4, 3, padding="same", activation=relu)),
        ("pool1", keras.layers.MaxPooling2D()),
        ("conv2", keras.layers.Conv2D(6, 3, padding="same", activation=relu)),
        ("norm2", keras.layers.BatchNormalization()),
        ("pooling", keras.layers.GlobalAveragePooling2D()),
        ("classes", keras.layers.Dense(CLASSES)),
    ]


class Network:
    def __init__(self, relu, weights=None, seed=7):
        self.layers = network(relu)
        x = tf.zeros([1, HEIGHT, WIDTH, 3])
        for _, layer in self.layers:
            x = layer(x)
        if weights is None:
            rng = np.random.default_rng(seed)
            weights = {}
            for name, layer in self.layers:
                weights[name] = [
                    rng.uniform(0.5, 1.5, w.shape) if "variance" in w.path or "gamma" in w.path
                    else rng.normal(0, 0.5 if name != "classes" else 1.5, w.shape)
                    for w in layer.weights
                ]
        # Rounded so that the file says exactly what was computed with.
        self.weights = {
            name: [np.round(np.asarray(w), 4).astype("float32") for w in values]
            for name, values in weights.items()
        }
        for name, layer in self.layers:
            layer.set_weights(self.weights[name])

    def __call__(self, x, start=None, end=None):
        """Outputs of every layer behind `start`, and of `end` last."""
        outputs = {}
        names = [name for name, _ in self.layers]
        first = 0 if start is None else names.index(start) + 1
        for name, layer in self.layers[first:]:
            x = layer(x, training=False)
            outputs[name] = x
            if name == end:
                break
        return outputs


def score(logits, kind):
    values = logits if kind == "logit" else tf.nn.softmax(logits)
    return tf.reduce_sum(values[:, CLASS])


def grad_cam(model, images, layer, kind):
    features = model(images)[layer]
    with tf.GradientTape() as tape:
        tape.watch(features)
        total = score(model(features, start=layer)["classes"], kind)
    gradients = tape.gradient(total, features)
    weights = tf.reduce_mean(gradients, axis=(1, 2), keepdims=True)
    return features.numpy(), gradients.numpy(), tf.nn.relu(tf.reduce_sum(features * weights, axis=3)).numpy()


def grad_cam_plus_plus(features, gradients):
    denominators = 2 * gradients**2 + gradients**3 * features.sum(axis=(1, 2), keepdims=True)
    alpha = gradients**2 / np.where(denominators != 0, denominators, 1)
    weights = (alpha * np.maximum(gradients, 0)).sum(axis=(1, 2), keepdims=True)
    return np.maximum((features * weights).sum(axis=3), 0)


def gradient(model, images, kind="logit"):
    images = tf.convert_to_tensor(images)
    with tf.GradientTape() as tape:
        tape.watch(images)
        total = score(model(images)["classes"], kind)
    return tape.gradient(total, images).numpy()


def integrated_gradients(model, image, baseline=0.0):
    shares = ((np.arange(STEPS) + 0.5) / STEPS).reshape(-1, 1, 1, 1)
    points = baseline + (image[None] - baseline) * shares
    return (image - baseline) * gradient(model, points.astype("float32")).mean(axis=0)


def score_cam(model, image, layer):
    features = model(image[None])[layer].numpy()[0]
    channels = []
    masked = []
    for k in range(features.shape[-1]):
        plane = tf.image.resize(features[:, :, k : k + 1], (HEIGHT, WIDTH)).numpy()
        if plane.max() > plane.min():
            channels.append(k)
            masked.append(image * (plane - plane.min()) / (plane.max() - plane.min()))
    scores = model(np.stack(masked).astype("float32"))["classes"].numpy()[:, CLASS]
    weights = np.exp(scores - scores.max())
    weights /= weights.sum()
    return np.maximum((features[:, :, channels] * weights).sum(axis=-1), 0)


def occlusion(model, image, window=4, stride=2, fill=0.5):
    total = model(image[None])["classes"].numpy()[0, CLASS]
    sums, counts = np.zeros((HEIGHT, WIDTH)), np.zeros((HEIGHT, WIDTH))
    for top in range(0, HEIGHT - window + 1, stride):
        for left in range(0, WIDTH - window + 1, stride):
            covered = image.copy()
            covered[top : top + window, left : left + window] = fill
            fall = total - model(covered[None])["classes"].numpy()[0, CLASS]
            sums[top : top + window, left : left + window] += fall
            counts[top : top + window, left : left + window] += 1
    return sums / counts


def ascent(model, starts, filters, layer, steps=10):
    """Chollet's loop for one filter after another, with images in levels of 0 to 255."""
    results = []
    for start, filter_index in zip(starts, filters):
        image = tf.convert_to_tensor(start[None] * 255)
        for _ in range(steps):
            with tf.GradientTape() as tape:
                tape.watch(image)
                features = model(image / 255, end=layer)[layer]
                loss = tf.reduce_mean(features[:, :, :, filter_index])
            grads = tape.gradient(loss, image)
            grads /= tf.sqrt(tf.reduce_mean(tf.square(grads))) + 1e-5
            image += grads * 1.0
        results.append(image.numpy()[0] / 255)
    return np.stack(results)


def numbers(array):
    return [float(f"{x:.7g}") for x in np.asarray(array).ravel()]


rng = np.random.default_rng(3)
images = np.round(rng.uniform(0, 1, (2, HEIGHT, WIDTH, 3)), 3).astype("float32")
model = Network("relu")
guided = Network(guided_relu, model.weights)
logits = model(images)["classes"].numpy()
features, gradients, map_of_conv2 = grad_cam(model, images, "conv2", "logit")
_, _, map_of_norm2 = grad_cam(model, images, "norm2", "logit")
assert (map_of_conv2.max(axis=(1, 2)) > 0).all() and (map_of_norm2.max(axis=(1, 2)) > 0).all(), "choose another class"
starts = np.round(rng.uniform(0.4, 0.6, (3, HEIGHT, WIDTH, 3)), 3).astype("float32")
filters = [0, 2, 5]
table = np.round(rng.normal(size=(12, 5)) * [5, 3, 1, 0.5, 0.2] @ np.linalg.qr(rng.normal(size=(5, 5)))[0], 4)
pca = PCA(2).fit(table)

result = {
    "class": CLASS,
    "weights": {name: [numbers(w) for w in values] for name, values in model.weights.items()},
    "images": numbers(images),
    "logits": numbers(logits),
    "probabilities": numbers(tf.nn.softmax(logits)),
    "conv2": numbers(features),
    "grad_cam": numbers(map_of_conv2),
    "grad_cam_of_probability": numbers(grad_cam(model, images, "conv2", "probability")[2]),
    "grad_cam_of_norm2": numbers(map_of_norm2),
    "grad_cam_plus_plus": numbers(grad_cam_plus_plus(features, gradients)),
    "score_cam": numbers([score_cam(model, image, "conv2") for image in images]),
    "gradient": numbers(gradient(model, images)),
    "gradient_of_probability": numbers(gradient(model, images, "probability")),
    "guided": numbers(gradient(guided, images)),
    "integrated": numbers([integrated_gradients(model, image) for image in images]),
    "occlusion": numbers([occlusion(model, image) for image in images]),
    "enlarged": numbers(tf.image.resize(map_of_conv2[..., None], (HEIGHT, WIDTH))),
    "ascent_filters": filters,
    "ascent_start": numbers(starts),
    "ascent": numbers(ascent(model, starts, filters, "conv2")),
    "table": numbers(table),
    "pca": numbers(pca.transform(table)),
    "pca_components": numbers(pca.components_),
    "pca_variances": numbers(pca.explained_variance_),
}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "attributions.json"), "w") as file:
    json.dump(result, file, separators=(",", ":"))
    file.write("\n")
