"""A small network in a file, and small sets of pictures, for accuracies that take seconds."""

import numpy as np

from mnv2.golden.network import mobilenet_v2
from mnv2.sim.accuracy.judge import prepare_accuracy
from mnv2.sim.accuracy.request import make_accuracy_request
from tests.sim.networks.float_files import float_file
from tests.sim.sweep.small import write_pictures

SIZE = 32
FOLDERS = ("cats", "dogs", "emus")


def write_network(folder, classes=3, seed=4):
    """A float network of random weights in a file; its path."""
    network = mobilenet_v2(0.35, SIZE, classes=classes)
    path = folder / "weights"
    path.write_bytes(float_file(network, np.random.default_rng(seed)))
    return path


def write_sets(folder, count=14):
    """Folders of pictures to judge by, ``count`` for each class, and two to calibrate on."""
    for seed, name in enumerate(FOLDERS):
        write_pictures(folder / "images" / name, count, seed=seed, size=40)
    write_pictures(folder / "calibration", 2, seed=99, size=40)


def small_request(folder, **options):
    """A request for the network and the sets in a folder."""
    given = {
        "images": str(folder / "images"),
        "model": folder / "weights",
        "calibration": str(folder / "calibration"),
        "size": SIZE,
    }
    return make_accuracy_request(**(given | options))


def prepare_small(folder, **options):
    """A prepared accuracy of the small network."""
    return prepare_accuracy(small_request(folder, **options))
