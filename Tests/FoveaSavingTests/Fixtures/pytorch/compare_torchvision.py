"""Writes torchvision's networks with random weights, images and their outputs for TorchvisionTests.swift:

    python3 compare_torchvision.py FOLDER
    FOVEA_TORCHVISION=FOLDER swift test --disable-xctest -Xcc -O2 --filter TorchvisionTests
"""

import sys
from pathlib import Path

import torch
import torchvision
from safetensors.torch import save_file

NETWORKS = {
    "vgg16": ("vgg16", 224),
    "vgg19": ("vgg19", 224),
    "alexnet-2014": ("alexnet", 224),
    "resnet18": ("resnet18", 224),
    "resnet34": ("resnet34", 97),
    "resnet50-torch": ("resnet50", 224),
    "googlenet-torch": ("googlenet", 224),
    "squeezenet": ("squeezenet1_1", 224),
    "mobilenet-v2-torch": ("mobilenet_v2", 224),
    "densenet121": ("densenet121", 224),
}
folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)
for ours, (theirs, size) in NETWORKS.items():
    torch.manual_seed(3)
    options = {"aux_logits": False, "init_weights": True} if theirs == "googlenet" else {}
    network = getattr(torchvision.models, theirs)(weights=None, **options)
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            # Numbers like those of networks that were trained.
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            torch.nn.init.uniform_(module.weight, 0.5, 1.5)
            torch.nn.init.normal_(module.bias, 0, 0.1)
    network.eval()
    images = torch.randn(2, 3, size, size)
    with torch.no_grad():
        outputs = torch.softmax(network(images), 1)
    torch.save(network.state_dict(), folder / f"{ours}.pth")
    save_file(network.state_dict(), folder / f"{ours}.safetensors")
    save_file(
        {"images": images.permute(0, 2, 3, 1).contiguous(), "outputs": outputs},
        folder / f"{ours}.outputs.safetensors")
    print(ours)
