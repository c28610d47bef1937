"""The device that the integer model runs on: found and fit for it, or refused in one sentence."""

#: Bytes of free memory below which a GPU is refused: maps of a small batch, and PyTorch itself.
NEEDED_BYTES = 2 * 2**30
#: Compute capability from which the tensor cores multiply int8.
NEEDED_CAPABILITY = (7, 5)


class DeviceError(ValueError):
    """A device cannot be used; the message says why in one sentence."""


def find_device(name):
    """The torch.device of a name, fit to run the integer model.

    Parameters
    ----------
    name : str
        ``"cuda"`` or ``"cuda:N"``, a GPU; ``"cpu"`` or ``"cpu:0"``, PyTorch on the processor.

    Returns
    -------
    torch.device

    Raises
    ------
    DeviceError
        If PyTorch is not installed, or there is no such GPU, or it is too old or too small.
    """
    kind, _, number = name.partition(":")
    if kind not in ("cpu", "cuda") or (number and not number.isdigit()):
        raise DeviceError(f"A device must be cpu, cuda or cuda:N, not {name!r}")
    try:
        import torch
    except ImportError:
        raise DeviceError(
            f"The device {name} needs PyTorch, which is not installed: pip install 'mnv2[gpu]'"
        ) from None
    if kind == "cpu":
        return torch.device(name)
    if not torch.cuda.is_available():
        raise DeviceError(f"The device {name} needs a GPU, and PyTorch finds none on this machine")
    count, place = torch.cuda.device_count(), int(number or 0)
    if place >= count:
        raise DeviceError(f"The device must be one of the {count} that PyTorch finds, not {name}")
    device = torch.device("cuda", place)
    _check(name, torch.cuda.get_device_capability(device), torch.cuda.mem_get_info(device)[0])
    return device


def _check(name, capability, free_bytes):
    """Refuse a GPU that is too old or has too little memory left."""
    if capability < NEEDED_CAPABILITY:
        raise DeviceError(
            "A GPU must have compute capability {}.{} or more, and {} has {}.{}".format(
                *NEEDED_CAPABILITY, name, *capability
            )
        )
    if free_bytes < NEEDED_BYTES:
        raise DeviceError(
            f"A GPU must have {NEEDED_BYTES / 1e9:.1f} GB of free memory, and {name} has "
            f"{free_bytes / 1e9:.1f} GB"
        )


def make_runner(model, device):
    """The `mnv2.golden.gpu.runner.DeviceRunner` of a model on a device.

    Here PyTorch is loaded, in one place and only where it is wanted.

    Parameters
    ----------
    model : mnv2.golden.model.QuantizedModel
    device : str
        See `find_device`.

    Raises
    ------
    DeviceError
        If the device cannot be used.
    """
    find_device(device)
    from mnv2.golden.gpu.runner import DeviceRunner

    return DeviceRunner(model, device)


def load_float_model(model, device):
    """The `mnv2.golden.gpu.float_model.DeviceFloatModel` of a FloatModel; as `make_runner`."""
    find_device(device)
    from mnv2.golden.gpu.float_model import DeviceFloatModel

    return DeviceFloatModel(model, device)


def has_triton():
    """Whether Triton is installed, which PyTorch's builds for GPUs bring along."""
    import importlib.util

    return importlib.util.find_spec("triton") is not None
