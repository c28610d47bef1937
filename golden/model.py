"""The integer model of a whole network, and how it runs.

Every tensor has a name and `QuantizedModel.run` returns them all, so that hardware can be held to
any of them. Activations are int8 [H, W, C]; the records are in `mnv2.golden.quantized_block` and
`mnv2.golden.quantized_layer`.
"""

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np

from mnv2.golden.average_pool import QuantizedAveragePool
from mnv2.golden.exact_mean import QuantizedExactMean
from mnv2.golden.fast import batch
from mnv2.golden.fixed_point import activation_type
from mnv2.golden.gpu.device import make_runner
from mnv2.golden.network import Network
from mnv2.golden.quantized_block import QuantizedBlock, run_block
from mnv2.golden.quantized_layer import QuantizedLayer, QuantizedMean


@dataclass(frozen=True, eq=False)
class QuantizedModel:
    """A whole network in integers.

    Attributes
    ----------
    network : Network
        The architecture that the layers belong to.
    input_scale, input_zero_point
        Of the image that `run` takes.
    input_bits : int
        Width of the image's values: int8 up to 8 bits, int16 above.
    notes : tuple of str
        What a reader took from the file in another form than it is there, to be said.
    """

    network: Network
    stem: QuantizedLayer
    blocks: tuple[QuantizedBlock, ...]
    head: QuantizedLayer | None
    pool: QuantizedMean | QuantizedAveragePool | QuantizedExactMean
    classifier: QuantizedLayer
    input_scale: float
    input_zero_point: int
    input_bits: int = 8
    notes: tuple[str, ...] = ()

    def __repr__(self):
        bits = sorted({(layer.weight_bits, layer.activation_bits) for layer in self.layers})
        formats = "/".join(f"W{weights}A{activations}" for weights, activations in bits[:3])
        scales = "tensor"
        if any(np.ptp(layer.weight_scales) for layer in self.layers):
            scales = "channel"
        return (
            f"QuantizedModel({self.network.title}, {formats} per {scales}, "
            f"{self.network.parameters:,} parameters)"
        )

    @property
    def stages(self):
        """Every stage in order of execution, as those of `mnv2.golden.network.Network.stages`."""
        return (self.stem, *self.blocks, *self.head_layers, self.pool, self.classifier)

    @property
    def head_layers(self):
        """The head, if there is one."""
        return () if self.head is None else (self.head,)

    @property
    def outputs(self):
        """The record that makes the output of each stage, in order."""
        return tuple(
            stage.output if isinstance(stage, QuantizedBlock) else stage for stage in self.stages
        )

    @property
    def layers(self):
        """Every convolution in order, the classifier last."""
        inner = tuple(layer for block in self.blocks for layer in block.layers)
        return (self.stem, *inner, *self.head_layers, self.classifier)

    @cached_property
    def prepared(self):
        """The layers in the form that `run_batch` runs; derived at its first call."""
        return batch.prepare_model(self)

    def prepare(self):
        """Derive `prepared` now, for callers who time a forward pass; returns it."""
        return self.prepared

    @cached_property
    def _runners(self):
        """The model on devices, by their names."""
        return {}

    def on_device(self, device):
        """The model made ready on a device, once.

        Parameters
        ----------
        device : str
            ``"cuda"`` or ``"cuda:N"``; see `mnv2.golden.gpu.device.find_device`.

        Returns
        -------
        mnv2.golden.gpu.runner.DeviceRunner

        Raises
        ------
        mnv2.golden.gpu.device.DeviceError
            A ValueError: if the device cannot be used.
        """
        if device not in self._runners:
            self._runners[device] = make_runner(self, device)
        return self._runners[device]

    def __getstate__(self):
        """The fields alone: the prepared form is derived again where it is needed."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    def _check_images(self, images):
        kind = np.dtype(activation_type(self.input_bits))
        if images.dtype != kind or images.shape[1:] != self.network.input_shape or images.ndim != 4:
            raise ValueError(
                f"An image must be {kind} {self.network.input_shape}, "
                f"not {images.dtype} {images.shape[1:]!r}"
            )

    def run(self, image, exact_loops=False):
        """Every tensor of one image.

        Parameters
        ----------
        image : int8 (int16 beyond 8 input bits) [H, W, 3]
            Quantised with the model's input scale and zero point.
        exact_loops : bool
            Take the plain forms of `mnv2.golden.ops`; equal, and slower.

        Returns
        -------
        dict of str to array
            int8 (int16 beyond 8 bits) [H, W, C] by name: `input`, `stem`, those of `run_block` for
            each block, `head`, `pool`, `classifier`; and `logits_accumulator`, int32
            [1, 1, classes], the classifier's accumulators with bias, in steps of
            input_scale * weight_scales.
        """
        self._check_images(image[None])
        if not exact_loops:
            return {name: tensor[0] for name, tensor in self.run_batch(image[None]).items()}
        tensors = {"input": image}
        x = tensors["stem"] = self.stem.run(image, exact_loops)
        for block in self.blocks:
            tensors.update(run_block(block, x, exact_loops))
            x = tensors[block.output_name]
        for head in self.head_layers:
            x = tensors["head"] = head.run(x, exact_loops)
        x = tensors["pool"] = self.pool.run(x)
        acc = self.classifier.accumulate(x, exact_loops)
        tensors["classifier"] = self.classifier.requantize(acc, exact_loops)
        tensors["logits_accumulator"] = acc
        return tensors

    def run_batch(self, images, keep=None, overflows=None, device="cpu"):
        """Tensors of a batch of images, each equal to that of `run`.

        The first call takes a few tenths of a second more, to prove its fast form.

        Parameters
        ----------
        images : int8 (int16 beyond 8 input bits) [N, H, W, 3]
        keep : collection of str, optional
            Names of the tensors wanted, as in `run`; by default all, which take 7 MB an image.
        overflows : dict, optional
            Receives for each layer's name how many accumulators of all images left their range.
        device : str
            ``"cpu"``, or a GPU, see `on_device`. The result is the same, every element.

        Returns
        -------
        dict of str to array [N, ...]

        Raises
        ------
        ValueError
            For images of another type or shape, a name that no tensor has, or a device that cannot
            be used.
        """
        self._check_images(images)
        if device != "cpu":
            return self.on_device(device).run(images, keep, overflows)
        return batch.run_model(self, self.prepared, images, keep, overflows)

    def logits(self, tensors):
        """Real logits float64 [classes] from the wide accumulators of `run`.

        Of those of `run_batch` [N, classes].
        """
        layer, sums = self.classifier, tensors["logits_accumulator"]
        step = np.float64(layer.input_scale) * layer.weight_scales.astype(np.float64)
        return sums.reshape(*sums.shape[:-3], sums.shape[-1]) * step
