"""Accuracies: every answer is the network's own, whoever made it, after any kill."""

import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mnv2.golden.graph.graph import Graph
from mnv2.golden.quantize import QuantizationOptions
from mnv2.sim.accuracy.hardware import draw_pictures, run_pictures
from mnv2.sim.accuracy.judge import AccuracyResults, prepare_accuracy, run_accuracy
from mnv2.sim.accuracy.judged import Judged
from mnv2.sim.accuracy.request import AccuracyRequest
from mnv2.sim.errors import UserError
from mnv2.sim.jobs.journal import JOURNAL_FILE, read_journal
from mnv2.sim.networks.files import load_graph
from mnv2.sim.networks.graph_inputs import load_graph_inputs
from mnv2.sim.networks.inputs import load_input
from mnv2.sim.networks.open import RunnableModel, open_model, quantize_on
from mnv2.sim.pictures.images import normalize
from mnv2.sim.rtl.memory_model import MemoryModel
from tests.golden.family_files import random_quantized_network, small_network, write_family
from tests.golden.graph.models import ModelMaker
from tests.sim.accuracy.small import SIZE, prepare_small, small_request, write_network, write_sets
from tests.sim.rtl.machines import MACHINES
from tests.sim.sweep.small import small_model, write_pictures

ROOT = Path(__file__).parents[3]
PICTURES, CHUNKS = 42, 3


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sets")
    write_network(folder)
    write_sets(folder)
    return folder


@pytest.fixture(scope="module")
def prepared(sets):
    return prepare_small(sets)


@pytest.fixture(scope="module")
def results(prepared, tmp_path_factory):
    return run_accuracy(prepared, tmp_path_factory.mktemp("here") / "accuracy", workers=0)


def test_answers_are_the_networks_own(sets, prepared, results):
    """Each picture on its own, by the functions that classify and run use."""
    assert len(results.rows) == PICTURES
    model = open_model(sets / "weights", input_size=SIZE, calibration=str(sets / "calibration"))
    folded = model.float_model.folded()
    labels = {"cats": 0, "dogs": 1, "emus": 2}
    for row, picture in list(zip(results.rows, prepared.image_set.pictures, strict=True))[::9]:
        assert row["picture"] == picture.name
        assert row["label"] == labels[picture.path.parent.name]
        given = load_input(model, picture.path)
        real = folded.run(given.real)["classifier"].reshape(-1)
        integer = model.integer.logits(model.integer.run(given.integer))
        for form, logits in (("float", real), ("integer", integer)):
            order = np.argsort(-logits, kind="stable")
            assert row[form] == order.tolist()
            assert row[f"{form}_place"] == order.tolist().index(row["label"])
    assert {row["integer"][0] for row in results.rows} != {0}


def test_workers_change_nothing(prepared, results, tmp_path):
    made = run_accuracy(prepared, tmp_path / "accuracy", workers=2)
    assert made.rows == results.rows


def test_kill_loses_nothing(sets, prepared, results, tmp_path):
    """Chunks that were done when it was killed are neither lost nor done again."""
    folder = sets / "killed"
    killed = subprocess.Popen(
        [sys.executable, "-m", "tests.sim.accuracy.accuracy_program", str(sets), "0"], cwd=ROOT
    )
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline and killed.poll() is None:
        if (folder / JOURNAL_FILE).exists() and read_journal(folder)[1]:
            break
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    done = [entry["chunk"] for entry in read_journal(folder)[1]]
    assert 1 <= len(done) < CHUNKS
    with (folder / JOURNAL_FILE).open("a") as file:
        file.write('{"chunk": 2, "fig')
    made = run_accuracy(prepared, folder, resume=True, workers=0)
    after = [entry["chunk"] for entry in read_journal(folder)[1]]
    assert after[: len(done)] == done
    assert sorted(after) == list(range(CHUNKS))
    assert made.rows == results.rows


def test_another_request_is_refused(sets, results, prepared, tmp_path):
    run_accuracy(prepared, tmp_path / "accuracy", workers=0)
    other = prepare_small(sets, resize="stretch")
    with pytest.raises(UserError, match="differs in resize, resizing; --resume"):
        run_accuracy(other, tmp_path / "accuracy", workers=0, resume=True)


def test_resizing_matters(sets, results, tmp_path):
    made = run_accuracy(prepare_small(sets, resize="crop:0.5"), tmp_path / "half", workers=0)
    assert [row["sqnr_db"] for row in made.rows] != [row["sqnr_db"] for row in results.rows]


