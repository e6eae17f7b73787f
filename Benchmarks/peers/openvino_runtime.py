"""Times the inference of a measured network in OpenVINO, in float32; rounds.py has the protocol.

Variants are OpenVINO's performance hints: "latency" runs the batch as one request on all threads;
"throughput" runs its parts as requests side by side, and a step ends with the last of them.
"""

import math
import os
import tempfile
from pathlib import Path

from rounds import arguments, serve

VARIANTS = ["latency", "throughput"]


def main():
    options = arguments(__doc__, VARIANTS)
    import numpy as np
    import openvino
    from openvino import properties
    from openvino.properties import hint

    from networks import NETWORKS
    from onnx_model import write_in_own_process

    network = NETWORKS[options.network]
    threads = len(os.sched_getaffinity(0))
    parts = math.gcd(options.batch_size, threads) if options.variant == "throughput" else 1
    settings = {
        hint.performance_mode: getattr(hint.PerformanceMode, options.variant.upper()),
        hint.num_requests: parts,
        # CPUs with matrix units would take bfloat16.
        hint.inference_precision: openvino.Type.f32,
        properties.inference_num_threads: threads,
    }
    core = openvino.Core()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "model.onnx"
        write_in_own_process(options.network, options.batch_size // parts, file)
        compiled = core.compile_model(file, "CPU", settings)

    *size, channels = network.input_shape
    images = np.random.default_rng(1).random((options.batch_size, channels, *size), np.float32)
    requests = []
    for part in np.split(images, parts):
        request = compiled.create_infer_request()
        request.set_input_tensor(openvino.Tensor(part, shared_memory=True))
        requests.append(request)
    if parts == 1:
        def run():
            requests[0].infer(share_outputs=True)
    else:
        def run():
            for request in requests:
                request.start_async()
            for request in requests:
                request.wait()

    def step():
        run()
        return requests[-1].get_output_tensor().data[0, 0]

    serve(step, "openvino", openvino.__version__.split("-")[0], options)


if __name__ == "__main__":
    main()
