"""Times how fast torchvision brings the pictures of a folder to training, with two workers; rounds.py has the protocol.

A step is a batch: pictures read, resized to the network's size, augmented and put together. Batches are made
ahead, so the time of one says nothing: all of a round have the mean.

Variants: "pillow" changes Pillow's pictures with torchvision.transforms, "tensor" decodes with Pillow and changes
uint8 tensors with torchvision.transforms.v2. Pixels behind the border are black: it has no other way.
"""

from rounds import loading_arguments, serve_batches

VARIANTS = ["pillow", "tensor"]


def main():
    options = loading_arguments(__doc__, VARIANTS)
    import torch
    import torchvision
    from torchvision import datasets, transforms
    from torchvision.transforms import v2

    from networks import NETWORKS

    size = NETWORKS[options.network].input_shape[:2]
    affine = {"degrees": 40, "translate": (0.2, 0.2), "shear": 0.2, "scale": (0.8, 1.2)}
    if options.variant == "pillow":
        transform = transforms.Compose([
            transforms.Resize(size),
            transforms.RandomAffine(**affine, interpolation=transforms.InterpolationMode.BILINEAR),
            transforms.RandomHorizontalFlip(), transforms.ToTensor()])
    else:
        transform = v2.Compose([
            v2.PILToTensor(), v2.Resize(size, antialias=True),
            v2.RandomAffine(**affine, interpolation=v2.InterpolationMode.BILINEAR),
            v2.RandomHorizontalFlip(), v2.ToDtype(torch.float32, scale=True)])
    loader = torch.utils.data.DataLoader(
        datasets.ImageFolder(options.pictures, transform), batch_size=options.batch_size, shuffle=True,
        num_workers=2, persistent_workers=True, drop_last=True)

    def endless():
        while True:
            yield from loader

    batches = endless()
    serve_batches(lambda: next(batches), "torchvision", torchvision.__version__, options)


if __name__ == "__main__":
    main()
