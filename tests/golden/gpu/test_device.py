"""Devices that cannot be used are refused in one sentence."""

import sys

import pytest

from mnv2.golden.gpu import device
from mnv2.golden.gpu.device import DeviceError, find_device


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "", "mps", "cuda:-1"])
def test_unknown_names(name):
    with pytest.raises(DeviceError, match=f"A device must be cpu, cuda or cuda:N, not '{name}'"):
        find_device(name)


def test_torch_that_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(DeviceError, match=r"needs PyTorch, .*: pip install 'mnv2\[gpu\]'"):
        find_device("cuda")


def test_no_gpu():
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    if torch.cuda.is_available():
        with pytest.raises(DeviceError, match="must be one of the"):
            find_device("cuda:99")
        assert find_device("cuda").type == "cuda"
    else:
        with pytest.raises(DeviceError, match="cuda needs a GPU, and PyTorch finds none"):
            find_device("cuda")
    assert find_device("cpu").type == "cpu"


def test_gpus_too_old_or_too_small():
    device._check("cuda", (7, 5), 2**31)
    with pytest.raises(DeviceError, match=r"capability 7.5 or more, and cuda has 6.1"):
        device._check("cuda", (6, 1), 2**40)
    with pytest.raises(DeviceError, match=r"2.1 GB of free memory, and cuda:1 has 1.0 GB"):
        device._check("cuda:1", (9, 0), 10**9)
