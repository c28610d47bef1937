"""MobileNetV2 in PyTorch as the libraries that people take it from write it: names and paddings.

Ref: tonylins/pytorch-mobilenet-v2 `MobileNetV2.py`; timm 1.0 `models/efficientnet.py`; Hugging Face
transformers 4.57 `models/mobilenet_v2/modeling_mobilenet_v2.py`; torchvision 0.29
`models/mobilenetv2.py`.
"""

import torch
from torch import nn
from torch.nn import functional

torch.set_num_threads(1)  # maps are small: more only wait for each other

#: (expansion, output channels, stride) of 17 blocks; strides are the paper's.
BLOCKS = (
    (1, 4, 1),
    *((2, 4, 2), (3, 4, 1)),
    *((2, 6, 2), (2, 6, 1), (2, 6, 1)),
    *((2, 8, 2), (2, 8, 1), (3, 8, 1), (2, 8, 1)),
    *((2, 8, 1), (2, 8, 1), (2, 8, 1)),
    *((2, 10, 2), (2, 10, 1), (2, 10, 1)),
    (2, 12, 1),
)
STEM, HEAD, CLASSES, SIZE = 5, 14, 7, 64


class Same(nn.Module):
    """Padding before a 3x3 convolution as TensorFlow's SAME does it."""

    def __init__(self, stride):
        super().__init__()
        self.stride = stride

    def forward(self, x):
        pads = []
        for size in (x.shape[3], x.shape[2]):
            total = max((-(-size // self.stride) - 1) * self.stride + 3 - size, 0)
            pads += [total // 2, total - total // 2]
        return functional.pad(x, pads)


def conv(inputs, outputs, size=1, stride=1, groups=1, same=False):
    pads = 0 if same else size // 2
    return nn.Conv2d(inputs, outputs, size, stride, pads, groups=groups, bias=False)


class Block(nn.Module):
    """A bottleneck whose layers a subclass names."""

    def forward(self, x):
        y = self.body(x)
        return x + y if self.residual else y


class Network(nn.Module):
    """Features, mean, classifier; a subclass names them."""

    def forward(self, x):
        return self.last(self.maps(x).mean((2, 3)))


class TorchvisionBlock(Block):
    def __init__(self, inputs, expansion, outputs, stride):
        super().__init__()
        self.residual = stride == 1 and inputs == outputs
        hidden = inputs * expansion
        unit = lambda *sizes, **more: nn.Sequential(  # noqa: E731
            conv(*sizes, **more), nn.BatchNorm2d(sizes[1]), nn.ReLU6()
        )
        layers = [unit(inputs, hidden)] if expansion != 1 else []
        layers += [unit(hidden, hidden, 3, stride, groups=hidden), conv(hidden, outputs)]
        self.conv = nn.Sequential(*layers, nn.BatchNorm2d(outputs))

    def body(self, x):
        return self.conv(x)


class FlatBlock(Block):
    def __init__(self, inputs, expansion, outputs, stride):
        super().__init__()
        self.residual = stride == 1 and inputs == outputs
        hidden = inputs * expansion
        layers = [conv(inputs, hidden), nn.BatchNorm2d(hidden), nn.ReLU6()]
        layers = (layers if expansion != 1 else []) + [
            conv(hidden, hidden, 3, stride, groups=hidden),
            nn.BatchNorm2d(hidden),
            nn.ReLU6(),
            conv(hidden, outputs),
            nn.BatchNorm2d(outputs),
        ]
        self.conv = nn.Sequential(*layers)

    def body(self, x):
        return self.conv(x)


class Torchvision(Network):
    block = TorchvisionBlock

    def __init__(self):
        super().__init__()
        layers = [nn.Sequential(conv(3, STEM, 3, 2), nn.BatchNorm2d(STEM), nn.ReLU6())]
        channels = STEM
        for row in BLOCKS:
            layers.append(self.block(channels, *row))
            channels = row[1]
        self.finish(layers, nn.Sequential(conv(channels, HEAD), nn.BatchNorm2d(HEAD), nn.ReLU6()))

    def finish(self, layers, head):
        self.features = nn.Sequential(*layers, head)
        self.classifier = nn.Sequential(nn.Dropout(0.2), nn.Linear(HEAD, CLASSES))

    def maps(self, x):
        return self.features(x)

    def last(self, x):
        return self.classifier(x)


class Flat(Torchvision):
    """tonylins' first version: the head is the last of the features."""

    block = FlatBlock

    def finish(self, layers, head):
        self.features = nn.Sequential(*layers, head)
        self.classifier = nn.Linear(HEAD, CLASSES)


class FlatWithConv(Flat):
    """tonylins' present version: the head is a module of its own."""

    def finish(self, layers, head):
        self.features = nn.Sequential(*layers)
        self.conv = head
        self.classifier = nn.Linear(HEAD, CLASSES)

    def maps(self, x):
        return self.conv(self.features(x))


class TimmFirst(Block):
    def __init__(self, inputs, expansion, outputs, stride):
        super().__init__()
        self.residual = stride == 1 and inputs == outputs
        self.conv_dw = conv(inputs, inputs, 3, stride, groups=inputs)
        self.bn1 = nn.BatchNorm2d(inputs)
        self.conv_pw = conv(inputs, outputs)
        self.bn2 = nn.BatchNorm2d(outputs)

    def body(self, x):
        return self.bn2(self.conv_pw(functional.relu6(self.bn1(self.conv_dw(x)))))


class TimmBlock(Block):
    def __init__(self, inputs, expansion, outputs, stride):
        super().__init__()
        self.residual = stride == 1 and inputs == outputs
        hidden = inputs * expansion
        self.conv_pw = conv(inputs, hidden)
        self.bn1 = nn.BatchNorm2d(hidden)
        self.conv_dw = conv(hidden, hidden, 3, stride, groups=hidden)
        self.bn2 = nn.BatchNorm2d(hidden)
        self.conv_pwl = conv(hidden, outputs)
        self.bn3 = nn.BatchNorm2d(outputs)

    def body(self, x):
        x = functional.relu6(self.bn1(self.conv_pw(x)))
        return self.bn3(self.conv_pwl(functional.relu6(self.bn2(self.conv_dw(x)))))


class Timm(Network):
    def __init__(self):
        super().__init__()
        self.conv_stem = conv(3, STEM, 3, 2)
        self.bn1 = nn.BatchNorm2d(STEM)
        stages, channels = [], STEM
        for index, row in enumerate(BLOCKS):
            if index in (0, 1, 3, 6, 10, 13, 16):
                stages.append(nn.Sequential())
            block = TimmFirst if row[0] == 1 else TimmBlock
            stages[-1].append(block(channels, *row))
            channels = row[1]
        self.blocks = nn.Sequential(*stages)
        self.conv_head = conv(channels, HEAD)
        self.bn2 = nn.BatchNorm2d(HEAD)
        self.classifier = nn.Linear(HEAD, CLASSES)

    def maps(self, x):
        x = self.blocks(functional.relu6(self.bn1(self.conv_stem(x))))
        return functional.relu6(self.bn2(self.conv_head(x)))

    def last(self, x):
        return self.classifier(x)


class HuggingFaceLayer(nn.Module):
    def __init__(self, inputs, outputs, size=1, stride=1, groups=1, clamp=True):
        super().__init__()
        self.pad = Same(stride) if size == 3 else nn.Identity()
        self.convolution = conv(inputs, outputs, size, stride, groups, same=True)
        self.normalization = nn.BatchNorm2d(outputs, eps=1e-3)
        self.activation = nn.ReLU6() if clamp else nn.Identity()

    def forward(self, x):
        return self.activation(self.normalization(self.convolution(self.pad(x))))


class HuggingFaceStem(nn.Module):
    """The stem and the first block, which has no residual in their code either."""

    def __init__(self, outputs):
        super().__init__()
        self.first_conv = HuggingFaceLayer(3, STEM, 3, 2)
        self.conv_3x3 = HuggingFaceLayer(STEM, STEM, 3, groups=STEM)
        self.reduce_1x1 = HuggingFaceLayer(STEM, outputs, clamp=False)

    def forward(self, x):
        return self.reduce_1x1(self.conv_3x3(self.first_conv(x)))


class HuggingFaceBlock(Block):
    def __init__(self, inputs, expansion, outputs, stride):
        super().__init__()
        self.residual = stride == 1 and inputs == outputs
        hidden = inputs * expansion
        self.expand_1x1 = HuggingFaceLayer(inputs, hidden)
        self.conv_3x3 = HuggingFaceLayer(hidden, hidden, 3, stride, groups=hidden)
        self.reduce_1x1 = HuggingFaceLayer(hidden, outputs, clamp=False)

    def body(self, x):
        return self.reduce_1x1(self.conv_3x3(self.expand_1x1(x)))


class HuggingFaceModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv_stem = HuggingFaceStem(BLOCKS[0][1])
        self.layer, channels = nn.ModuleList(), BLOCKS[0][1]
        for row in BLOCKS[1:]:
            self.layer.append(HuggingFaceBlock(channels, *row))
            channels = row[1]
        self.conv_1x1 = HuggingFaceLayer(channels, HEAD)

    def forward(self, x):
        x = self.conv_stem(x)
        for layer in self.layer:
            x = layer(x)
        return self.conv_1x1(x)


class HuggingFace(Network):
    def __init__(self):
        super().__init__()
        self.mobilenet_v2 = HuggingFaceModel()
        self.classifier = nn.Linear(HEAD, CLASSES)

    def maps(self, x):
        return self.mobilenet_v2(x)

    def last(self, x):
        return self.classifier(x)


class Fused(Timm):
    """Any of them with its normalisations folded into biases."""

    def __init__(self):
        super().__init__()
        names = [name for name, x in self.named_modules() if isinstance(x, nn.Conv2d)]
        for name in names:
            owner, _, last = name.rpartition(".")
            old = self.get_submodule(name)
            new = nn.Conv2d(
                old.in_channels,
                old.out_channels,
                old.kernel_size,
                old.stride,
                old.padding,
                groups=old.groups,
            )
            setattr(self.get_submodule(owner), last, new)
        for name in [name for name, x in self.named_modules() if isinstance(x, nn.BatchNorm2d)]:
            owner, _, last = name.rpartition(".")
            setattr(self.get_submodule(owner), last, nn.Identity())


NETWORKS = (Torchvision, Flat, FlatWithConv, Timm, HuggingFace, Fused)


def drawn(network, seed):
    """The network with random weights and statistics that keep activations inside 0..6."""
    generator = torch.Generator().manual_seed(seed)
    uniform = lambda x, low, high: x.uniform_(low, high, generator=generator)  # noqa: E731
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                spread = 1.4 * module.weight[0].numel() ** -0.5
                module.weight.normal_(0, spread, generator=generator)
                if module.bias is not None:
                    uniform(module.bias, 0, 2)
            elif isinstance(module, nn.BatchNorm2d):
                uniform(module.weight, 0.5, 2)
                uniform(module.bias, -1, 2)
                uniform(module.running_mean, -0.5, 0.5)
                uniform(module.running_var, 0.3, 2)
    return network.eval()
