"""Times the inference of a measured network in ONNX Runtime; rounds.py has the protocol.

Variants: "run" gives the session arrays, "binding" binds the memory of input and output once.
"""

import os
import tempfile
from pathlib import Path

from rounds import arguments, serve

VARIANTS = ["run", "binding"]


def main():
    options = arguments(__doc__, VARIANTS)
    import numpy as np
    import onnxruntime

    from networks import NETWORKS
    from onnx_model import write_in_own_process

    network = NETWORKS[options.network]
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.onnx"
        write_in_own_process(options.network, options.batch_size, file)
        session = onnxruntime.InferenceSession(file, settings, providers=["CPUExecutionProvider"])

    *size, channels = network.input_shape
    images = np.random.default_rng(1).random((options.batch_size, channels, *size), np.float32)
    if options.variant == "run":
        def step():
            return session.run(None, {"images": images})[0][0, 0]
    else:
        outputs = np.empty((options.batch_size, network.classes), np.float32)
        binding = session.io_binding()
        binding.bind_input("images", "cpu", 0, np.float32, images.shape, images.ctypes.data)
        binding.bind_output(
            session.get_outputs()[0].name, "cpu", 0, np.float32, outputs.shape, outputs.ctypes.data)

        def step():
            session.run_with_iobinding(binding)
            return outputs[0, 0]

    serve(step, "onnxruntime", onnxruntime.__version__, options)


if __name__ == "__main__":
    main()
