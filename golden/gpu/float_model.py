"""The float network on a device, for the logits that formats are compared with.

Products are summed in float64 and rounded to float32 after each layer, whatever the device does
with float32: the logits equal those of `mnv2.golden.float_model` up to the rounding of its sums.
"""

import torch

from mnv2.golden.gpu.device import find_device
from mnv2.golden.gpu.eager import gather_windows, windows
from mnv2.golden.gpu.pixels import look_up_eager

#: Pictures at a time: their widest map, twice in float64, takes 1.2 GB of 224 x 224 pictures.
GROUP_PICTURES = 64


class _View:
    """A float layer as `mnv2.golden.gpu.eager.windows` takes it: padded with zeros."""

    input_zero_point = 0

    def __init__(self, layer):
        self.padding, self.stride = layer.padding, layer.stride


class DeviceFloatModel:
    """A FloatModel's parameters on a device.

    Parameters
    ----------
    model : mnv2.golden.float_model.FloatModel
        Folded.
    device : str
        See `mnv2.golden.gpu.device.find_device`.
    """

    def __init__(self, model, device="cuda"):
        self.model, self.device = model, find_device(device)
        self._parameters = {name: self._put(layer) for name, layer in model.layers.items()}

    def _put(self, layer):
        """(weights, bias or 0, ceiling) of a layer on the device."""
        if layer.normalization is not None:
            raise ValueError(f"The layer {layer.layer.name} must be folded, and is not")
        values = (layer.weights, 0 if layer.bias is None else layer.bias, layer.ceiling)
        return [
            value if value is None else torch.as_tensor(value, device=self.device)
            for value in values
        ]

    @torch.no_grad()
    def logits(self, pixels, table):
        """Logits float32 [N, classes].

        Parameters
        ----------
        pixels : uint8 [N, H, W, 3]
        table : float32 [256, 3]
            The input of the network for each pixel's value, for each channel.
        """
        table = torch.as_tensor(table, device=self.device)
        parts = [torch.empty((0, self.model.network.classes))]
        for start in range(0, len(pixels), GROUP_PICTURES):
            part = torch.as_tensor(pixels[start : start + GROUP_PICTURES], device=self.device)
            parts.append(self._run(look_up_eager(part, table)).cpu())
        return torch.cat(parts).numpy()

    def _run(self, x):
        """float32 [N, classes] of float32 [N, H, W, 3]."""
        network = self.model.network
        x = self._layer(network.stem, x)
        for block in network.blocks:
            shortcut = x
            for layer in block.layers:
                x = self._layer(layer, x)
            if block.residual:
                x = shortcut + x
        if network.head is not None:
            x = self._layer(network.head, x)
        x = x.mean(dim=(1, 2), keepdim=True, dtype=torch.float64).to(torch.float32)
        return self._layer(network.classifier, x).reshape(len(x), -1)

    def _layer(self, layer, x):
        """Output float32 of a convolution, with its bias and ReLU6."""
        weights, bias, ceiling = self._parameters[layer.name]
        if layer.kind == "depthwise":
            sums = sum(
                tap.to(torch.float64) * weights[dy, dx] for dy, dx, tap in windows(x, _View(layer))
            )
        else:
            if layer.kind == "stem":
                x = gather_windows(x, _View(layer))
            matrix = weights.reshape(-1, weights.shape[-1])
            sums = x.to(torch.float64) @ matrix.to(torch.float64)
        y = sums.to(torch.float32) + bias
        if not layer.relu6:
            return y
        y = y.clamp(min=0)
        return y.clamp(max=6) if ceiling is None else torch.minimum(y, ceiling)
