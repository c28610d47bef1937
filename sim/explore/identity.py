"""What decides a prediction and the way of a search: the code and the network, by their content."""

import hashlib

from mnv2.sim.jobs import identity

__all__ = ["code_hash", "network_hash"]


def code_hash():
    """SHA-256 of the code that turns a request into a front, as installed here."""
    return identity.code_hash("mnv2.sim.explore.search")


def network_hash(network):
    """SHA-256 of the shapes of a mnv2.golden.network.Network."""
    return hashlib.sha256(network.all_fields.encode()).hexdigest()
