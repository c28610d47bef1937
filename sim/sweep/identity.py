"""What decides a figure: the code and the float network, each by a hash of its content."""

import hashlib

from mnv2.sim.jobs import identity

__all__ = ["code_hash", "model_hash"]


def code_hash():
    """SHA-256 of the code that turns pictures into figures, as installed here."""
    return identity.code_hash("mnv2.sim.sweep.sweep")


def model_hash(model):
    """SHA-256 of a folded FloatModel: its shapes and every weight and bias."""
    shapes = model.network.all_fields, model.input_normalization
    digest = hashlib.sha256(repr(shapes).encode())
    for name in sorted(model.layers):
        layer = model.layers[name]
        digest.update(name.encode() + layer.weights.tobytes())
        digest.update(b"" if layer.bias is None else layer.bias.tobytes())
    return digest.hexdigest()
