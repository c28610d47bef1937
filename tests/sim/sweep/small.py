"""A small network and small sets of pictures, for sweeps that take seconds."""

import numpy as np
from PIL import Image

from mnv2.golden.network import build_network
from mnv2.sim.sweep.comparison import pack_hits
from mnv2.sim.sweep.request import SweepRequest
from mnv2.sim.sweep.sweep import prepare_sweep
from mnv2.sim.sweep.sweep_records import SweepResults
from tests.golden.float_networks import float_network

TABLE = ((1, 8, 1, 1), (2, 8, 2, 1), (2, 16, 1, 2))
SIZE = 16


def small_model(seed=1, classes=10):
    """A float network of four blocks with random weights whose outputs keep their spread."""
    network = build_network(
        TABLE, stem_channels=8, head_channels=32, classes=classes, input_size=SIZE
    )
    rng = np.random.default_rng(seed)

    def draw(layer):
        shape = layer.weight_shape
        weights = (rng.normal(size=shape) * np.sqrt(2 / np.prod(shape[:-1]))).astype(np.float32)
        return weights, rng.normal(size=layer.output_channels).astype(np.float32)

    return float_network(network, draw)


def write_pictures(folder, count, seed=0, suffix=".png", size=20):
    """Write pictures of noise into a folder that is made; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    paths = []
    for number in range(count):
        path = folder / f"picture{number:03}{suffix}"
        # Patches of colour, so that pictures differ after resizing.
        patches = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
        Image.fromarray(patches).resize((size, size), Image.Resampling.NEAREST).save(path)
        paths.append(path)
    return paths


def write_sets(folder, judged=30, classes=3):
    """Two folders of pictures, to judge by and to calibrate on."""
    for label in range(classes):
        write_pictures(folder / "images" / str(label), judged // classes, seed=label)
    write_pictures(folder / "calibration", 6, seed=99)


def small_request(folder, **grid):
    """A request for the sets of `write_sets`."""
    grid = grid or {
        "weight_bits": (3, 6, 8),
        "granularity": ("tensor", "channel"),
        "equalization": ("off", "on"),
    }
    return SweepRequest(
        grids=(grid,), images=str(folder / "images"), calibration=str(folder / "calibration")
    )


def prepare_small(folder, **grid):
    """A prepared sweep of the small network."""
    return prepare_sweep(small_request(folder, **grid), load_model=lambda request: small_model())


def made_results(prepared, seed=0):
    """Results with figures drawn at random, as a sweep would have them."""
    rng = np.random.default_rng(seed)
    layers = [
        "stem",
        "block1.project",
        "block2.add",
        "block3.add",
        "block4.project",
        "head",
        "pool",
        "classifier",
    ]
    figures = {}
    for point in prepared.points:
        hits = rng.permutation(30) < rng.integers(0, 31)
        share = round(float(hits.mean()), 6)
        figures[point] = {
            "pictures": 30,
            "labelled": 30,
            **{
                name: value
                for measure in ("agree_top1", "agree_top5", "label_top1", "label_top5")
                for name, value in ((measure, share), (f"{measure}_standard_error", 0.05))
            },
            "label_difference": round(share - 0.9, 6),
            "label_difference_standard_error": 0.04,
            "hits": dict.fromkeys(("agree_top1", "label_top1"), pack_hits(hits)),
            "sqnr_db": float(rng.integers(0, 40)),
            "sqnr_db_standard_error": 0.5,
            "cosine": 0.9,
            "cosine_standard_error": 0.01,
            "layers": {
                layer: {"sqnr_db": float(rng.integers(0, 40)), "sqnr_db_standard_error": 0.5}
                for layer in layers
            },
        }
    reference = {
        "label_top1": 0.9,
        "label_top1_standard_error": 0.05,
        "label_top5": 1.0,
        "label_top5_standard_error": 0.0,
    }
    return SweepResults(prepared, figures, reference)
