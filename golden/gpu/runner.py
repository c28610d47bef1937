"""Batches of images through an integer model on a device: the interface of `golden.fast.batch`."""

import contextlib

import numpy as np
import torch

from mnv2.golden.fixed_point import activation_type
from mnv2.golden.gpu.device import find_device, has_triton
from mnv2.golden.gpu.pixels import check_table, look_up_eager
from mnv2.golden.gpu.stages import FORMS, Stages
from mnv2.golden.gpu.transfer import Transfer

#: Images that a GPU runs at a time: enough to fill a large one.
GROUP_IMAGES = 512
#: ... where every tensor of them is kept, and of a device that is not a GPU.
SMALL_GROUP_IMAGES = 32
#: Wanted tensors from which groups are small.
_MANY_TENSORS = 30


def tensor_names(model):
    """Names of every tensor of a QuantizedModel, in the order of its `run`."""
    names = ["input", model.stem.name]
    for block in model.blocks:
        names += [layer.name for layer in block.layers]
        names += [] if block.add is None else [block.add.name]
    names += [head.name for head in model.head_layers]
    return [*names, model.pool.name, model.classifier.name, "logits_accumulator"]


class DeviceRunner:
    """An integer model made ready on a device.

    Parameters
    ----------
    model : mnv2.golden.model.QuantizedModel
    device : str
        See `mnv2.golden.gpu.device.find_device`.
    form : str, optional
        ``"kernels"``, the default on a GPU where Triton is installed, or ``"eager"``.
    group : int
        Images that a GPU runs at a time, where few tensors of them are kept.

    Raises
    ------
    mnv2.golden.gpu.device.DeviceError
        If the device cannot be used.
    ValueError
        If there is no such form.
    """

    def __init__(self, model, device="cuda", form=None, group=GROUP_IMAGES):
        self.model, self.device = model, find_device(device)
        if form is None:
            form = "kernels" if self.device.type == "cuda" and has_triton() else "eager"
        if form not in FORMS:
            raise ValueError(f"A form must be one of {', '.join(FORMS)}, not {form!r}")
        self.stages = Stages(model, self.device, form)
        self.group = group
        self._names = tensor_names(model)
        self._transfer = Transfer(self.device)

    def run(self, images, keep=None, overflows=None):
        """Tensors of a batch; as `mnv2.golden.model.QuantizedModel.run_batch`, and equal to it.

        Parameters
        ----------
        images : int8 (int16 beyond 8 input bits) [N, H, W, 3]
            An array, or a tensor that lies on the device already.
        keep : collection of str, optional
            Names of the tensors wanted; by default all, which take 7 MB an image.
        overflows : dict, optional
            Receives for each layer's name how many accumulators of all images left their range.

        Returns
        -------
        dict of str to array [N, ...]

        Raises
        ------
        ValueError
            For images of another type or shape, or a name that no tensor has.
        """
        kind = np.dtype(activation_type(self.model.input_bits))
        self._check(images, kind)
        return self._run(images, lambda part: part, keep, overflows)

    def run_pixels(self, pixels, table, keep=None, overflows=None):
        """As `run`, of pixels that the device itself makes the integers of.

        Parameters
        ----------
        pixels : uint8 [N, H, W, 3]
            An array, or a tensor that lies on the device already.
        table : int8 (int16 beyond 8 input bits) [256, 3]
            The integer of each pixel's value, for each channel.
        """
        check_table(table, activation_type(self.model.input_bits))
        self._check(pixels, np.dtype(np.uint8))
        return self._run(pixels, self._look_up(table), keep, overflows)

    def upload(self, array):
        """An array as a tensor on the device, for any number of runs of any number of models."""
        return self._transfer.upload(array)

    def free_bytes(self):
        """Memory of the device that is free for more; of a device that is not a GPU, none."""
        if self.device.type != "cuda":
            return 0
        unused = torch.cuda.memory_reserved(self.device) - torch.cuda.memory_allocated(self.device)
        return torch.cuda.mem_get_info(self.device)[0] + unused

    def _check(self, images, kind):
        found = str(images.dtype).removeprefix("torch.")
        shape = tuple(images.shape)
        if found != str(kind) or len(shape) != 4 or shape[1:] != self.model.network.input_shape:
            raise ValueError(
                f"An image must be {kind} {self.model.network.input_shape}, "
                f"not {found} {shape[1:]!r}"
            )

    def _look_up(self, table):
        """A function of pixels on the device that gives the integers."""
        table = self._transfer.upload(table)
        if self.stages.form == "eager":
            return lambda pixels: look_up_eager(pixels, table)
        from mnv2.golden.gpu.compiled import look_up

        return lambda pixels: look_up(pixels, table)

    def _run(self, images, prepare, keep, overflows):
        if keep is not None and (unknown := sorted(set(keep) - set(self._names))):
            raise ValueError(f"Tensors to keep must be among the model's, not {unknown!r}")
        wanted = [name for name in self._names if keep is None or name in keep]
        if not len(images):
            return self._nothing(wanted, overflows)
        with self._current():
            return self._run_groups(images, prepare, wanted, overflows)

    def _current(self):
        """Makes the device the one that kernels are launched on."""
        if self.device.type == "cuda":
            return torch.cuda.device(self.device)
        return contextlib.nullcontext()

    def _run_groups(self, images, prepare, wanted, overflows):
        """Run some images at a time; see `run`."""
        results: dict[str, np.ndarray] = {}
        total = np.zeros(len(self.stages.names), np.int64)
        group = self.group
        if self.device.type != "cuda" or len(wanted) > _MANY_TENSORS:
            group = SMALL_GROUP_IMAGES

        def store(start, finish):
            made = finish()
            total[...] += made.pop("")
            for name in wanted:
                tensor = made[name]
                if name not in results:
                    results[name] = np.empty((len(images), *tensor.shape[1:]), tensor.dtype)
                results[name][start : start + len(tensor)] = tensor

        waiting = None
        for start in range(0, len(images), group):
            part = images[start : start + group]
            if not isinstance(part, torch.Tensor):
                part = self._transfer.upload(part)
            kept, counts = self.stages.run(prepare(part.contiguous()), wanted)
            # The next group is under way before this one is waited for.
            finish = self._transfer.download({**kept, "": counts})
            if waiting is not None:
                store(*waiting)
            waiting = start, finish
        if waiting is not None:
            store(*waiting)
        if overflows is not None:
            overflows.update(zip(self.stages.names, (int(x) for x in total), strict=True))
        return {name: results[name] for name in wanted}

    def _nothing(self, wanted, overflows):
        """The tensors of no images."""
        image = np.zeros(
            (1, *self.model.network.input_shape), activation_type(self.model.input_bits)
        )
        one = self._run(image, lambda part: part, wanted, overflows)
        if overflows is not None:
            overflows.update(dict.fromkeys(overflows, 0))
        return {name: tensor[:0] for name, tensor in one.items()}
