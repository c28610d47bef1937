"""Random one-layer models and small networks, by kind, each from a generator of random numbers."""

import numpy as np

from tests.golden.graph.models import ACTIVATIONS, ModelMaker


def _small_map(rng, channels=None, largest=14):
    rows, columns = (int(n) for n in rng.integers(1, largest, 2))
    return (1, rows, columns, int(rng.integers(1, 20)) if channels is None else channels)


def _window(rng, shape, dilated=True):
    """Random kernel, stride, dilation and padding whose window fits the map."""
    while True:
        kernel = tuple(int(n) for n in rng.integers(1, 6, 2))
        stride = tuple(int(n) for n in rng.integers(1, 5, 2))
        dilation = (1, 1)
        if dilated and rng.random() < 0.4:
            dilation = tuple(int(n) for n in rng.integers(1, 4, 2))
        padding = str(rng.choice(["SAME", "VALID"]))
        reach = [(k - 1) * d + 1 for k, d in zip(kernel, dilation, strict=True)]
        if padding == "SAME" or all(r <= n for r, n in zip(reach, shape[1:3], strict=True)):
            return {"kernel": kernel, "stride": stride, "dilation": dilation, "padding": padding}


def _output(rng, maker):
    """An output scale and zero point: mostly chosen to spread, sometimes an extreme."""
    extreme = {}
    if rng.random() < 0.15:
        extreme["scale"] = maker.scale(1e-6, 1e4)
    if rng.random() < 0.3:
        extreme["zero"] = int(rng.choice([-128, 127]))
    return extreme


def convolution(rng):
    maker = ModelMaker(rng)
    groups = int(rng.choice([1, 1, 1, 2, 3]))
    shape = _small_map(rng, groups * int(rng.integers(1, 9)))
    source = maker.input(shape)
    target = maker.convolution(
        source,
        groups * int(rng.integers(1, 9)),
        **_window(rng, shape),
        groups=groups,
        activation=str(rng.choice(ACTIVATIONS)),
        **_output(rng, maker),
    )
    return maker.finish([target])


def depthwise(rng):
    maker = ModelMaker(rng)
    shape = _small_map(rng)
    source = maker.input(shape)
    target = maker.convolution(
        source,
        None,
        **_window(rng, shape),
        multiplier=int(rng.choice([1, 1, 2, 3])),
        activation=str(rng.choice(ACTIVATIONS)),
        **_output(rng, maker),
    )
    return maker.finish([target])


def fully_connected(rng):
    maker = ModelMaker(rng)
    keep = bool(rng.random() < 0.3)
    shape = (1, int(rng.integers(1, 300))) if rng.random() < 0.6 else _small_map(rng, largest=5)
    depth = shape[-1] if keep or rng.random() < 0.7 else int(np.prod(shape))
    source = maker.input(shape)
    target = maker.fully_connected(
        source,
        int(rng.integers(1, 120)),
        depth=depth,
        keep=keep,
        with_bias=bool(rng.random() < 0.8),
        activation=str(rng.choice(ACTIVATIONS)),
        **_output(rng, maker),
    )
    return maker.finish([target])


def add(rng, kind="ADD"):
    maker = ModelMaker(rng)
    shape = _small_map(rng)
    other = tuple(1 if rng.random() < 0.3 else size for size in shape)
    if rng.random() < 0.5:
        other = shape
    elif rng.random() < 0.3:
        other = other[2:]
    a = maker.input(shape, maker.scale(1e-5, 10))
    b = maker.input(other, maker.scale(1e-5, 10))
    extreme = {"zero": int(rng.choice([-128, 127]))} if rng.random() < 0.3 else {}
    target = maker.add(
        *((a, b) if rng.random() < 0.5 else (b, a)),
        activation=str(rng.choice(ACTIVATIONS)),
        kind=kind,
        **extreme,
    )
    return maker.finish([target])


def subtract(rng):
    return add(rng, "SUB")


