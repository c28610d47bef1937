"""Records in one line."""

import dataclasses
import importlib
import inspect
import pkgutil

import numpy as np
import pytest

import mnv2.golden
import mnv2.sim.networks
from mnv2.golden.network import mobilenet_v2
from mnv2.golden.summary import LINE_CHARACTERS, shape_text, short_repr
from tests.golden.family_files import random_quantized_network, small_network


@dataclasses.dataclass
class Record:
    array: np.ndarray
    name: str
    shape: tuple = (1, 2, 3)
    many: tuple = tuple(range(100))
    table: dict = dataclasses.field(default_factory=dict)
    inner: object = None
    hidden: int = dataclasses.field(default=0, repr=False)

    __repr__ = short_repr


def test_each_kind_of_field():
    assert repr(Record(np.zeros((2, 3), np.int8), "x")) == (
        "Record(array=int8[2, 3], name='x', shape=(1, 2, 3), many=<100 items>, "
        "table={}, inner=None)"
    )
    table = {name: np.zeros(1) for name in "abc"}
    inner = Record(np.zeros(1), "y")
    text = repr(Record(np.zeros(0), "n" * 99, table=table, inner=inner))
    assert f"name='{'n' * 36}..." in text
    assert text.endswith("table=<3 items>, inner=Record(...))")


def test_a_long_line_is_cut():
    names = {f"field{number}": number for number in range(100)}
    record = dataclasses.make_dataclass("Wide", names, namespace={"__repr__": short_repr})
    text = repr(record(**names))
    assert len(text) == LINE_CHARACTERS
    assert text.endswith("...)")


def test_shape_text():
    assert shape_text((224, 224, 3)) == "224x224x3"


@pytest.mark.parametrize("package", [mnv2.golden, mnv2.sim.networks], ids=lambda x: x.__name__)
def test_records_with_arrays_print_in_one_line(package):
    """No public record of arrays has the form of dataclasses, which prints every element."""
    found = 0
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if module.name.endswith((".compiled", ".kernels", ".epilogue")):
            continue  # of functions, in numba or Triton, which may not be installed
        for name, record in vars(importlib.import_module(module.name)).items():
            if (
                not inspect.isclass(record)
                or record.__module__ != module.name
                or not dataclasses.is_dataclass(record)
                or name.startswith("_")
            ):
                continue
            if any("ndarray" in str(field.type) for field in dataclasses.fields(record)):
                # Those that dataclasses write are guarded against recursion.
                assert not hasattr(record.__repr__, "__wrapped__"), record
                found += 1
    assert found


def test_networks_and_models():
    network = mobilenet_v2()
    assert repr(network) == (
        "Network(MobileNetV2 1.0, 224x224x3, 17 blocks, 1,000 classes, 300,774,272 MACs, "
        "3,504,872 parameters)"
    )
    assert repr(network.blocks[1]) == (
        "Block(block2, 112x112x16 to 56x56x24, expansion 6, stride 2, no residual, 29,202,432 MACs)"
    )
    assert repr(network.stem) == (
        "Layer(stem, 224x224x3 to 112x112x32, kernel 3x3, stride 2, 10,838,016 MACs)"
    )
    model = random_quantized_network(np.random.default_rng(1), small_network())
    assert repr(model).startswith(
        "QuantizedModel(MobileNetV2 family, 32x32x3, 6 blocks, 11 classes"
    )
    assert "W8A8 per channel" in repr(model)
    for record in (model, model.blocks[0], *model.layers, model.pool, model.prepared):
        text = repr(record)
        assert "\n" not in text
        assert len(text) <= LINE_CHARACTERS


def test_all_fields_tell_networks_apart():
    """The line of a network is for people; hashes are made of every field."""
    one, other = (small_network((32, 32), padding) for padding in ("pytorch", "tensorflow"))
    assert repr(one) == repr(other)
    assert one.all_fields != other.all_fields
    assert one.all_fields == small_network((32, 32), "pytorch").all_fields