def test_corrected_biases_are_judged(sets, prepared, results, tmp_path):
    assert prepared.preparation.endswith("2 pictures of calibration, biases corrected")
    plain = prepare_small(sets, bias_correction=False)
    assert plain.preparation.endswith("2 pictures of calibration")
    made = run_accuracy(plain, tmp_path / "accuracy", workers=0)
    pairs = list(zip(results.rows, made.rows, strict=True))
    assert all(before["float"] == after["float"] for before, after in pairs)
    assert any(before["sqnr_db"] != after["sqnr_db"] for before, after in pairs)
    with pytest.raises(UserError, match="differs in bias.correction"):
        run_accuracy(prepared, tmp_path / "accuracy", workers=0, resume=True)


def test_integers_of_the_family(tmp_path):
    """A .tflite has no float form; its host's operators are run."""
    model = random_quantized_network(np.random.default_rng(1), small_network((16, 12)))
    path = tmp_path / "in.tflite"
    path.write_bytes(write_family(model, fully_connected=True, softmax=True, dequantize=True))
    for label in (3, 7):
        write_pictures(tmp_path / "images" / str(label), 3, seed=label)
    request = AccuracyRequest(images=str(tmp_path / "images"), model=str(path))
    prepared = prepare_accuracy(request)
    assert prepared.judged.forms == ("integer",)
    made = run_accuracy(prepared, tmp_path / "accuracy", workers=0)
    opened = open_model(path)
    for row, picture in zip(made.rows, prepared.image_set.pictures, strict=True):
        given = load_input(opened, picture.path)
        logits = opened.integer.logits(opened.integer.run(given.integer))
        assert row["integer"] == np.argsort(-logits, kind="stable")[:5].tolist()
        assert "float" not in row
        assert "sqnr_db" not in row


def test_any_graph_of_operators(tmp_path):
    """No network of the family: a mean over the picture, and a classifier."""
    maker = ModelMaker(np.random.default_rng(3))
    source = maker.input((1, 8, 8, 3), scale=1 / 127.5, zero=-1)
    target = maker.fully_connected(maker.mean(source), 7)
    path = tmp_path / "graph.tflite"
    path.write_bytes(maker.finish([target])[0])
    (tmp_path / "labels").write_text("\n".join("abcdefg"))
    for name in ("b", "f"):
        write_pictures(tmp_path / "images" / name, 2, seed=ord(name))
    request = AccuracyRequest(
        images=str(tmp_path / "images"), model=str(path), labels=str(tmp_path / "labels")
    )
    prepared = prepare_accuracy(request)
    made = run_accuracy(prepared, tmp_path / "accuracy", workers=0)
    assert [row["label"] for row in made.rows] == [1, 1, 5, 5]
    graph = load_graph(path)
    assert isinstance(graph, Graph)
    for row, picture in zip(made.rows, prepared.image_set.pictures, strict=True):
        values = graph.run(load_graph_inputs(graph, [picture.path]))[target].reshape(-1)
        assert row["integer"] == np.argsort(-values.astype(int), kind="stable")[:5].tolist()


def test_damaged_pictures_are_named(sets, tmp_path):
    write_pictures(tmp_path / "images" / "cats", 2, seed=7)
    write_pictures(tmp_path / "images" / "dogs", 1, seed=8)
    write_pictures(tmp_path / "images" / "emus", 1, seed=9)
    (tmp_path / "images" / "cats" / "a.png").write_bytes(b"no picture")
    prepared = prepare_small(sets, images=str(tmp_path / "images"))
    made = run_accuracy(prepared, tmp_path / "accuracy", workers=0)
    assert [name for name, _ in made.skipped] == ["cats/a.png"]
    assert "is not an image" in made.skipped[0][1]
    assert [row["label"] for row in made.rows] == [0, 0, 1, 2]


def test_what_is_refused(sets, tmp_path):
    write_pictures(tmp_path / "flat", 2, seed=99, size=40)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "x.png").write_bytes(b"x")
    path = tmp_path / "in.tflite"
    path.write_bytes(
        write_family(random_quantized_network(np.random.default_rng(1), small_network((16, 12))))
    )
    integers = {"model": path, "size": None, "calibration": "bundled"}
    for options, words in (
        (
            {"images": str(tmp_path / "broken")},
            "None of the 1 pictures of .*broken' can be used; x",
        ),
        ({"images": str(tmp_path / "flat")}, "both calibrated on and evaluated on, and 2 would be"),
        ({"resize": "none"}, "picture000.png cannot be calibrated on: A picture must have 32 x 32"),
        (
            {"resize": "none", "calibration": "bundled"},
            "can be used; cats/picture000.png: A picture must have 32 x 32",
        ),
        ({"labels": tmp_path / "none"}, "The labels .* cannot be read"),
        ({"calibration": str(tmp_path / "none")}, "there is no"),
        ({"images": str(tmp_path / "flat"), **integers}, "there is nothing to measure"),
        ({**integers, "calibration": str(sets / "calibration")}, "nothing to calibrate on"),
        ({**integers, "bias_correction": True}, "is in integers: its biases are not corrected"),
        ({**integers, "block_reconstruction": True}, "its roundings are not trained"),
    ):
        with pytest.raises(UserError, match=words):
            prepare_small(sets, **options)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["broken", "flat", "in.tflite"]


