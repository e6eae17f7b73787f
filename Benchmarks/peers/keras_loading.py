"""Times how fast Keras's ImageDataGenerator brings the pictures of a folder to training; rounds.py has the protocol.

A step is a batch: pictures read, resized to the network's size, augmented and put together. Batches are made
ahead, so the time of one says nothing: all of a round have the mean.

Variants: "iterator" is the generator as it is, on one thread; "threads" and "processes" are Keras's own queue in
front of it with two workers.
"""

import sys
import time

from rounds import loading_arguments, serve_batches

VARIANTS = ["iterator", "threads", "processes"]


def main():
    options = loading_arguments(__doc__, VARIANTS)
    import keras
    from keras.src.legacy.preprocessing.image import ImageDataGenerator
    from keras.src.trainers.data_adapters.py_dataset_adapter import OrderedEnqueuer

    from networks import NETWORKS

    generator = ImageDataGenerator(
        rescale=1 / 255, rotation_range=40, width_shift_range=0.2, height_shift_range=0.2, shear_range=0.2,
        zoom_range=0.2, horizontal_flip=True, fill_mode="nearest")
    # What it prints would be taken for an answer.
    answers, sys.stdout = sys.stdout, sys.stderr
    batches = generator.flow_from_directory(
        options.pictures, target_size=NETWORKS[options.network].input_shape[:2], class_mode="binary",
        batch_size=options.batch_size, seed=1)
    sys.stdout = answers
    if options.variant == "iterator":
        def next_batch():
            return next(batches)
    else:
        batches._workers, batches._max_queue_size = 2, 10
        batches._use_multiprocessing = options.variant == "processes"
        queue = OrderedEnqueuer(batches, shuffle=True)
        queue.start()
        queued = queue.get()

        def next_batch():
            return next(queued)
    serve_batches(next_batch, "keras", keras.__version__, options)


if __name__ == "__main__":
    main()
