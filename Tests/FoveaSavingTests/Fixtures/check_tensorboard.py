"""Checks what TensorBoard itself reads in a folder of the callback `TensorBoard`, and what its server shows.

    fovea train fashion-mnist --epochs 2 --validation 0.1 --tensorboard logs/first
    pip install tensorboard
    python3 check_tensorboard.py logs
"""

import json
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

logs = Path(sys.argv[1])
run = sorted(path for path in logs.iterdir() if path.is_dir())[0]
for name in ["train", "validation"]:
    events = EventAccumulator(str(run / name), size_guidance={"tensors": 0})
    events.Reload()
    tags = events.Tags()
    print(name, tags["scalars"], tags["tensors"])
    assert {"epoch_loss", "epoch_accuracy"} <= set(tags["scalars"])
    for tag in tags["scalars"]:
        print("  ", tag, [(event.step, round(event.value, 4)) for event in events.Scalars(tag)])
    if name == "train":
        assert {"summary", "command"} <= set(tags["tensors"])
        assert any(tag.endswith("/histogram") for tag in tags["tensors"])

server = subprocess.Popen(
    [sys.executable, "-m", "tensorboard.main", "--logdir", str(logs), "--port", "0", "--load_fast=false"],
    stderr=subprocess.PIPE, text=True)
try:
    address = None
    for line in server.stderr:
        if found := re.search(r"http://\S+:\d+/", line):
            address = found.group()
            break

    def data(path, body=None, **arguments):
        query = "?" + urllib.parse.urlencode(arguments) if arguments else ""
        body = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(f"{address}data/{path}{query}", body, {"Content-Type": "application/json"})
        return urllib.request.urlopen(request).read()

    deadline = time.time() + 60
    while len(runs := json.loads(data("runs"))) < 3 and time.time() < deadline:
        time.sleep(1)
    print("runs", runs)
    train = f"{run.name}/train"
    scalars = json.loads(data("plugin/scalars/scalars", run=train, tag="epoch_loss"))
    assert len(scalars) > 0
    print("scalars", [(step, round(value, 4)) for _, step, value in scalars])
    texts = json.loads(data("plugin/text/text", run=train, tag="summary"))
    assert "Total params" in texts[0]["text"]
    names = json.loads(data("plugin/histograms/tags"))[train]
    histograms = json.loads(data("plugin/histograms/histograms", run=train, tag=sorted(names)[0]))
    assert len(histograms[0][2]) > 0
    print("histograms", sorted(names))
    images = json.loads(data("plugin/images/tags"))[train]
    for tag in images:
        found = json.loads(data("plugin/images/images", run=train, tag=tag, sample=0))[0]
        picture = data("plugin/images/individualImage?" + found["query"])
        assert picture[:4] == b"\x89PNG"
        print("image", tag, len(picture), "bytes")
    experiment = json.loads(data("plugin/hparams/experiment", {"hparams_limit": 0}))
    print("hyperparameters", [info["name"] for info in experiment["hparamInfos"]])
    print("metrics", [(info["name"]["group"], info["name"]["tag"]) for info in experiment["metricInfos"]])
    assert experiment["hparamInfos"] and experiment["metricInfos"]
    print("all is there")
finally:
    server.terminate()
