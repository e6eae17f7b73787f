"""Writes foreign.json: the first bytes of files that people take for Fovea's models, as the programs that write them do.

Run with Keras, TensorFlow, PyTorch and NumPy installed: python3 make_foreign.py
"""

import gzip
import json
import pickle
import tempfile
from pathlib import Path

import keras
import numpy
import torch

model = keras.Sequential([keras.Input([3]), keras.layers.Dense(2)])
layer = torch.nn.Linear(3, 2)
array = numpy.arange(6.0)
beginnings = {}
with tempfile.TemporaryDirectory() as folder:

    def keep(name, write):
        path = Path(folder) / name
        write(path)
        beginnings[name] = path.read_bytes()[:96].hex()

    keep("model.h5", model.save)
    keep("model.weights.h5", model.save_weights)
    keep("model.keras", model.save)
    keep("model.pt", lambda path: torch.save(layer.state_dict(), path))
    keep("old.pt", lambda path: torch.save(layer.state_dict(), path, _use_new_zipfile_serialization=False))
    keep("data.pickle", lambda path: path.write_bytes(pickle.dumps({"a": [1, 2]})))
    keep("array.npy", lambda path: numpy.save(path, array))
    keep("arrays.npz", lambda path: numpy.savez(path, array=array))
    keep("model.safetensors.gz", lambda path: path.write_bytes(gzip.compress(b"{}", mtime=0)))

text = json.dumps(beginnings, indent=1)
(Path(__file__).resolve().parent / "foreign.json").write_text(text + "\n")
