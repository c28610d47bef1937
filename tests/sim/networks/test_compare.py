"""Two dumps side by side: differences are counted, and the first tensor that differs is named."""

import zipfile

import numpy as np
import pytest
from typer.testing import CliRunner

from mnv2.sim import cli
from mnv2.sim.errors import UserError
from mnv2.sim.networks.compare import compare_dumps, sqnr_db
from mnv2.sim.networks.dumps import DUMP_FILE, read_dump


def invoke(*arguments):
    return CliRunner().invoke(cli.app, ["compare", *map(str, arguments)], env={"COLUMNS": "160"})


@pytest.fixture
def tensors():
    rng = np.random.default_rng(1)
    return {
        "t1": rng.integers(-128, 128, (4, 5, 3), dtype=np.int8),
        "t2": rng.normal(0, 1, 7).astype(np.float32),
        "t3": np.array(5, np.int32),
        "t4": np.zeros((0, 3), np.int8),
    }


@pytest.fixture
def save(tmp_path):
    def save(name, tensors):
        path = tmp_path / name
        np.savez(path, **tensors)
        return path

    return save


def test_equal_dumps(tensors, save):
    path = save("a.npz", tensors)
    result = invoke(path, path)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[-1] == "All 4 tensors are equal."


def test_the_first_that_parts_is_named(tensors, save):
    wrong = tensors | {"t1": tensors["t1"].copy(), "t2": tensors["t2"] * 2}
    wrong["t1"][1, 2, 0] ^= 3
    wrong["t1"][3, 4, 2] ^= 1
    result = invoke(save("a.npz", tensors), save("b.npz", wrong))
    assert result.exit_code == 1
    assert result.stdout.splitlines()[-1] == (
        "The first that differs is t1: 2 of 60 elements differ; 2 of 4 tensors differ."
    )
    row = next(line for line in result.stdout.splitlines() if line.lstrip().startswith("t1"))
    noise = np.square(tensors["t1"].astype(float) - wrong["t1"]).sum()
    signal = np.square(tensors["t1"].astype(float)).sum()
    largest = np.abs(tensors["t1"].astype(int) - wrong["t1"]).max()
    quality = f"{10 * np.log10(signal / noise):.1f}"
    assert row.split() == ["t1", "4x5x3", "60", "2", str(largest), quality]


def test_order_is_that_of_a(tensors, save):
    backwards = dict(reversed(tensors.items()))
    wrong = {name: value + 1 for name, value in tensors.items()}
    result = invoke(save("a.npz", backwards), save("b.npz", wrong))
    assert "first that differs is t3" in result.stdout


def test_tensors_of_one_only_are_listed_and_part_nothing(tensors, save):
    result = invoke(
        save("a.npz", tensors | {"mine": np.ones(2)}),
        save("b.npz", {"t3": tensors["t3"], "yours": np.ones(2)}),
    )
    assert result.exit_code == 0
    assert "Only in A: t1, t2, t4, mine" in result.stdout
    assert "Only in B: yours" in result.stdout
    assert result.stdout.splitlines()[-1] == "The tensor that both hold is equal."


def test_names_are_printed_as_they_are(save):
    result = invoke(save("a.npz", {"[bold]x": np.ones(2)}), save("b.npz", {"[bold]x": np.zeros(2)}))
    assert result.stdout.splitlines()[-1].startswith("The first that differs is [bold]x: 2 of 2 ")


def test_shapes_and_types_differ(tensors, save):
    other = tensors | {"t1": tensors["t1"].reshape(20, 3), "t3": tensors["t3"].astype(np.int64)}
    result = invoke(save("a.npz", tensors), save("b.npz", other))
    assert result.exit_code == 1
    assert "4x5x3 against 20x3" in result.stdout
    assert "scalar int32 against int64" in result.stdout
    assert "first that differs is t1: the shapes differ; 2 of 4" in result.stdout


def test_differences_of_integers_do_not_wrap():
    result = compare_dumps(
        {"x": np.array([-128], np.int8), "y": np.array([2**64 - 1], "u8")},
        {"x": np.array([127], np.int8), "y": np.array([2**64 - 2], "u8")},
    )
    assert [tensor.largest for tensor in result.tensors] == [255, 1]
    assert [tensor.differing for tensor in result.tensors] == [1, 1]


def test_nan_equals_nan_alone():
    nan = np.array([np.nan, 1.0])
    (tensor,) = compare_dumps({"x": nan}, {"x": nan.copy()}).tensors
    assert tensor.equal
    (tensor,) = compare_dumps({"x": nan}, {"x": np.array([0.0, 1.0])}).tensors
    assert tensor.differing == 1
    assert np.isnan(tensor.largest)


def test_sqnr():
    assert sqnr_db([3.0, 4.0], [3.0, 4.5]) == pytest.approx(20)
    assert sqnr_db([1.0], [1.0]) == np.inf
    assert sqnr_db([0.0], [1.0]) == -np.inf


def test_folders_of_runs(tensors, save, tmp_path):
    for name in ("before", "after"):
        (tmp_path / name).mkdir()
        save(f"{name}/{DUMP_FILE}", tensors)
    assert invoke(tmp_path / "before", tmp_path / "after").exit_code == 0


def test_nothing_in_common(tensors, save, capsys):
    with pytest.raises(UserError, match="have none: t1, t2, t3, … here, other there"):
        compare_dumps(tensors, {"other": np.ones(1)})
    assert invoke(save("a.npz", tensors), save("b.npz", {"other": np.ones(1)})).exit_code == 2


def damaged(path):
    content = bytearray(path.read_bytes())
    content[200] ^= 0xFF
    path.write_bytes(content)


def huge(path):
    """A header that promises a terabyte."""
    with zipfile.ZipFile(path, "w") as archive:
        header = b"{'descr': '|i1', 'fortran_order': False, 'shape': (1000000000000,), }\n"
        archive.writestr(
            "x.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"\0"
        )


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (
            lambda path: path.write_bytes(b"lorem ipsum"),
            "must be an .npz file of tensors: File is not",
        ),
        (lambda path: path.write_bytes(path.read_bytes()[:100]), "must be an .npz file"),
        (damaged, "must be an .npz file of tensors"),
        (huge, "x is not as long as its header says"),
        (lambda path: np.savez(path), "it holds none"),
        (lambda path: np.savez(path, x=np.array(["a"])), "must be of integers or floats, not <U1"),
        (
            lambda path: np.savez(path, x=np.array([{}])),
            "must be of integers or floats, not object",
        ),
        (lambda path: path.unlink(), "cannot be read: No such file"),
        (lambda path: (path.unlink(), path.mkdir()), f"must hold {DUMP_FILE}"),
    ],
)
def test_dumps_that_are_none(make, words, tensors, save):
    path = save("a.npz", tensors)
    make(path)
    with pytest.raises(UserError, match=words):
        read_dump(path)


def test_dump_is_read_in_order(tensors, save):
    found = read_dump(save("a.npz", tensors))
    assert list(found) == list(tensors)
    for name, tensor in tensors.items():
        assert found[name].dtype == tensor.dtype
        np.testing.assert_array_equal(found[name], tensor)
    fortran = np.asfortranarray(tensors["t1"])
    np.testing.assert_array_equal(read_dump(save("f.npz", {"x": fortran}))["x"], fortran)
