"""Networks that their training quantised, on the accelerator's RTL: run, or refused, and why."""

import numpy as np
import pytest
from typer.testing import CliRunner

from mnv2.golden.importers.float_formats import parse_float_model
from mnv2.golden.network import build_network
from mnv2.golden.quantize import quantize_image
from mnv2.sim import cli
from mnv2.sim.networks.dumps import read_dump
from tests.golden.importers.qonnx_files import picture, trained_bytes

NETWORK = build_network(
    ((1, 8, 1, 1), (3, 8, 2, 2)), stem_channels=8, head_channels=16, classes=5, input_size=16
)


def invoke(*arguments):
    return CliRunner().invoke(cli.app, [*map(str, arguments)], env={"COLUMNS": "200"})


@pytest.fixture
def files(tmp_path):
    """Writes a network and a picture; their paths, and golden's tensors."""

    def write(**options):
        model, given = tmp_path / "trained.onnx", tmp_path / "given.npy"
        data, _ = trained_bytes(3, NETWORK, **options)
        model.write_bytes(data)
        integer = parse_float_model(data)
        image = picture(np.random.default_rng(1), NETWORK)[0].transpose(1, 2, 0)
        np.save(given, image[None])
        return model, given, integer.run(quantize_image(image, integer))

    return write


def test_halves_away_from_zero_run(files, tmp_path):
    """Steps that are powers of two, weights of 6 bits in layers of their own bits."""
    bits = {"stem": (8, 8), "block2.expand": (4, 6)}
    model, given, want = files(rounding="HALF_UP", weight_bits=6, bits_of=bits)
    dump, report = tmp_path / "out" / "x.npz", tmp_path / "report"
    result = invoke(
        "run", "--model", model, "--input", given, "--dump", dump, "--config", "tiny",
        "--output", report,
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    found = read_dump(dump)
    assert len(found) > 3
    for name, value in found.items():
        np.testing.assert_array_equal(value, want[name], err_msg=name)


@pytest.mark.parametrize("rounding", ["ROUND", "FLOOR"])
def test_other_roundings_are_refused_and_predicted(files, rounding, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    model, given, _ = files(rounding=rounding)
    result = invoke("run", "--model", model, "--input", given, "--config", "tiny")
    assert result.exit_code == 2
    words = "rounds halves to even, as its training did" if rounding == "ROUND" else "truncate"
    assert words in result.stderr
    assert "Traceback" not in result.output
    assert not [path for path in tmp_path.rglob("runs/*") if path.is_file()]
    result = invoke("predict", "--model", model, "--config", "tiny")
    assert result.exit_code == 0, result.output
    assert "predicted" in result.stdout
    result = invoke("classify", given, "--model", model)
    assert result.exit_code == 0, result.output
