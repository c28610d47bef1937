"""The best formats on the RTL: which the accelerator has, with which lanes, bit for bit."""

from dataclasses import replace

import pytest

from mnv2.hw.config import PRESETS
from mnv2.sim.rtl.memory_model import MemoryModel
from mnv2.sim.sweep.evaluate import make_model
from mnv2.sim.sweep.grid import AXES, Point, position
from mnv2.sim.sweep.hardware import hardware_configuration, hardware_lacks, run_best_points
from mnv2.sim.sweep.sweep import run_sweep
from mnv2.sim.sweep.sweep_records import best_points
from tests.sim.rtl.machines import MACHINES
from tests.sim.sweep.small import prepare_small, write_sets


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    write_sets(folder, judged=6)
    return prepare_small(
        folder, weight_bits=(5,), activation_bits=(6, 16), rounding=("double", "truncate")
    )


@pytest.mark.parametrize(
    ("point", "words"),
    [
        (Point(activation_bits=16), "activations have at most 8 bits"),
        (Point(rounding="single"), "rounds twice"),
        (Point(rounding="truncate"), "rounds twice"),
        (Point(accumulator_bits=24), "accumulators have 32 bits"),
    ],
)
def test_formats_that_the_accelerator_lacks(point, words):
    assert words in hardware_lacks(point)


def test_formats_that_the_accelerator_has():
    lacking = {"activation_bits", "rounding", "accumulator_bits"}
    for axis in AXES:
        if axis.field not in lacking:
            for value in axis.values:
                assert hardware_lacks(Point(**{axis.field: value})) is None


@pytest.mark.parametrize(
    ("point", "lanes"),
    [
        (Point(), (8, 8)),
        (Point(5, 6), (5, 6)),
        (Point(2, 4), (4, 4)),
        (Point(3, 7), (4, 7)),
        (Point(4, 5, first_last="8"), (8, 8)),
        (Point(5, 6, expanded_bits="4"), (5, 6)),
        (Point(5, 6, expanded_bits="8"), (5, 8)),
        (Point(4, 8, layer_weights="depthwise-8"), (8, 8)),
    ],
)
def test_lanes_are_as_wide_as_the_widest_layer(prepared, point, lanes):
    config = hardware_configuration(make_model(prepared.workload, point), PRESETS["base"])
    assert (config.weight_bits, config.activation_bits) == lanes
    assert replace(config, weight_bits=8, activation_bits=8) == PRESETS["base"]


class Recorder:
    """Progress that is written down."""

    def __init__(self):
        self.names = []

    def name_run(self, name):
        """A format is to be run."""
        self.names.append(name)

    def starting(self, steps):
        """Its steps are these."""

    def compiled(self, done, total):
        pass

    def building(self):
        """Its accelerator is being built."""

    def built(self):
        """It is built."""

    def reached(self, descriptors, cycles):
        """It runs."""


def test_best_format_equals_golden(prepared, tmp_path):
    """Three formats are better or worse and not there; the one that is runs, once."""
    results = run_sweep(prepared, tmp_path / "sweep", workers=0)
    assert {point.rounding for point in best_points(results, 4)} == {"double", "truncate"}
    memory = MemoryModel(latency=20, stall_percent=10, seed=1)
    # With assertions it is the machine that other tests build.
    options = {"config": MACHINES["few_bits"], "memory": memory, "asserts": True}
    recorder = Recorder()
    runs = run_best_points(results, 4, tmp_path / "sweep", progress=recorder, **options)
    assert recorder.names == ["W5A6"]
    assert sorted(run.point for run in runs) == sorted(
        point.name for point in sorted(prepared.points, key=position)
    )
    (ran,) = [run for run in runs if not run.passed_over]
    assert ran.exact
    assert (ran.weight_bits, ran.activation_bits) == (5, 6)
    assert ran.golden_class == ran.rtl_class
    assert ran.cycles > 1000
    assert ran.dram_bytes > 0
    assert all("no such format" in run.reason for run in runs if run.passed_over)
    # Its result is in the journal.
    again = Recorder()
    assert run_best_points(results, 4, tmp_path / "sweep", progress=again, **options) == runs
    assert again.names == []


def test_maps_of_fewer_bits_inside_blocks_equal_golden(tmp_path):
    """The accelerator of wide maps runs narrow ones: their layers clamp to fewer values."""
    write_sets(tmp_path, judged=3)
    prepared = prepare_small(tmp_path, weight_bits=(5,), activation_bits=(6,), expanded_bits=("4",))
    results = run_sweep(prepared, tmp_path / "sweep", workers=0)
    (ran,) = run_best_points(
        results,
        1,
        tmp_path / "sweep",
        config=MACHINES["few_bits"],
        memory=MemoryModel(latency=20, stall_percent=10, seed=1),
        asserts=True,
    )
    assert ran.point == "W5A6 A4 inside blocks"
    assert (ran.weight_bits, ran.activation_bits) == (5, 6)
    assert ran.exact