def multiply(rng):
    return add(rng, "MUL")


def mean(rng):
    maker = ModelMaker(rng)
    shape = _small_map(rng, largest=40)
    if rng.random() < 0.2:
        shape = (1, int(rng.integers(100, 300)), int(rng.integers(100, 300)), 2)
    axes = (
        (1, 2),
        (2, 1),
        (1,),
        (2,),
        (3,),
        (-2, -3),
        (1, 2, 3),
        (0, 1, 2),
        (-1, 3),
        (0,),
        (0, 1, 2, 3),
    )[rng.integers(11) if rng.random() < 0.5 else 0]
    source = maker.input(shape)
    if rng.random() < 0.5:  # pixels near one value: means that spread
        base = rng.normal(0, 60, shape[-1])
        maker.values[0] = np.clip(rng.normal(base, 20, shape), -128, 127).astype(np.int8)
    target = maker.mean(source, axes, keep=bool(rng.random() < 0.5), **_output(rng, maker))
    return maker.finish([target])


def max_pool(rng):
    return average_pool(rng, "MAX_POOL_2D")


def average_pool(rng, kind="AVERAGE_POOL_2D"):
    maker = ModelMaker(rng)
    shape = _small_map(rng)
    window = _window(rng, shape, dilated=False)
    window.pop("dilation")
    if rng.random() < 0.2:  # one window over all
        window |= {"kernel": shape[1:3], "padding": "VALID"}
    source = maker.input(shape)
    target = maker.average_pool(
        source, **window, activation=str(rng.choice(ACTIVATIONS)), kind=kind
    )
    return maker.finish([target])


def flatten(rng):
    maker = ModelMaker(rng)
    source = maker.input(_small_map(rng))
    shrink = bool(rng.random() < 0.8)
    made = maker.flatten(source, begin=int(rng.integers(0, 4)) * shrink, shrink=shrink)
    return maker.finish([made])


def logistic(rng):
    maker = ModelMaker(rng)
    source = maker.input((1, 256), maker.scale(1e-5, 50), values=np.arange(-128, 128)[None])
    return maker.finish([maker.logistic(source)])


def pad(rng):
    maker = ModelMaker(rng)
    rank = int(rng.integers(1, 6))
    shape = tuple(int(n) for n in rng.integers(1, 6, rank))
    amounts = rng.integers(0, 4, (rank, 2))
    if rank == 4:
        amounts[[0, 3]] = 0
    source = maker.input(shape)
    value = int(rng.integers(-128, 128)) if rng.random() < 0.4 else None
    target = maker.pad(
        source, amounts.tolist(), value, np.int64 if rng.random() < 0.3 else np.int32
    )
    return maker.finish([target])


def reshape(rng):
    maker = ModelMaker(rng)
    shape = _small_map(rng)
    size = int(np.prod(shape))
    shapes = [(1, size), (size,), (-1,), (1, -1, shape[3]), (shape[3], shape[1] * shape[2], 1, 1)]
    source = maker.input(shape)
    target = maker.reshape(
        source, shapes[rng.integers(len(shapes))], by_options=bool(rng.random() < 0.3)
    )
    return maker.finish([target])


def softmax(rng):
    maker = ModelMaker(rng)
    shape = tuple(int(n) for n in rng.integers(1, 5, int(rng.integers(0, 3)))) + (
        int(rng.integers(1, 400)),
    )
    scale = maker.scale(1e-6, 50) if rng.random() < 0.5 else maker.scale(0.01, 0.5)
    source = maker.input(shape, scale)
    if rng.random() < 0.3:
        maker.values[0] = np.full(shape, rng.integers(-128, 128), np.int8)
    target = maker.softmax(source, float(rng.choice([1.0, 1.0, 0.3, 2.7, 10.0])))
    return maker.finish([target])


