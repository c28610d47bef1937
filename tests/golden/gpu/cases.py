"""Small networks of every kind of datapath, and the comparison of a device with golden."""

from dataclasses import replace

import numpy as np

from mnv2.golden.arithmetic import Arithmetic
from mnv2.golden.average_pool import QuantizedAveragePool
from mnv2.golden.exact_mean import QuantizedExactMean
from mnv2.golden.gpu.runner import DeviceRunner
from mnv2.golden.network import build_network
from mnv2.golden.synthetic import random_activation, random_model

TABLE = ((1, 4, 1, 1), (3, 6, 2, 2), (2, 6, 1, 1))


def make_model(seed, weight_bits=8, activation_bits=8, arithmetic=None, **network):
    """A random integer network of four blocks, one without expansion, two with additions."""
    options = dict(stem_channels=5, head_channels=16, classes=7, input_size=(21, 18)) | network
    table = options.pop("table", TABLE)
    given = () if arithmetic is None else (arithmetic,)
    model, _ = random_model(
        np.random.default_rng(seed),
        build_network(table, **options),
        weight_bits,
        activation_bits,
        *given,
    )
    return model


def with_layers(model, change):
    """The model with every convolution changed by a function."""
    blocks = tuple(
        replace(
            block,
            expand=None if block.expand is None else change(block.expand),
            depthwise=change(block.depthwise),
            project=change(block.project),
        )
        for block in model.blocks
    )
    return replace(
        model,
        stem=change(model.stem),
        blocks=blocks,
        head=change(model.head),
        classifier=change(model.classifier),
    )


def power_of_two(model):
    """Scales of powers of two, as DPUs have them: ties in every layer."""
    return with_layers(model, lambda x: replace(x, multiplier=np.full_like(x.multiplier, 2**30)))


def per_tensor(model):
    """One multiplier and shift for all channels of a layer."""

    def change(layer):
        first = np.full_like(layer.shift, layer.shift.max())
        return replace(layer, multiplier=np.full_like(first, layer.multiplier[0]), shift=first)

    return with_layers(model, change)


