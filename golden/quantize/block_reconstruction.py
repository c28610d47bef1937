"""Roundings of weights trained block by block, for the outputs of the float network's blocks.

From the stem to the classifier, one unit (a bottleneck, or a single layer outside them) after
another: its inputs are those that the units before it give in integers, its target is what the
float network has there, so that each unit makes up for what is lost before it. All layers of a
unit are trained together, with their biases, on random parts of the pictures' maps; then every
weight is an integer, and the bias of the unit's last layer takes the mean error that is left. The
head and the classifier are trained on means of parts: of the head's map only the mean is read.

Training is in float32: roundings may differ from one kind of processor to another. What is made of
them is a model in integers like any other.

Ref: the roundings are those of Nagel et al., arXiv:2004.10568, section 3, inputs from the
quantised network and ReLU6 included as its equation 25 has them; a bottleneck as the unit is Li et
al., "BRECQ: Pushing the Limit of Post-Training Quantization by Block Reconstruction",
arXiv:2102.05426, section 3, with plain squared error where the paper weighs it by gradients.
Neither trains biases.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as functional

from mnv2.golden.fixed_point import signed_range
from mnv2.golden.quantize.scales import weight_scales
from mnv2.golden.quantize.soft_rounding import SoftWeights
from mnv2.golden.summary import short_repr

#: Steps of training of each unit, pictures of each step, and the side of the output's part.
STEPS, BATCH, PART = 400, 32, 7
#: Rates of Adam for what is rounded and for biases.
ROUNDING_RATE, BIAS_RATE = 0.04, 1e-3
#: Weight of the penalty, the share of steps before it begins, and its exponent then and at the end.
PENALTY, FREE, EXPONENTS = 0.01, 0.2, (20.0, 2.0)
#: Side of the part of the head's map that is averaged, for the head and the classifier.
POOLED = 4
#: Times that the mean error of a layer with ReLU6 is taken off, and the share of its outputs that
#: counts as above 0 and below 6 where fewer are.
TIMES, LEAST_SHARE = 3, 0.1
#: Pictures at a time where nothing is trained.
GROUP = 16
#: Layers with windows.
SPATIAL = ("stem", "depthwise")


@dataclass(frozen=True, eq=False)
class Rounded:
    """The result of training of a layer.

    Attributes
    ----------
    scales : float32 [Cout]
    integers : int8, as the weights
    bias : float64 [Cout]
        Real.
    """

    scales: np.ndarray
    integers: np.ndarray
    bias: np.ndarray

    __repr__ = short_repr


@dataclass(frozen=True, eq=False)
class Unit:
    """Layers that are trained together.

    Attributes
    ----------
    layers : tuple of mnv2.golden.network.Layer
    source : str
        Tensor that they read.
    add : str or None
        Name of the addition that ends them.
    """

    layers: tuple
    source: str
    add: str | None = None

    @property
    def spatial(self):
        """The layer whose windows need padding, or None."""
        return next((layer for layer in self.layers if layer.kind in SPATIAL), None)

    @property
    def last(self):
        return self.layers[-1]


def find_units(network):
    """The Units of a mnv2.golden.network.Network, in order."""
    units, source = [Unit((network.stem,), "input")], "stem"
    for block in network.blocks:
        add = block.add_name if block.residual else None
        units.append(Unit(block.layers, source, add))
        source = block.output_name
    return [*units, Unit((network.head,), source), Unit((network.classifier,), "pool")]


def reconstruct(model, pictures, affine, options, progress=None):
    """Train the roundings of every layer.

    Parameters
    ----------
    model : mnv2.golden.float_model.FloatModel
        Folded.
    pictures : sequence of float32 [H, W, 3]
        Normalised; hundreds, of those that are to come. They are not to be judged on.
    affine : dict of str to (scale, zero_point)
        Of every tensor that `FloatModel.run` names.
    options : mnv2.golden.quantize.QuantizationOptions
    progress : function of (done, total), optional
        Called after each unit.

    Returns
    -------
    dict of str to Rounded
    """
    real = {name: _tensors(record) for name, record in model.layers.items()}
    wanted = torch.tensor(np.stack(pictures))
    grids = _Grids(affine, options)
    given = grids.snap("input", wanted)
    rounded: dict[str, Rounded] = {}
    units = find_units(model.network)
    for number, unit in enumerate(units):
        soft = _soft_weights(unit, model, affine, options)
        if unit.last.kind == "classifier":
            _train(unit, soft, given, _Logits(wanted, *real["classifier"]), POOLED)
            wanted, given = (x.mean(dim=(1, 2), keepdim=True) for x in (wanted, given))
            given = grids.snap("pool", given)
        ahead = _run(unit, real, wanted)
        if unit.add is not None:
            ahead += wanted
        # What the addition adds is there already: the rest is for the layers before it.
        target = ahead - given if unit.add is not None else ahead
        if unit.last.kind == "head":
            _train(unit, soft, given, _Mean(target), POOLED)
        elif unit.last.kind != "classifier":
            _train(unit, soft, given, _Map(target), PART)
        given = _advance(unit, soft, given, target, grids)
        rounded |= {name: _finish(one) for name, one in soft.items()}
        wanted = ahead
        if progress is not None:
            progress(number + 1, len(units))
    return rounded


def _tensors(record):
    """(weights, bias, ceiling) of a FloatLayer."""
    bias = np.zeros(record.layer.output_channels, np.float32)
    ceiling = None if record.ceiling is None else torch.tensor(record.ceiling)
    return (
        torch.tensor(record.weights),
        torch.tensor(bias if record.bias is None else record.bias),
        ceiling,
    )


class _Grids:
    """Values that tensors can have in integers."""

    def __init__(self, affine, options):
        self.affine, self.options = affine, options

    def snap(self, name, x):
        """float32, the nearest real values of a tensor's integers."""
        scale, zero_point = self.affine[name]
        low, high = signed_range(self.options.activation_bits_of(name))
        return ((x / scale).round_().add_(zero_point).clamp_(low, high) - zero_point) * scale


