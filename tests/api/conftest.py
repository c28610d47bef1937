"""A folder with the small files that the examples of the public interface name."""

import numpy as np
import pytest
from PIL import Image

from mnv2.golden.network import mobilenet_v2
from tests.golden.family_files import random_quantized_network, small_network, write_family
from tests.sim.networks.float_files import float_file


@pytest.fixture(scope="session")
def example_files(tmp_path_factory):
    """small.tflite, small.pt, cat.png, and the folders pictures and others."""
    folder, rng = tmp_path_factory.mktemp("examples"), np.random.default_rng(1)
    model = random_quantized_network(rng, small_network(classes=12))
    (folder / "small.tflite").write_bytes(write_family(model))
    (folder / "small.pt").write_bytes(float_file(mobilenet_v2(0.35, 32, classes=3), rng))
    for name, count in (("pictures", 4), ("others", 3)):
        (folder / name).mkdir()
        for number in range(count):
            patches = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
            Image.fromarray(patches).resize((40, 40)).save(folder / name / f"{number}.png")
    (folder / "cat.png").write_bytes((folder / "pictures" / "0.png").read_bytes())
    return folder
