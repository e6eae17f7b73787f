"""Times the inference of a measured network in ncnn, stored and computed in float32; rounds.py has the protocol.

The model goes through pnnx. ncnn knows no batches: a step's images follow each other. Variants: "winograd" and "plain" convolutions.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from rounds import arguments, serve

VARIANTS = ["winograd", "plain"]


def converted(name, folder):
    """The paths of the network's two files."""
    from networks import NETWORKS
    from onnx_model import write_in_own_process

    file = Path(folder) / "model.onnx"
    write_in_own_process(name, 1, file)
    *size, channels = NETWORKS[name].input_shape
    shape = ",".join(map(str, [1, channels, *size]))
    # The package's module would load PyTorch into this process, whose memory is reported.
    command = "import pnnx; print(pnnx.EXEC_PATH)"
    program = subprocess.run([sys.executable, "-c", command], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    conversion = subprocess.run([program, str(file), f"inputshape=[{shape}]f32", "fp16=0"], cwd=folder,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if conversion.returncode != 0:
        raise RuntimeError(f"pnnx ended with status {conversion.returncode}: {conversion.stdout}")
    return str(Path(folder) / "model.ncnn.param"), str(Path(folder) / "model.ncnn.bin")


def main():
    options = arguments(__doc__, VARIANTS)
    import ncnn
    import numpy as np

    from networks import NETWORKS

    network = NETWORKS[options.network]
    net = ncnn.Net()
    net.opt.num_threads = len(os.sched_getaffinity(0))
    net.opt.use_winograd_convolution = options.variant == "winograd"
    for setting in ["use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_storage"]:
        setattr(net.opt, setting, False)
    with tempfile.TemporaryDirectory() as folder:
        param, weights = converted(options.network, folder)
        if net.load_param(param) != 0 or net.load_model(weights) != 0:
            raise RuntimeError("ncnn could not read what pnnx wrote")

    *size, channels = network.input_shape
    random = np.random.default_rng(1)
    images = [ncnn.Mat(random.random((channels, *size), np.float32)).clone() for _ in range(options.batch_size)]

    def step():
        for image in images:
            extractor = net.create_extractor()
            extractor.input("in0", image)
            status, output = extractor.extract("out0")
            if status != 0:
                raise RuntimeError(f"ncnn ended with status {status}")
        return output[0]

    serve(step, "ncnn", ncnn.__version__, options)


if __name__ == "__main__":
    main()
