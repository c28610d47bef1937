"""What decides a figure: the code and the float network, each by a hash of its content."""

import hashlib
from functools import cache
from pathlib import Path

__all__ = ["code_hash", "model_hash"]

#: Modules of sim that figures depend on; of golden all are taken.
MODULES = ("calibration.py", "classify.py", "images.py", "sweep/evaluate.py",
           "sweep/uncertainty.py")


@cache
def code_hash():
    """SHA-256 of the code that turns pictures into figures, as installed here."""
    root = Path(__file__).parent.parent
    files = sorted((root.parent / "golden").rglob("*.py")) + [root / name for name in MODULES]
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.relative_to(root.parent).as_posix().encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def model_hash(model):
    """SHA-256 of a folded golden.float_model.FloatModel: its shapes and every weight and bias."""
    digest = hashlib.sha256(repr((model.network, model.input_normalization)).encode())
    for name in sorted(model.layers):
        layer = model.layers[name]
        digest.update(name.encode() + layer.weights.tobytes())
        digest.update(b"" if layer.bias is None else layer.bias.tobytes())
    return digest.hexdigest()
