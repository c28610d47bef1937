"""Batches of images through an integer model: fast, every element equal to `mnv2.golden.ops`.

Between layers activations are float32 that hold the integers as they are, or bytes where the CPU
has more for them (`mnv2.golden.fast.maps`), so that no conversion comes between a layer and the
next; `mnv2.golden.fast.prepared` has the proof of each layer. A block runs on groups of images or
bands of rows such that its widest tensor stays in the cache from expansion to projection. A stage
with a layer that has no proof runs image by image through its records.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from mnv2.golden.fast import ops as fast_ops
from mnv2.golden.fast.addition import prepare_float_add
from mnv2.golden.fast.choice import choose
from mnv2.golden.fast.maps import ByteMaps, FloatMaps
from mnv2.golden.fast.prepared import PreparedLayer, aligned, prepare_layer
from mnv2.golden.fixed_point import activation_type, signed_range, wrap_int32
from mnv2.golden.quantized_block import QuantizedBlock
from mnv2.golden.summary import short_repr


@dataclass(frozen=True, eq=False)
class PreparedBlock:
    """A bottleneck of PreparedLayers.

    Attributes
    ----------
    block : mnv2.golden.quantized_block.QuantizedBlock
    addition : tuple or None
        As `mnv2.golden.fast.addition.prepare_float_add`.
    portions : dict of type to (int, int)
        Images and output rows that are worked on at a time, by the type of maps.
    """

    block: QuantizedBlock
    expand: PreparedLayer | None
    depthwise: PreparedLayer
    project: PreparedLayer
    addition: tuple[Any, ...] | None
    portions: dict[type, tuple[int, int]]

    __repr__ = short_repr

    @property
    def plain(self) -> bool:
        """Whether all layers are."""
        expand = self.expand is None or self.expand.plain
        return expand and self.depthwise.plain and self.project.plain


def _clamp_of(record) -> tuple[int, int]:
    """(minimum, maximum) of a record's output."""
    return record.minimum, record.maximum


def prepare_block(block, low, high, shapes):
    """The PreparedBlock for inputs in low..high, or None if a layer must run in integers.

    Parameters
    ----------
    block : mnv2.golden.quantized_block.QuantizedBlock
    low, high : int
    shapes : mnv2.golden.network.Block
    """
    rows, columns, _ = shapes.output_shape
    height, width, _ = shapes.input_shape
    volume = height * width * shapes.hidden_channels
    portions: dict[type, tuple[int, int]] = {
        maps: _portion(rows, volume, maps.elements) for maps in (FloatMaps, ByteMaps)
    }
    band = portions[FloatMaps][1]
    pixels = band * columns
    prepared, ends = {}, (low, high)
    for layer in block.layers:
        if layer.kind == "expand":
            unit = height * width if band == rows else width
        else:
            unit = pixels
        prepared[layer.kind] = prepare_layer(layer, *ends, unit, columns)
        if prepared[layer.kind] is None:
            return None
        ends = _clamp_of(layer)
    if block.add is not None and block.add.activation_bits > 8:
        return None
    addition = None if block.add is None else prepare_float_add(block.add)
    layers = prepared.get("expand"), prepared["depthwise"], prepared["project"]
    return PreparedBlock(block, *layers, addition, portions)


