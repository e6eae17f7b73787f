"""Times training steps of a measured network in PyTorch; rounds.py has the protocol.

Variants: "contiguous" keeps images and weights in NCHW, "channels-last" in NHWC memory order.
Adam is the fused one; PyTorch has no fused RMSprop for CPUs, so that one is "foreach".
"""

from rounds import arguments, serve

VARIANTS = ["contiguous", "channels-last"]


def main():
    options = arguments(
        __doc__, VARIANTS,
        ("--compiled", "compile the forward and the backward pass with torch.compile instead of eager steps"),
        ("--bfloat16", "run the forward and the backward pass under autocast to bfloat16"))
    import torch

    from networks import NETWORKS, torch_loss, torch_model

    network = NETWORKS[options.network]
    torch.manual_seed(1)
    model = torch_model(options.network).train()
    images = torch.rand(options.batch_size, *network.input_shape)
    if images.dim() == 4:
        images = images.permute(0, 3, 1, 2)
        if options.variant == "channels-last":
            model = model.to(memory_format=torch.channels_last)
            images = images.contiguous(memory_format=torch.channels_last)
        else:
            images = images.contiguous()
    labels = torch.randint(0, max(network.classes, 2), (options.batch_size,))
    if network.classes == 1:
        labels = labels.float()[:, None]
    loss_function = torch_loss(options.network)
    if network.optimizer == "adam":
        optimizer = torch.optim.Adam(model.parameters(), network.learning_rate, fused=True)
    else:
        optimizer = torch.optim.RMSprop(model.parameters(), network.learning_rate, alpha=0.9, foreach=True)

    def forward(images, labels):
        with torch.autocast("cpu", torch.bfloat16, enabled=options.bfloat16):
            logits = model(images)
        return loss_function(logits.float(), labels)

    if options.compiled:
        forward = torch.compile(forward)

    def step():
        optimizer.zero_grad(set_to_none=True)
        loss = forward(images, labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    serve(step, "pytorch", torch.__version__, options)


if __name__ == "__main__":
    main()