def test_pictures_without_labels_are_compared_with_float(sets, tmp_path):
    write_pictures(tmp_path / "flat", 3, seed=5, size=40)
    made = run_accuracy(
        prepare_small(sets, images=str(tmp_path / "flat")), tmp_path / "accuracy", workers=0
    )
    assert all(row["label"] is None and "integer_place" not in row for row in made.rows)
    assert all(len(row["float"]) == 3 for row in made.rows)


def test_drawn_pictures(results):
    drawn = draw_pictures(results, 5)
    assert len(set(drawn)) == 5
    assert drawn == sorted(drawn) == draw_pictures(results, 5)
    request = replace(results.prepared.request, seed=2)
    other = replace(results, prepared=replace(results.prepared, request=request))
    assert draw_pictures(other, 5) != drawn
    assert draw_pictures(results, 1000) == list(range(PICTURES))


def test_rtl_equals_golden(prepared, tmp_path, monkeypatch):
    """Two pictures on the machine that other tests build; a fault in golden is found."""
    write_pictures(tmp_path / "images", 4, seed=3)
    float_model = small_model(classes=3)
    rng = np.random.default_rng(5)
    pictures = [normalize(rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)) for _ in range(3)]
    integer = quantize_on(float_model, pictures, QuantizationOptions(5, 6))
    model = RunnableModel("small", integer, float_model)
    small = prepare_small_images(prepared, tmp_path / "images", model)
    made = run_accuracy(small, tmp_path / "accuracy", workers=0)
    memory = MemoryModel(latency=20, stall_percent=10, seed=1)
    options = {"config": MACHINES["few_bits"], "memory": memory, "asserts": True}
    options["config"] = replace(options["config"], weight_bits=5, activation_bits=6)
    runs = run_pictures(made, 2, tmp_path / "accuracy", **options)
    assert [run.exact for run in runs] == [True, True]
    assert all(run.golden_class == run.rtl_class for run in runs)
    assert all(run.cycles > 1000 and run.dram_bytes > 0 for run in runs)
    # The journal has them.
    monkeypatch.setattr("mnv2.sim.rtl.run_network.run_network", _run_again)
    assert run_pictures(made, 2, tmp_path / "accuracy", **options) == runs
    assert isinstance(made, AccuracyResults)


def _run_again(*_, **__):
    pytest.fail("It was run again")


def prepare_small_images(prepared, images, model):
    """A prepared accuracy of a network that is in no file, on a folder without labels."""
    from mnv2.sim.pictures.image_sets import find_image_set

    return replace(
        prepared,
        judged=Judged(model, None, model.float_model.input_normalization),
        size=model.network.input_shape[:2],
        image_set=find_image_set(str(images), 3),
    )


def test_rtl_that_differs_is_found(prepared, tmp_path, monkeypatch):
    from mnv2.sim.rtl.check import Mismatch

    write_pictures(tmp_path / "images", 2, seed=3)
    float_model = small_model(classes=3)
    picture = normalize(np.random.default_rng(5).integers(0, 256, (16, 16, 3), dtype=np.uint8))
    model = RunnableModel("small", quantize_on(float_model, [picture]), float_model)
    small = prepare_small_images(prepared, tmp_path / "images", model)
    made = run_accuracy(small, tmp_path / "accuracy", workers=0)

    def differs(*_, **__):
        raise Mismatch("The RTL differs from golden in stem: 1 of 9 elements.")

    monkeypatch.setattr("mnv2.sim.rtl.run_network.run_network", differs)
    (run,) = run_pictures(
        made, 1, tmp_path / "accuracy", config=MACHINES["few_bits"], memory=MemoryModel()
    )
    assert not run.exact
    assert run.reason == "The RTL differs from golden in stem: 1 of 9 elements"


def test_request_survives_the_journal(sets):
    request = small_request(sets, resize="crop:0.9", limit=3)
    assert AccuracyRequest.from_dict(request.as_dict()) == request
    with pytest.raises(UserError, match="--resize must be"):
        small_request(sets, resize="fit")