def _portion(rows, volume, elements):
    """(images, output rows) of a block's widest map, of ``volume``, that are some elements."""
    group, band = max(1, elements // volume), rows
    if volume > 2 * elements:
        band = max(1, rows * elements // volume)
        while rows % band:
            band -= 1
    return group, band


def _hold(maps, results, name, images, rows, values):
    """Keep values [n, rows, W, C] as the integers of a tensor that is wanted."""
    if name in results:
        maps.keep(results[name][images, rows], values)


def run_prepared_block(maps, prepared, x, results, overflows=None):
    """Run a bottleneck on a map [N, H, W, C].

    Parameters
    ----------
    maps : mnv2.golden.fast.maps.FloatMaps or ByteMaps
    results : dict of str to int8 [N, H', W', C']
        Tensors that are wanted, by name; written.
    overflows : dict of str to int, optional
        By layer, how many accumulators left their range; added to.

    Returns
    -------
    array [N, H', W', M]
    """
    block, depthwise, project = prepared.block, prepared.depthwise.layer, prepared.project.layer
    images, height, width, _ = x.shape
    (top, bottom), (left, right) = depthwise.padding
    stride, channels = depthwise.stride, depthwise.output_channels
    padded_shape = (height + top + bottom, width + left + right)
    rows, columns = fast_ops.output_shape(padded_shape, (3, 3), stride)
    group, band = prepared.portions[type(maps)]
    group = min(images, group)
    window = aligned((group, (band - 1) * stride + 3, padded_shape[1], channels), maps.kind)
    empty = maps.value(depthwise.input_zero_point)
    window[...] = empty
    filtered = aligned(group * band * columns * channels, maps.kind)
    output = aligned((images, rows, columns, project.output_channels), maps.kind)

    def fill(first, count, begin, end):
        """Rows begin..end of the expanded map, at their place in the window."""
        target = window[:count, begin + top - first : end + top - first, left : left + width]
        source, chosen = x[chunk, begin:end], slice(begin, end)
        if prepared.expand is None:
            np.copyto(target, source)
            return
        maps.pointwise(prepared.expand, source, target, overflows)
        _hold(maps, results, block.expand.name, chunk, chosen, target)

    for start in range(0, images, group):
        count = min(group, images - start)
        chunk = slice(start, start + count)
        first = done = 0
        for row in range(0, rows, band):
            size = min(band, rows - row)
            begin, end = row * stride, (row + size - 1) * stride + 3
            kept = max(0, done - begin)
            window[:count, :kept] = window[:count, begin - first : begin - first + kept]
            first, begin = begin, begin + kept
            for outside in (
                slice(begin - first, max(begin, min(end, top)) - first),
                slice(max(begin, top + height) - first, max(end, begin) - first),
            ):
                window[:count, outside] = empty
            inner = max(begin - top, 0), min(end - top, height)
            if inner[1] > inner[0]:
                fill(first, count, *inner)
            done = end
            shape, chosen = (count, size, columns, channels), slice(row, row + size)
            made = filtered[: math.prod(shape)].reshape(shape)
            maps.window(prepared.depthwise, window[:count], made, overflows)
            _hold(maps, results, depthwise.name, chunk, chosen, made)
            maps.pointwise(prepared.project, made, output[chunk, chosen], overflows)
    _hold(maps, results, project.name, slice(None), slice(None), output)
    if block.add is not None:
        output = maps.add(prepared.addition, x, output)
        _hold(maps, results, block.add.name, slice(None), slice(None), output)
    return output


def run_stem(maps, prepared, images, results, overflows=None):
    """A map [N, H', W', M] of int8 images [N, H, W, 3]: windows gathered as single items."""
    layer = prepared.layer
    count, height, width, channels = images.shape
    (top, bottom), (left, right) = layer.padding
    padded = np.full(
        (height + top + bottom, width + left + right, channels), layer.input_zero_point, np.int8
    )
    rows, columns = fast_ops.output_shape(padded.shape, (3, 3), layer.stride)
    line, column, item = padded.strides
    windows = np.ndarray(
        (rows, columns, 3),
        f"V{3 * channels}",
        padded,
        strides=(line * layer.stride, column * layer.stride, line),
    )
    output = aligned((count, rows, columns, layer.output_channels), maps.kind)
    band = min(rows, max(1, maps.elements // (columns * layer.output_channels)))
    gathered = np.empty((band, columns, 3), windows.dtype)
    integers = gathered.view(np.int8).reshape(band * columns, -1)
    for number in range(count):
        padded[top : top + height, left : left + width] = images[number]
        for row in range(0, rows, band):
            size = min(band, rows - row)
            gathered[:size] = windows[row : row + size]
            source = maps.of_integers(integers[: size * columns]).reshape(1, size, columns, -1)
            target = output[number : number + 1, row : row + size]
            maps.pointwise(prepared, source, target, overflows)
    _hold(maps, results, layer.name, slice(None), slice(None), output)
    return output


def run_pointwise(maps, prepared, x, results, overflows=None):
    """A map [N, H, W, M] of a map [N, H, W, C]."""
    layer, shape = prepared.layer, (*x.shape[:3], prepared.layer.output_channels)
    output, pixels = aligned(shape, maps.kind), shape[1] * shape[2]
    group = max(1, maps.elements // (pixels * shape[3]))
    for start in range(0, len(x), group):
        source, target = x[start : start + group], output[start : start + group]
        maps.pointwise(prepared, source, target, overflows)
    _hold(maps, results, layer.name, slice(None), slice(None), output)
    return output


@dataclass(frozen=True, eq=False)
class PreparedModel:
    """The stages of a model that have a proven float32 form, None for the others.

    The classifier's weights are ready in a type that holds its sums, [C, M]; None where its
    accumulators may leave their range. `heads` has the head, if there is one.
    """

    stem: PreparedLayer | None
    blocks: tuple[PreparedBlock | None, ...]
    heads: tuple[PreparedLayer | None, ...]
    classifier: np.ndarray | None
    correction: np.ndarray

    __repr__ = short_repr

    @property
    def plain(self) -> bool:
        """Whether there is a form of every stage, and every layer is plain."""
        stages = (self.stem, *self.blocks, *self.heads)
        return all(stage is not None and stage.plain for stage in stages)


def prepare_model(model):
    """The PreparedModel of a QuantizedModel; some tenths of a second for the full network."""
    columns = model.network.stem.output_shape[1]
    stem = None
    if model.input_bits <= 8:
        stem = prepare_layer(model.stem, *signed_range(8), columns)
    ends, blocks = _clamp_of(model.stem), []
    for block, shapes in zip(model.blocks, model.network.blocks, strict=True):
        blocks.append(prepare_block(block, *ends, shapes))
        ends = _clamp_of(block.output)
    rows, columns, _ = model.network.pool.input_shape
    heads = tuple(prepare_layer(head, *ends, rows * columns) for head in model.head_layers)
    layer = model.classifier
    matrix, zero, ends = None, layer.input_zero_point, _clamp_of(model.pool)
    sums = fast_ops.sum_bounds(layer.weights, *(end - zero for end in ends))
    least, most = signed_range(layer.arithmetic.accumulator_bits)
    if np.all(layer.bias + sums[0] >= least) and np.all(layer.bias + sums[1] <= most):
        matrix = layer.weights.astype(fast_ops.exact_type(layer.weights, *ends))
    return PreparedModel(
        stem, tuple(blocks), heads, matrix, fast_ops.corrections(layer.weights, layer.bias, zero)
    )


def _tensor_shapes(model):
    """Shape and type of each image's tensors, by name, in order."""
    network = model.network
    tensors = {"input": (network.input_shape, activation_type(model.input_bits))}

    def add(record, shape):
        tensors[record.name] = shape, activation_type(record.activation_bits)

    add(model.stem, network.stem.output_shape)
    for block, shapes in zip(model.blocks, network.blocks, strict=True):
        for layer, shape in zip(block.layers, shapes.layers, strict=True):
            add(layer, shape.output_shape)
        if block.add is not None:
            add(block.add, shapes.output_shape)
    for head in model.head_layers:
        add(head, network.head.output_shape)
    add(model.pool, network.pool.output_shape)
    add(model.classifier, network.classifier.output_shape)
    tensors["logits_accumulator"] = network.classifier.output_shape, np.int32
    return tensors


def _run_records(records, x, bits, results, overflows):
    """Run layers and perhaps an addition of float32 [N, H, W, C] in integers, image by image."""
    outputs, first = [], x.astype(activation_type(bits))
    for number, image in enumerate(first):
        value = image
        for record in records:
            if hasattr(record, "accumulate"):
                left: list[np.ndarray] = []
                value = record.run(value, overflows=None if overflows is None else left)
                if overflows is not None:
                    overflows[record.name] += int(np.count_nonzero(left[0]))
            else:
                value = record.run(image, value)
            if record.name in results:
                results[record.name][number] = value
        outputs.append(value)
    return np.stack(outputs).astype(np.float32)


def _run_stem(maps, model, prepared, images, results, overflows):
    """The map [N, H, W, C] that leaves the stem."""
    if prepared.stem is not None:
        return run_stem(maps, prepared.stem, images, results, overflows)
    return _run_records([model.stem], images, model.input_bits, results, overflows)


def _run_blocks(maps, model, prepared, numbers, x, results, overflows):
    """The map [N, H, W, C] that leaves the last of some blocks, given by place in order."""
    for number in numbers:
        block, ready = model.blocks[number], prepared.blocks[number]
        if ready is not None:
            x = run_prepared_block(maps, ready, x, results, overflows)
            continue
        before = (
            model.stem.activation_bits
            if number == 0
            else model.blocks[number - 1].output.activation_bits
        )
        records = block.layers if block.add is None else (*block.layers, block.add)
        x = _run_records(records, x, before, results, overflows)
    return x


def _run_head(maps, model, prepared, x, results, overflows):
    """The map [N, H, W, C] that the pool averages."""
    for head, ready in zip(model.head_layers, prepared.heads, strict=True):
        if ready is not None:
            x = run_pointwise(maps, ready, x, results, overflows)
        else:
            bits = model.blocks[-1].output.activation_bits
            x = _run_records([head], x, bits, results, overflows)
    return x


def run_model(model, prepared, images, keep=None, overflows=None):
    """Tensors of a batch; see `mnv2.golden.model.QuantizedModel.run_batch`.

    prepared : PreparedModel
    """
    shapes = _tensor_shapes(model)
    if keep is not None and (unknown := sorted(set(keep) - set(shapes))):
        raise ValueError(f"Tensors to keep must be among the model's, not {unknown!r}")
    wanted = [name for name in shapes if keep is None or name in keep]
    results = {name: np.empty((len(images), *shapes[name][0]), shapes[name][1]) for name in wanted}
    if overflows is not None:
        overflows.update({layer.name: 0 for layer in model.layers})
    if not len(images):
        return results
    if "input" in results:
        results["input"][...] = images
    maps = choose(len(images), prepared.plain)
    early = 0
    while (
        early < len(model.blocks)
        and prepared.blocks[early] is not None
        and prepared.blocks[early].portions[type(maps)][0] == 1
    ):
        early += 1
    parts = []
    for number in range(len(images)):
        # Maps that are large for the cache: one image through all such layers, then the next.
        own = {name: tensor[number : number + 1] for name, tensor in results.items()}
        x = _run_stem(maps, model, prepared, images[number : number + 1], own, overflows)
        parts.append(_run_blocks(maps, model, prepared, range(early), x, own, overflows))
    late = range(early, len(model.blocks))
    x = aligned((len(images), *parts[0].shape[1:]), parts[0].dtype)
    np.concatenate(parts, out=x)
    x = _run_blocks(maps, model, prepared, late, x, results, overflows)
    x = _run_head(maps, model, prepared, x, results, overflows)
    pooled = _pool(maps, model.pool, x)
    _hold(FloatMaps, results, model.pool.name, slice(None), slice(None), pooled)
    if prepared.classifier is not None:
        sums = pooled.astype(prepared.classifier.dtype) @ prepared.classifier
        acc = (sums.astype(np.int64) + prepared.correction).astype(np.int32)
    else:
        left: list[np.ndarray] = []
        acc = model.classifier.accumulate(pooled, overflows=left)
        if overflows is not None:
            overflows[model.classifier.name] = int(np.count_nonzero(left[0]))
    if model.classifier.name in results:
        results[model.classifier.name][...] = model.classifier.requantize(acc)
    if "logits_accumulator" in results:
        results["logits_accumulator"][...] = acc
    return results


def _pool(maps, pool, x):
    """Outputs [N, 1, 1, C] of a QuantizedMean or QuantizedAveragePool for a map [N, H, W, C]."""
    pixels = x.shape[1] * x.shape[2]
    if pixels != pool.count:
        raise ValueError(
            f"The input of {pool.name} must have {pool.count} pixels, not {x.shape[1:]!r}"
        )
    return pool.requantize(wrap_int32(maps.totals(x) + pool.sum_bias)[:, None, None])
