"""Records of the public interface print in one line."""

import pytest

import mnv2
from mnv2.golden.summary import LINE_CHARACTERS


@pytest.fixture(scope="module")
def records(example_files, tmp_path_factory):
    model = mnv2.open_model(example_files / "small.tflite")
    source = mnv2.read_picture(example_files / "cat.png")
    given = mnv2.load_input(model, source)
    config = mnv2.load_configuration("tiny")
    prediction = mnv2.predict(model.network, config, frames=3)
    report = mnv2.cost(model.network, config, "KV260")
    space = mnv2.choose_space("small", ["outputs=16", "inputs=4", "pixels=4", "data_bits=128"])
    request = mnv2.SearchRequest(space=space.values, objectives=("fps", "dsp"))
    network = mnv2.mobilenet_v2(width=0.35, input_size=96)
    search = mnv2.explore(request, network, tmp_path_factory.mktemp("search") / "new")
    sweep = mnv2.sweep(
        mnv2.SweepRequest(
            grids=({"weight_bits": (8,)},),
            images=str(example_files / "pictures"),
            calibration=str(example_files / "others"),
            model=str(example_files / "small.pt"),
            size=32,
        ),
        tmp_path_factory.mktemp("sweep") / "new",
    )
    golden = mnv2.run_golden(model, given)
    return [
        model,
        model.family,
        model.family.graph,
        model.integer,
        source,
        given,
        golden,
        mnv2.classify(model, source),
        mnv2.compare_dumps(golden.tensors, golden.tensors),
        mnv2.program(model, config),
        mnv2.run_rtl(model, given, config),
        mnv2.run_rtl(model, given, config).report,
        prediction,
        prediction.sequence,
        *prediction.layers,
        prediction.total,
        report,
        *report.devices,
        search,
        search.prepared,
        *search.front,
        sweep,
        sweep.prepared,
        sweep.prepared.workload,
        sweep.prepared.pictures,
        sweep.prepared.image_set,
    ]


def test_one_line(records):
    for record in records:
        text = repr(record)
        assert "\n" not in text, text
        assert len(text) <= LINE_CHARACTERS, text
        assert text.startswith(f"{type(record).__name__}("), text


def test_lines_say_what_they_are_of(records):
    by_name = {type(record).__name__: repr(record) for record in records}
    assert by_name["Prediction"].startswith("Prediction(network, 9 layers, 7,975 cycles, ")
    assert " cycles, " in by_name["PredictedLayer"]
    assert "12 classes" in by_name["QuantizedModel"]
    assert by_name["RunnableModel"].endswith("12 classes, in integers)")
