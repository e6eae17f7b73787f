"""Runs the ONNX files that ONNXContractTests left in a folder, and compares outputs with those saved beside them.

    FOVEA_ONNX_FOLDER=/tmp/onnx swift test --filter ONNXContractTests
    pip install onnx onnxruntime safetensors && python Golden/check_onnx.py /tmp/onnx
"""

import glob
import os
import sys

import numpy as np
import onnx
import onnxruntime
from safetensors.numpy import load_file

onnxruntime.set_default_logger_severity(3)
worst, failures, count = 0, 0, 0
for path in sorted(glob.glob(sys.argv[1] + "/*.onnx")):
    name = os.path.basename(path)
    try:
        onnx.checker.check_model(onnx.load(path), full_check=True)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        values = load_file(path[: -len("onnx")] + "safetensors")
        feeds = {key[3:]: value for key, value in values.items() if key.startswith("in:")}
        names = [output.name for output in session.get_outputs()]
        for key, actual in zip(names, session.run(names, feeds)):
            expected = values["out:" + key]
            assert actual.shape == expected.shape, f"{key}: {actual.shape}, expected {expected.shape}"
            # Relative to 1 where numbers are large.
            error = np.max(np.abs(actual - expected) / np.maximum(1, np.abs(expected)))
            worst = max(worst, error)
            assert error < 1e-5, f"{key}: error {error}"
        count += 1
        if "-v" in sys.argv:
            print(name, [node.op_type for node in onnx.load(path).graph.node])
    except Exception as problem:
        failures += 1
        print(f"{name}: {problem}")
print(f"{count} files agree, worst error {worst:.1e}; {failures} do not")
sys.exit(failures > 0)
