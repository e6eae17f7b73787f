"""Times training steps of a measured network in Keras on JAX; rounds.py has the protocol.

Variants: "fit" is the step that model.fit runs; "step" is a jitted function of one's own around the model's
stateless calls. Both give the old state's memory to the new one.
"""

import os
import sys

from rounds import arguments, serve

VARIANTS = ["fit", "step"]


def fit_step(model, batch):
    model.make_train_function()
    state = tuple(
        [variable.value for variable in variables] for variables in (
            model.trainable_variables, model.non_trainable_variables, model.optimizer.variables,
            model.metrics_variables))

    def step():
        nonlocal state
        logs, state = model.train_function(state, iter([batch]))
        return float(logs["loss"])

    return step


def own_step(model, batch):
    import jax

    def loss_and_state(trainable, fixed, images, labels):
        outputs, fixed = model.stateless_call(trainable, fixed, images, training=True)
        return model.loss(labels, outputs), fixed

    def jitted(state, images, labels):
        trainable, fixed, optimizer = state
        (loss, fixed), gradients = jax.value_and_grad(loss_and_state, has_aux=True)(
            trainable, fixed, images, labels)
        trainable, optimizer = model.optimizer.stateless_apply(optimizer, gradients, trainable)
        return loss, (trainable, fixed, optimizer)

    jitted = jax.jit(jitted, donate_argnums=0)
    state = tuple(
        [variable.value for variable in variables] for variables in (
            model.trainable_variables, model.non_trainable_variables, model.optimizer.variables))

    def step():
        nonlocal state
        loss, state = jitted(state, *batch)
        return float(loss)

    return step


def main():
    options = arguments(__doc__, VARIANTS)
    os.environ["KERAS_BACKEND"] = "jax"
    # Keras would load TensorFlow where that is installed, for nothing but memory.
    sys.modules["tensorflow"] = None
    import jax
    import keras
    import numpy as np

    from networks import NETWORKS, keras_loss, keras_model

    network = NETWORKS[options.network]
    keras.utils.set_random_seed(1)
    model = keras_model(options.network)
    optimizer = {"adam": keras.optimizers.Adam, "rmsprop": keras.optimizers.RMSprop}[network.optimizer]
    model.compile(optimizer(network.learning_rate), keras_loss(options.network), jit_compile=True)
    model.optimizer.build(model.trainable_variables)

    random = np.random.default_rng(1)
    images = random.random((options.batch_size, *network.input_shape), np.float32)
    labels = random.integers(0, max(network.classes, 2), options.batch_size)
    labels = (labels.reshape(-1, 1) if network.classes == 1 else labels).astype(np.int32)
    batch = jax.device_put((images, labels))
    step = fit_step(model, batch) if options.variant == "fit" else own_step(model, batch)
    serve(step, "keras-jax", f"{keras.__version__} / {jax.__version__}", options)


if __name__ == "__main__":
    main()
