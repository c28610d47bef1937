"""Widths that differ from layer to layer, as overrides of `QuantizationOptions`.

Inside a block the maps are several times wider than between blocks, and each is read by one layer
only; between blocks they are narrow, and additions carry their errors on. So the former bear fewer
bits than the latter.

With weights of b bits the noise of a layer falls as 4**-b, and a bit more costs as many bits of
memory as it has weights. So layers with few weights are worth more bits than those with many.
"""

import heapq
from functools import cache

from mnv2.golden.quantized_layer import WEIGHT_BITS

__all__ = ["expanded_maps", "merge_overrides", "weights_by_size", "weights_of_kind"]


def expanded_maps(network, bits):
    """Overrides for the maps inside blocks: outputs of expand and depthwise layers.

    Parameters
    ----------
    network : mnv2.golden.network.Network
    bits : int

    Returns
    -------
    dict of str to (None, int)
    """
    return {
        layer.name: (None, bits)
        for layer in network.layers
        if layer.kind in ("expand", "depthwise")
    }


def weights_of_kind(network, kind, bits):
    """Overrides for the weights of all layers of a kind, such as ``"depthwise"``.

    Parameters
    ----------
    network : mnv2.golden.network.Network
    kind : str
    bits : int

    Returns
    -------
    dict of str to (int, None)
    """
    return {layer.name: (bits, None) for layer in network.layers if layer.kind == kind}


def weights_by_size(network, bits):
    """Overrides that share out the memory of weights of ``bits`` bits for less noise.

    All layers begin alike. A layer gives up a bit as long as what others gain by its memory is
    more than it loses; the noise of a layer counts as 4**-b, and is never more than with the same
    bits for all.

    Ref: Lin, Talathi and Annapureddy, "Fixed Point Quantization of Deep Convolutional Networks",
    arXiv:1511.06393, section 3: the optimal widths of two layers differ by the logarithm of their
    numbers of weights; here in whole bits, at 6 dB each.

    Parameters
    ----------
    network : mnv2.golden.network.Network
    bits : int
        Of a weight on average, at most.

    Returns
    -------
    dict of str to (int, None)
        Of every layer with weights.
    """
    layers = [layer for layer in network.layers if layer.weight_count]
    widths = _share_out(tuple(layer.weight_count for layer in layers), bits)
    return {layer.name: (width, None) for layer, width in zip(layers, widths, strict=True)}


@cache
def _share_out(counts, bits):
    """Bits of each of some layers with these numbers of weights."""
    chosen, left = [bits] * len(counts), 0
    while True:
        best = _noise(chosen), chosen, left
        for giver, count in enumerate(counts):
            if chosen[giver] > WEIGHT_BITS[0]:
                trial = list(chosen)
                trial[giver] -= 1
                rest = _spend(trial, counts, left + count, giver)
                if _noise(trial) < best[0]:
                    best = _noise(trial), trial, rest
        if best[1] is chosen:
            return tuple(chosen)
        _, chosen, left = best


def _noise(widths):
    """The sum of 4**-b, in units of the least."""
    return sum(4 ** (WEIGHT_BITS[-1] - width) for width in widths)


def _spend(widths, counts, room, giver):
    """Add bits to all but one layer, where one takes most noise for its memory; what is left."""
    waiting = [
        (count * 4**width, number)
        for number, (width, count) in enumerate(zip(widths, counts, strict=True))
        if number != giver
    ]
    heapq.heapify(waiting)
    while waiting:
        price, number = heapq.heappop(waiting)
        if counts[number] <= room and widths[number] < WEIGHT_BITS[-1]:
            widths[number] += 1
            room -= counts[number]
            heapq.heappush(waiting, (4 * price, number))
    return room


def merge_overrides(*several):
    """One mapping of several; where two state the same width of a name, the later one holds.

    Parameters
    ----------
    several : mapping of str to (int or None, int or None)

    Returns
    -------
    dict of str to (int or None, int or None)
    """
    merged: dict = {}
    for overrides in several:
        for name, widths in overrides.items():
            before = merged.get(name, (None, None))
            merged[name] = tuple(
                old if new is None else new for old, new in zip(before, widths, strict=True)
            )
    return merged
