"""Accuracy of bits from a finished sweep: the best format that accelerators run."""

import itertools
import json

import pytest

from mnv2.sim.errors import UserError
from mnv2.sim.explore.accuracy import accuracy_axes, read_accuracies
from mnv2.sim.sweep.sweep_report import write_report
from tests.sim.explore.small import prepare_small, small_network
from tests.sim.sweep.small import made_results, write_sets
from tests.sim.sweep.small import prepare_small as prepare_sweep


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sweep")
    write_sets(folder, judged=6)
    prepared = prepare_sweep(
        folder,
        weight_bits=(2, 4, 8),
        activation_bits=(6, 8, 16),
        granularity=("tensor", "channel"),
        rounding=("double", "single"),
        multiplier_bits=(17, 32),
        first_last=("same", "8"),
        expanded_bits=("same", "8"),
    )
    write_report(made_results(prepared), folder / "report.json")
    return folder, prepared.workload.model.network


def rows_of(folder):
    return json.loads((folder / "report.json").read_text())["points"]


def test_best_format_of_each_arithmetic(sweep):
    folder, network = sweep
    found = read_accuracies(folder, network)
    rows = [
        row
        for row in rows_of(folder)
        # What rounds once has a multiplier of 17 bits.
        if (row["rounding"] == "double" or row["multiplier_bits"] == 17)
        and row["first_last"] == row["expanded_bits"] == "same"
        and row["activation_bits"] <= 8
    ]
    assert set(found) == set(itertools.product((4, 8), (6, 8), ("double", "single")))
    for (weights, activations, rounding), accuracy in found.items():
        # Weights of 2 bits are weights of 4 bits too.
        shares = [
            row["agree_top1"]
            for row in rows
            if max(4, row["weight_bits"]) == weights
            and row["activation_bits"] == activations
            and row["rounding"] == rounding
        ]
        assert accuracy.share == max(shares)
        assert accuracy.pictures == 30
    assert accuracy_axes(folder) == {
        "weight_bits": (4, 8),
        "activation_bits": (6, 8),
        "requantize": ("double", "single"),
    }
    assert accuracy_axes(None) == {}


def test_another_network_is_refused(sweep):
    with pytest.raises(UserError, match="is of another network than the search"):
        read_accuracies(sweep[0], small_network())


@pytest.mark.parametrize("content", [None, "{", '{"mode": "network"}', "[]"])
def test_what_is_no_sweep_is_a_sentence(tmp_path, content):
    if content is not None:
        (tmp_path / "report.json").write_text(content)
    for read in (accuracy_axes, lambda folder: read_accuracies(folder, None)):
        with pytest.raises(UserError, match="There is no finished sweep in"):
            read(tmp_path)


def test_designs_have_the_accuracy_of_their_arithmetic(sweep):
    folder, network = sweep
    prepared = prepare_small(
        "weight_bits=4,8",
        "activation_bits=6..8",
        network=network,
        accuracy=str(folder),
        objectives=("accuracy", "dsp"),
        limits={"accuracy": 0.01},
    )
    point = next(iter(prepared.space.points()))
    found = read_accuracies(folder, network)
    names = ("weight_bits", "activation_bits", "requantize")
    for arithmetic in ((4, 6, "double"), (8, 8, "double"), (8, 8, "single")):
        values = dict(zip(names, arithmetic, strict=True))
        design = prepared.judge.candidate({**point, **values})
        assert design.accuracy == found[arithmetic].share
        assert design.accuracy_format == found[arithmetic].name
    with pytest.raises(ValueError, match="no format of 8-bit weights and 7-bit activations with"):
        prepared.judge.candidate({**point, "weight_bits": 8, "activation_bits": 7})


def test_accuracy_needs_a_sweep():
    for options in ({"objectives": ("accuracy", "fps")}, {"limits": {"accuracy": 0.9}}):
        with pytest.raises(UserError, match="name its folder by --accuracy"):
            prepare_small(**options)
    with pytest.raises(UserError, match="name it by --device"):
        prepare_small(objectives=("share", "fps"))
