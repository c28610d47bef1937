"""Batches to a device and results from it, while it computes: copies on a stream of their own."""

import numpy as np
import torch


class Transfer:
    """Copies between this process's arrays and a device.

    Parameters
    ----------
    device : torch.device
    """

    def __init__(self, device):
        self.device = device
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None

    def upload(self, array):
        """A contiguous array as a tensor on the device; the computing stream waits for it."""
        tensor = torch.from_numpy(np.ascontiguousarray(array))
        if self._stream is None:
            return tensor
        computing = torch.cuda.current_stream(self.device)
        with torch.cuda.stream(self._stream):
            copied = tensor.to(self.device, non_blocking=True)
        computing.wait_stream(self._stream)
        copied.record_stream(computing)
        return copied

    def download(self, tensors):
        """Begin to copy tensors of the device; returns a function that gives them as arrays."""
        if self._stream is None:
            return lambda: {name: tensor.numpy() for name, tensor in tensors.items()}
        copies = {
            name: torch.empty(tensor.shape, dtype=tensor.dtype, pin_memory=True)
            for name, tensor in tensors.items()
        }
        for name, tensor in tensors.items():
            copies[name].copy_(tensor, non_blocking=True)
        done = torch.cuda.Event()
        done.record(torch.cuda.current_stream(self.device))

        def finish():
            done.synchronize()
            return {name: copy.numpy() for name, copy in copies.items()}

        return finish