def _soft_weights(unit, model, affine, options):
    """SoftWeights of each layer of a unit, by name, at the scales that the options mean."""
    made, source = {}, unit.source
    for layer in unit.layers:
        record, bits = model.layers[layer.name], options.weight_bits_of(layer.name)
        bias = _tensors(record)[1].numpy()
        scales = weight_scales(
            record.weights,
            bias,
            affine[source][0],
            bits,
            options.granularity,
            options.scales,
            options.weight_range_method,
        )
        made[layer.name] = SoftWeights(record.weights, bias, scales, bits)
        source = layer.name
    return made


def _layer(layer, x, weights, bias, ceiling=None):
    """float32 [N, H', W', Cout] of [N, H, W, Cin], padded already."""
    if layer.kind in SPATIAL:
        depthwise = layer.kind == "depthwise"
        kernel = weights[:, :, None].permute(3, 2, 0, 1) if depthwise else weights
        kernel = kernel if depthwise else kernel.permute(3, 2, 0, 1)
        groups = layer.output_channels if depthwise else 1
        y = functional.conv2d(x.permute(0, 3, 1, 2), kernel, bias, layer.stride, groups=groups)
        y = y.permute(0, 2, 3, 1)
    else:
        y = x @ weights + bias
    if not layer.relu6:
        return y
    y = y.clamp(min=0)
    return y.clamp(max=6.0) if ceiling is None else torch.minimum(y, ceiling)


def _layers(unit, parameters, x, inside=None, grids=None):
    """The layers of a unit on maps that are padded for its windows.

    inside : float32 [1, H, W, 1], 0 on the padding: what a layer before the windows makes there is
    taken off, since they pad its output.
    """
    for layer in unit.layers:
        if layer.kind in SPATIAL and inside is not None:
            x = x * inside
        x = _layer(layer, x, *parameters[layer.name])
        if grids is not None:
            x = grids.snap(layer.name, x)
    return x


def _padded(unit, x):
    """(maps padded for the windows of a unit, 1 inside and 0 on the padding)."""
    layer = unit.spatial
    if layer is None:
        return x, None
    (top, bottom), (left, right) = layer.padding
    edges = (0, 0, left, right, top, bottom)
    inside = functional.pad(torch.ones(1, *x.shape[1:3], 1), edges)
    return functional.pad(x, edges), None if layer is unit.layers[0] else inside


