"""Names of classes where the makers of files put them."""

import io
import json
import zipfile

import numpy as np
import pytest

from mnv2.sim.errors import UserError
from mnv2.sim.networks.carried_names import find_class_names, find_resizing
from mnv2.sim.networks.open import open_model
from tests.golden.family_files import random_quantized_network, small_network, write_family

NAMES = tuple(f"kind {number}" for number in range(11))


def write(folder, content, name="model.bin"):
    path = folder / name
    path.write_bytes(content)
    return path


def test_labels_packed_into_a_tflite(tmp_path):
    """As TFLite's metadata writer leaves it: a zip after the model."""
    model = random_quantized_network(np.random.default_rng(1), small_network((16, 12)))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("readme.txt", "nothing of use")
        packed.writestr("labelmap.txt", "\n".join(NAMES))
    path = write(tmp_path, write_family(model) + archive.getvalue(), "model.tflite")
    opened = open_model(path)
    assert opened.class_names.names == NAMES
    assert opened.class_names.origin == "the model's file model.tflite"
    assert find_resizing(path) is None


def test_header_of_safetensors(tmp_path):
    from safetensors.numpy import save

    content = save({"x": np.zeros(3, np.float32)}, {"id2label": json.dumps(dict(enumerate(NAMES)))})
    assert find_class_names(write(tmp_path, content), 11).names == NAMES
    # Names of another number of classes are not this network's.
    assert find_class_names(write(tmp_path, content), 10) is None


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("names", str(dict(enumerate(NAMES)))),
        ("classes", json.dumps(NAMES)),
        ("class_names", "\n".join(NAMES)),
    ],
)
def test_properties_of_onnx(tmp_path, key, text):
    import onnx

    graph = onnx.helper.make_graph([], "g", [], [])
    model = onnx.helper.make_model(graph)
    onnx.helper.set_model_props(model, {"author": "me", key: text})
    assert find_class_names(write(tmp_path, model.SerializeToString()), 11).names == NAMES


def torch_file(entries):
    """A zip as `torch.save` writes it, of values without tensors."""
    import pickle

    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(entries, protocol=2))
    return content.getvalue()


def test_lists_in_a_checkpoint(tmp_path):
    by_name = {name: number for number, name in enumerate(NAMES)}
    for entries in ({"epoch": 3, "classes": list(NAMES)}, {"class_to_idx": by_name}):
        assert find_class_names(write(tmp_path, torch_file(entries)), 11).names == NAMES
    assert find_class_names(write(tmp_path, torch_file({"epoch": 3})), 11) is None


def test_the_users_file_comes_first(tmp_path):
    path = write(tmp_path, torch_file({"classes": list(NAMES)}))
    (tmp_path / "mine").write_text("\n".join(reversed(NAMES)))
    assert find_class_names(path, 11, tmp_path / "mine").names == NAMES[::-1]
    assert find_class_names(None, 11) is None


def test_damaged_files_carry_nothing(tmp_path):
    rng = np.random.default_rng(2)
    whole = [
        torch_file({"classes": list(NAMES)}),
        b"\x00\x00\x00\x00TFL3" + bytes(40),
        b"",
        b"\xff" * 30,
    ]
    for content in whole:
        for _ in range(20):
            damaged = bytearray(content)
            for place in rng.integers(0, max(1, len(damaged)), 4):
                damaged[place : place + 1] = bytes([rng.integers(0, 256)])
            found = find_class_names(write(tmp_path, bytes(damaged)), 11)
            assert found is None or len(found.names) == 11
    with pytest.raises(UserError, match="cannot be read"):
        find_class_names(tmp_path / "none", 11)
