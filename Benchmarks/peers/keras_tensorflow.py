"""Times training steps of a measured network in Keras on TensorFlow; rounds.py has the protocol.

Variants: "fit" is the step that model.fit runs, fed from memory through tf.data; "step" is a tf.function of
one's own around a GradientTape; "-jit" compiles either with XLA.
"""

import os

from rounds import arguments, serve

VARIANTS = ["fit", "fit-jit", "step", "step-jit"]


def fit_step(model, images, labels):
    import tensorflow as tf

    batches = iter(tf.data.Dataset.from_tensors((images, labels)).repeat())
    model.make_train_function()
    return lambda: float(model.train_function(batches)["loss"])


def own_step(model, images, labels, jit):
    import tensorflow as tf

    @tf.function(jit_compile=jit, reduce_retracing=True)
    def step(images, labels):
        with tf.GradientTape() as tape:
            loss = model.loss(labels, model(images, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        model.optimizer.apply(gradients, model.trainable_variables)
        return loss

    model.optimizer.build(model.trainable_variables)
    return lambda: float(step(images, labels))


def main():
    options = arguments(__doc__, VARIANTS)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    import keras
    import numpy as np
    import tensorflow as tf

    from networks import NETWORKS, keras_loss, keras_model

    network = NETWORKS[options.network]
    keras.utils.set_random_seed(1)
    model = keras_model(options.network)
    optimizer = {"adam": keras.optimizers.Adam, "rmsprop": keras.optimizers.RMSprop}[network.optimizer]
    jit = options.variant.endswith("-jit")
    model.compile(optimizer(network.learning_rate), keras_loss(options.network), jit_compile=jit)

    random = np.random.default_rng(1)
    images = tf.constant(random.random((options.batch_size, *network.input_shape), np.float32))
    labels = random.integers(0, max(network.classes, 2), options.batch_size)
    labels = tf.constant(labels.reshape(-1, 1) if network.classes == 1 else labels, tf.int32)
    if options.variant.startswith("fit"):
        step = fit_step(model, images, labels)
    else:
        step = own_step(model, images, labels, jit)
    serve(step, "keras-tensorflow", f"{keras.__version__} / {tf.__version__}", options)


if __name__ == "__main__":
    main()
