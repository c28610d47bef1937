"""What decides a prediction and the way of a search: the code, by a hash of its content."""

import hashlib
from functools import cache
from pathlib import Path

__all__ = ["code_hash", "network_hash"]

_ROOT = Path(__file__).parent.parent.parent
#: Files that predictions, costs and the search depend on.
_FILES = ("golden/network.py", "hw/config.py", "sim/mapping/*.py", "sim/model/*.py",
          "sim/cost/*", "sim/explore/buffers.py", "sim/explore/evaluate.py",
          "sim/explore/evolution.py", "sim/explore/search.py", "sim/explore/space.py")


@cache
def code_hash():
    """SHA-256 of the code that turns a configuration into figures, as installed here."""
    digest = hashlib.sha256()
    for pattern in _FILES:
        for file in sorted(path for path in _ROOT.glob(pattern) if path.is_file()):
            digest.update(file.relative_to(_ROOT).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def network_hash(network):
    """SHA-256 of the shapes of a golden.network.Network."""
    return hashlib.sha256(repr(network).encode()).hexdigest()