def without_relu6(model):
    """Clamps at the ends of the range alone."""
    return with_layers(
        model,
        lambda x: replace(x, minimum=-128, maximum=127, output_zero_point=x.output_zero_point // 2),
    )


def left_shifts(model):
    """Factors above one: the accumulator is shifted left before it is multiplied, and wraps."""
    return with_layers(model, lambda x: replace(x, shift=np.minimum(x.shift - 14, 0)))


def zero_multipliers(model):
    """A channel whose factor is nothing, in every layer."""

    def change(layer):
        multiplier, shift = layer.multiplier.copy(), layer.shift.copy()
        multiplier[0] = shift[0] = 0
        return replace(layer, multiplier=multiplier, shift=shift)

    return with_layers(model, change)


def huge_bias(model):
    """Accumulators that leave 32 bits."""

    def change(layer):
        bias = layer.bias.copy()
        bias[0], bias[-1] = 2**31 - 1, -(2**31)
        return replace(layer, bias=bias)

    return with_layers(model, change)


def mixed_widths(model):
    """A projection of 16 bits among layers of 8."""
    first = model.blocks[0]
    wide = replace(
        first.project,
        activation_bits=16,
        minimum=-2000,
        maximum=2000,
        shift=first.project.shift - 4,
    )
    return replace(model, blocks=(replace(first, project=wide), *model.blocks[1:]))


def average_pool(model):
    """AVERAGE_POOL_2D instead of MEAN."""
    pool = model.pool
    return replace(
        model,
        pool=QuantizedAveragePool("pool", pool.count, pool.output_scale, pool.output_zero_point),
    )


def exact_mean(model):
    """A mean that is divided, its halves to even."""
    pool = model.pool
    parts = pool.input_scale, pool.input_zero_point, pool.output_scale, pool.output_zero_point
    return replace(model, pool=QuantizedExactMean("pool", pool.count, 1, pool.count, *parts))


def _arithmetic(rounding, bits, overflow, multiplier_bits=32):
    return Arithmetic(multiplier_bits, rounding, bits, overflow)


#: Functions that make a model, by name.
CASES = {
    **{
        f"W{weights}A{activations}": lambda w=weights, a=activations: make_model(w + a, w, a)
        for weights, activations in (
            (8, 8),
            (4, 8),
            (2, 8),
            (3, 5),
            (8, 6),
            (4, 4),
            (8, 16),
            (3, 16),
        )
    },
    **{
        f"{rounding}, {bits} bits that {overflow}, A{activations}": (
            lambda r=rounding, b=bits, o=overflow, a=activations: make_model(
                b, 8, a, _arithmetic(r, b, o)
            )
        )
        for rounding in ("double", "single", "truncate", "even")
        for bits in (12, 18, 24, 32)
        for overflow in ("wrap", "saturate")
        for activations in (8, 16)
    },
    "multipliers of 9 bits": lambda: make_model(3, 8, 8, _arithmetic("single", 32, "wrap", 9)),
    "multipliers of 16 bits": lambda: make_model(4, 8, 8, _arithmetic("double", 20, "wrap", 16)),
    "power of two": lambda: power_of_two(make_model(6)),
    "power of two, single": lambda: power_of_two(
        make_model(6, 8, 8, _arithmetic("single", 32, "wrap"))
    ),
    "power of two, even": lambda: power_of_two(
        make_model(6, 8, 8, _arithmetic("even", 32, "wrap"))
    ),
    "exact mean, even": lambda: exact_mean(make_model(6, 8, 8, _arithmetic("even", 32, "wrap"))),
    "per tensor": lambda: per_tensor(make_model(7)),
    "without ReLU6": lambda: without_relu6(make_model(8)),
    "left shifts": lambda: left_shifts(make_model(9)),
    "left shifts, truncate": lambda: left_shifts(
        make_model(9, 8, 8, _arithmetic("truncate", 32, "wrap"))
    ),
    "multipliers of nothing": lambda: zero_multipliers(make_model(10)),
    "huge bias": lambda: huge_bias(make_model(11)),
    "huge bias, 20 bits": lambda: huge_bias(
        make_model(11, 8, 8, _arithmetic("double", 20, "wrap"))
    ),
    "huge bias that saturates": lambda: huge_bias(
        make_model(11, 8, 8, _arithmetic("double", 32, "saturate"))
    ),
    "mixed widths": lambda: mixed_widths(make_model(12)),
    "average pool": lambda: average_pool(make_model(13)),
    "TensorFlow's padding": lambda: make_model(14, padding="tensorflow", input_size=(20, 33)),
    "one pixel": lambda: make_model(15, input_size=(1, 1)),
    "one channel": lambda: make_model(16, input_channels=1),
    "wide": lambda: make_model(
        17,
        table=((1, 16, 1, 1), (6, 24, 2, 2), (6, 40, 2, 2)),
        stem_channels=32,
        head_channels=200,
        classes=130,
        input_size=32,
    ),
}


def images_for(model, count, seed=0):
    """Random images, with the ends of the range among them."""
    rng = np.random.default_rng(seed)
    return random_activation(rng, (count, *model.network.input_shape), model.input_bits)


def assert_equal_to_golden(model, device, form, count=3):
    """Every tensor and every count of overflows, and the tensors that are kept alone."""
    images, expected, counts = images_for(model, count), {}, {}
    golden = model.run_batch(images, overflows=expected)
    runner = DeviceRunner(model, device, form)
    made = runner.run(images, overflows=counts)
    assert list(made) == list(golden)
    for name, tensor in golden.items():
        assert made[name].dtype == tensor.dtype, name
        np.testing.assert_array_equal(made[name], tensor, err_msg=name)
    assert counts == expected
    # Without the project's outputs, additions may be part of the kernel before them.
    names = ["logits_accumulator", *(block.output_name for block in model.blocks)]
    for name, tensor in runner.run(images, keep=names).items():
        np.testing.assert_array_equal(tensor, golden[name], err_msg=name)
    return golden, counts