def quantize(rng):
    maker = ModelMaker(rng)
    shape = _small_map(rng)
    kinds = [np.float32, np.int8, np.uint8]
    source_type = kinds[rng.integers(3)]
    target_type = kinds[rng.integers(1, 3)]
    wide = rng.random() < 0.3
    source = maker.input(shape, maker.scale(1e-4, 1e4) if wide else None, dtype=source_type)
    if source_type == np.float32 and rng.random() < 0.3:
        maker.values[0] = np.round(maker.values[0] * 2).astype(np.float32) / 2  # ties
    scale = 1.0 if rng.random() < 0.2 else maker.scale(1e-3, 1e3) if wide else None
    if scale is None and source_type != np.float32:
        scale = maker.scales[source] * float(rng.choice([1.0, 1.0, 0.5, 1.7, 0.3]))
    target = maker.quantize(source, scale, dtype=target_type)
    return maker.finish([target])


def dequantize(rng):
    maker = ModelMaker(rng)
    source = maker.input(
        _small_map(rng), maker.scale(1e-6, 1e6), dtype=np.int8 if rng.random() < 0.5 else np.uint8
    )
    return maker.finish([maker.dequantize(source)])


def network(rng):
    """A stem, inverted residuals, a pool and a classifier, float32, uint8 or int8 outside."""
    maker = ModelMaker(rng)
    maker.activity = 30
    outside = [np.float32, np.uint8, np.int8][rng.integers(3)]
    relu = {"activation": str(rng.choice(["RELU6", "RELU"])), "zero": -128}
    padded = [[0, 0], [1, 1], [1, 1], [0, 0]]

    def any_zero():
        return int(rng.integers(-60, 61))

    def three_by_three(x, channels, stride, **options):
        if rng.random() < 0.5:  # as PyTorch pads
            return maker.convolution(
                maker.pad(x, padded), channels, (3, 3), stride, padding="VALID", **options, **relu
            )
        return maker.convolution(x, channels, (3, 3), stride, **options, **relu)

    rows, columns = (int(n) for n in rng.integers(12, 30, 2))
    x = maker.input(
        (1, rows, columns, 3), dtype=outside, zero=any_zero() + (128 if outside == np.uint8 else 0)
    )
    if outside == np.float32:
        x = maker.quantize(x, 0.03, any_zero())
    elif outside == np.uint8:
        x = maker.quantize(x, maker.scales[x], maker.zeros[x] - 128)
    x = three_by_three(x, 8, (2, 2))
    for _ in range(int(rng.integers(1, 4))):
        y = maker.convolution(x, 24, (1, 1), **relu)
        y = three_by_three(y, None, (2, 2) if rng.random() < 0.3 else (1, 1), multiplier=1)
        y = maker.convolution(y, 8, (1, 1), zero=any_zero())
        x = maker.add(x, y, zero=any_zero()) if maker.shapes[x] == maker.shapes[y] else y
    x = maker.convolution(x, 32, (1, 1), **relu)
    keep = True
    if rng.random() < 0.6:
        keep = bool(rng.random() < 0.5)
        x = maker.mean(x, keep=keep, scale=maker.scales[x] * 0.7, zero=-128)
    else:
        x = maker.average_pool(x, maker.shapes[x][1:3], padding="VALID")
    if keep:
        x = maker.reshape(x, (1, 32))
    x = maker.fully_connected(x, 11, zero=any_zero())
    if rng.random() < 0.5:
        x = maker.softmax(x)
    if outside == np.float32:
        x = maker.dequantize(x)
    elif outside == np.uint8:
        x = maker.quantize(x, maker.scales[x], maker.zeros[x] + 128, np.uint8)
    return maker.finish([x])


LAYERS = {
    make.__name__: make
    for make in (
        convolution,
        depthwise,
        fully_connected,
        add,
        subtract,
        multiply,
        mean,
        average_pool,
        max_pool,
        flatten,
        logistic,
        pad,
        reshape,
        softmax,
        quantize,
        dequantize,
        network,
    )
}