@torch.no_grad()
def _run(unit, parameters, x, grids=None):
    """Whole maps of all pictures."""
    parts = [
        _layers(unit, parameters, padded, inside, grids)
        for padded, inside in (_padded(unit, some) for some in x.split(GROUP))
    ]
    return torch.cat(parts)


class _Map:
    """A target that is a map."""

    def __init__(self, values):
        self.values = values
        self.shape = tuple(values.shape[1:3])

    def part(self, chosen, rows, columns):
        return self.values[chosen, rows, columns]

    def read(self, part):
        """The input of the unit, of a part of its inputs."""
        return part

    def of(self, output):
        """The part of a unit's output that is compared with it."""
        return output


class _Mean(_Map):
    """A target that is the mean of any part of a map."""

    def part(self, chosen, rows, columns):
        return self.of(super().part(chosen, rows, columns))

    def of(self, output):
        return output.mean(dim=(1, 2), keepdim=True)


class _Logits:
    """The logits of the float network for the mean of any part of the head's map."""

    def __init__(self, heads, weights, bias, _):
        self.heads, self.weights, self.bias = heads, weights, bias
        self.shape = tuple(heads.shape[1:3])

    def part(self, chosen, rows, columns):
        return self.read(self.heads[chosen, rows, columns]) @ self.weights + self.bias

    def read(self, part):
        return part.mean(dim=(1, 2), keepdim=True)

    def of(self, output):
        return output


def _train(unit, soft, given, goal, part):
    """Train a unit's SoftWeights in place.

    given : float32 [N, H, W, Cin], its inputs
    goal : _Map, _Mean or _Logits
    part : side of the output's part that a step sees
    """
    layer = unit.spatial
    size, stride = (1, 1) if layer is None else (layer.kernel_size[0], layer.stride)
    maps, inside = _padded(unit, given)
    adam = torch.optim.Adam(
        [
            {"params": [one.variables for one in soft.values()], "lr": ROUNDING_RATE},
            {"params": [one.bias for one in soft.values()], "lr": BIAS_RATE},
        ]
    )
    draw = torch.Generator().manual_seed(1)
    for step in range(STEPS):
        chosen = torch.randperm(len(maps), generator=draw)[:BATCH]
        ends = []
        for length in goal.shape:
            side = min(part, length)
            first = int(torch.randint(0, length - side + 1, (1,), generator=draw))
            ends.append((slice(first, first + side), _source(first, side, stride, size)))
        (rows, source_rows), (columns, source_columns) = ends
        x = goal.read(maps[chosen, source_rows, source_columns])
        near = None if inside is None else inside[:, source_rows, source_columns]
        made = goal.of(_layers(unit, {name: one.soft() for name, one in soft.items()}, x, near))
        loss = (made - goal.part(chosen, rows, columns)).square().sum(dim=-1).mean()
        done = (step / STEPS - FREE) / (1 - FREE)
        if done >= 0:
            exponent = EXPONENTS[0] + (EXPONENTS[1] - EXPONENTS[0]) * done
            loss = loss + PENALTY * sum(one.penalty(exponent) for one in soft.values())
        adam.zero_grad(set_to_none=True)
        loss.backward()
        adam.step()


def _source(first, side, stride, size):
    """Rows of a padded map that some rows of the output are made of."""
    return slice(first * stride, (first + side - 1) * stride + size)


def _advance(unit, soft, given, target, grids):
    """The unit's output in integers, once the last layer's bias has taken the mean error left."""
    last = soft[unit.last.name].bias.detach()
    for _ in range(TIMES if unit.last.relu6 else 1):
        made = _run(unit, {name: one.hard() for name, one in soft.items()}, given, grids)
        left = (target - made).mean(dim=(0, 1, 2))
        if unit.last.relu6:
            within = ((made > 0) & (made < made.amax())).float().mean(dim=(0, 1, 2))
            left /= within.clamp(min=LEAST_SHARE)
        last += left
    made = _run(unit, {name: one.hard() for name, one in soft.items()}, given, grids)
    return made if unit.add is None else grids.snap(unit.add, made + given)


def _finish(one):
    """The Rounded of SoftWeights."""
    return Rounded(
        one.scales.numpy(),
        one.integers().numpy().astype(np.int8),
        one.bias.detach().numpy().astype(np.float64),
    )
