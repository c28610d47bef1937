"""The pointwise layer that feeds the pool of a network without a head.

The accelerator averages what a pointwise layer makes. Where a network has no head, that layer hands
its input on unchanged, see `mnv2.sim.mapping.pool_input_integers`. It costs weights and cycles like
any head, which are counted; the network's own MACs are not changed by it.
"""

from dataclasses import replace

from mnv2.golden.network import Layer, Network

__all__ = ["pool_feed"]


def pool_feed(network: Network) -> Layer:
    """The layer that the accelerator averages: the head, or one that hands on what it gets.

    Parameters
    ----------
    network : mnv2.golden.network.Network

    Returns
    -------
    mnv2.golden.network.Layer
        Of the kind ``"head"``; without a head it has the pool's name, as its row in reports has.
    """
    if network.head is not None:
        return network.head
    pool = network.pool
    return replace(pool, kind="head", output_shape=pool.input_shape, kernel_size=(1, 1))
