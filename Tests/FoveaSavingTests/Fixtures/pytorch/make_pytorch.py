"""Files of torch.save and safetensors.torch for the tests of PyTorch's formats: python3 make_pytorch.py"""

import os
from collections import OrderedDict

import torch
from safetensors.torch import save_file

os.chdir(os.path.dirname(os.path.abspath(__file__)))
torch.manual_seed(7)


def numbers(*shape, dtype=torch.float32):
    count = torch.Size(shape).numel()
    return (torch.arange(count) * 0.25 - 3).reshape(shape).to(dtype)


base = numbers(24)
state = OrderedDict(
    plain=numbers(2, 3),
    scalar=torch.tensor(2.5),
    empty=torch.zeros(0, 3),
    channels_last=numbers(4, 3, 2, 5).to(memory_format=torch.channels_last),
    transposed=numbers(3, 4).t(),
    one=numbers(1, 5, 1).transpose(0, 2),
    part=base[5:11],
    every_third=base[1::3],
    square=base.reshape(2, 3, 4)[:, 1:, ::2],
    parameter=torch.nn.Parameter(numbers(3, 2)),
    half=numbers(5, dtype=torch.float16),
    bfloat=numbers(5, dtype=torch.bfloat16),
    double=numbers(5, dtype=torch.float64) / 3,
    long=torch.tensor(41),
    int=torch.tensor([1, -2], dtype=torch.int32),
    short=torch.tensor([300, -300], dtype=torch.int16),
    char=torch.tensor([5, -5], dtype=torch.int8),
    byte=torch.tensor([5, 250], dtype=torch.uint8),
    bool=torch.tensor([True, False, True]),
)
torch.save(state, "state.pt")
torch.save(state, "state_protocol4.pt", pickle_protocol=4)
torch.save(state, "state_old.pth", _use_new_zipfile_serialization=False)
save_file({name: tensor.detach().clone().contiguous() for name, tensor in state.items()}, "state.safetensors")


class Network(torch.nn.Module):
    """One of every kind of layer whose weights Fovea keeps in another order."""

    def __init__(self):
        super().__init__()
        nn = torch.nn
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.ReLU())
        self.grouped = nn.Conv2d(8, 8, (3, 1), groups=2)
        self.depthwise = nn.Conv2d(8, 16, 3, groups=8)
        self.up = nn.ConvTranspose2d(16, 6, (2, 3), stride=2)
        self.act = nn.PReLU(6)
        self.norm = nn.GroupNorm(2, 6)
        self.classifier = nn.Sequential(nn.Flatten(), nn.Linear(6 * 8 * 11, 7), nn.ReLU(), nn.Linear(7, 5))

    def forward(self, x):
        x = self.depthwise(self.grouped(self.stem(x)))
        return self.classifier(self.norm(self.act(self.up(x))))


network = Network()
with torch.no_grad():
    for parameter in network.parameters():
        parameter.copy_(torch.randn_like(parameter) * 0.3)
    network.stem[1].running_mean.normal_()
    network.stem[1].running_var.uniform_(0.5, 2)
network.eval()
image = torch.randn(2, 3, 8, 7)
with torch.no_grad():
    output = network(image)
save_file({"image": image.permute(0, 2, 3, 1).contiguous(), "output": output}, "network_outputs.safetensors")
torch.save(network.state_dict(), "network.pt")
save_file(network.state_dict(), "network.safetensors", metadata={"format": "pt"})
last = network.to(memory_format=torch.channels_last)
torch.save({"epoch": 3, "note": "best", "model": {"module." + k: v for k, v in last.state_dict().items()}}, "wrapped.pth")

small = torch.nn.Linear(2, 1)
optimizer = torch.optim.Adam(small.parameters(), lr=0.01)
small(torch.ones(1, 2)).sum().backward()
optimizer.step()
checkpoint = {"epoch": 4, "loss": 0.5, "state_dict": small.state_dict(), "optimizer": optimizer.state_dict()}
torch.save(checkpoint, "checkpoint.pt")
torch.save(small, "module.pt")
torch.save(small, "module_old.pth", _use_new_zipfile_serialization=False)
torch.jit.script(small).save("script.pt")
