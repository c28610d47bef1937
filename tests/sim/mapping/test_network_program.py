"""Programs of networks: descriptors read back, streams in order, several images, refusals."""

from dataclasses import replace

import numpy as np
import pytest
from amaranth.lib import data

from mnv2.golden.network import mobilenet_v2
from mnv2.golden.synthetic import random_activation, random_model
from mnv2.hw.config import PAGE_BYTES, PRESETS, RECORD_BYTES
from mnv2.hw.program import Header, Work
from mnv2.sim.mapping.network_program import build_network_program, place_network, unpack_logits
from mnv2.sim.mapping.packing import pack_image, pack_parameters, pack_taps, pack_weights
from mnv2.sim.mapping.program import ProgramBuilder
from mnv2.sim.mapping.tiling import DoesNotFit
from tests.sim.rtl.machines import MACHINES, descriptors, model_and_tensors, network_of

TINY = PRESETS["tiny"]
TABLE = [(1, 8, 1, 1), (6, 12, 2, 2), (2, 16, 1, 1)]


def header_of(program):
    """Fields of the header by name."""
    record = int.from_bytes(program.image[:RECORD_BYTES].tobytes(), "little")
    return {
        name: record >> field.offset & (1 << field.width) - 1
        for name, field in data.Layout.cast(Header)
    }


@pytest.fixture(scope="module")
def case():
    model, tensors = model_and_tensors(TINY, network_of(TABLE, 17), 1)
    return model, tensors, build_network_program(model, [tensors["input"]], TINY)


def test_descriptors(case):
    model, _, program = case
    blocks = model.network.blocks
    *made, head, classifier = descriptors(program)
    assert [number for number, _ in program.works] == (len(blocks) + 2) * [0]
    assert [name for _, name in program.works] == [
        *(block.name for block in blocks),
        "head",
        "classifier",
    ]
    assert program.records == 1 + len(blocks) + 2
    for number, (block, quantized, record) in enumerate(
        zip(blocks, model.blocks, made, strict=True)
    ):
        assert record.work == Work.BLOCK
        assert record.stem == (number == 0)
        assert record.copy == (block.expand is None)
        assert record.residual == block.residual
        assert record.stride_2 == (block.stride == 2)
        assert record.padding == quantized.depthwise.input_zero_point
        assert record.project.zero_point == quantized.project.output_zero_point
        assert (record.input_rows, record.output_rows) == (
            block.input_shape[0],
            block.output_shape[0],
        )
        assert 1 <= record.input_tail <= TINY.pixels
    # What one leaves in the map memory the next one finds there.
    for before, after in zip(made, [*made[1:], head], strict=True):
        assert (before.output_base, before.output_end) == (after.input_base, after.input_end)
        assert not before.store
        assert not after.load
    assert head.work == Work.HEAD
    assert head.pool.zero_point == model.pool.output_zero_point
    assert classifier.work == Work.CLASSIFIER
    assert classifier.input_base == head.output_base
    assert classifier.store_address == program.output_address
    assert classifier.store_bytes == program.output_bytes


def test_streams_are_dense_and_in_order_of_use(case):
    """Recomputed here layer by layer."""
    model, tensors, program = case
    header, streams = header_of(program), {"weights": [], "taps": [], "parameters": []}
    for layer in model.layers:
        if layer.kind == "depthwise":
            streams["taps"].append(pack_taps(layer.weights, TINY))
        else:
            streams["weights"].append(
                pack_weights(layer.weights.reshape(-1, layer.output_channels), TINY)
            )
        streams["parameters"].append(pack_parameters(layer, TINY))
    for name, parts in streams.items():
        expected = np.concatenate(parts)
        start = header[f"{name}_address"]
        assert start % PAGE_BYTES == 0
        np.testing.assert_array_equal(program.image[start : start + len(expected)], expected)
        assert header[f"{name}_beats"] == -(-len(expected) // TINY.data_bytes)
    first = descriptors(program)[0]
    image = pack_image(tensors["input"], TINY)
    np.testing.assert_array_equal(
        program.image[first.load_address : first.load_address + len(image)], image
    )


@pytest.mark.parametrize("padded", [False, True], ids=["dense", "padded"])
def test_words_of_odd_bits_are_in_their_places(padded):
    """A layer's last word need not end with a byte; the next layer's begins at the next bit."""
    config = replace(MACHINES["few_bits"], padded_words=padded)
    assert config.weight_word_bits % 8
    assert config.tap_word_bits % 8
    model, tensors = model_and_tensors(config, network_of(TABLE, 9), 6)
    program = build_network_program(model, [tensors["input"]], config)
    header, words = header_of(program), {"weights": [], "taps": []}
    for layer in model.layers:
        name, word_bits, packed = (
            ("taps", config.tap_word_bits, pack_taps(layer.weights, config))
            if layer.kind == "depthwise"
            else (
                "weights",
                config.weight_word_bits,
                pack_weights(layer.weights.reshape(-1, layer.output_channels), config),
            )
        )
        number = int.from_bytes(packed.tobytes(), "little")
        for k in range(8 * len(packed) // word_bits):
            words[name].append(number >> k * word_bits & (1 << word_bits) - 1)
    for name, expected in words.items():
        layout = config.streams[name]
        start, beats = header[f"{name}_address"], header[f"{name}_beats"]
        assert beats == layout.beats(len(expected))
        memory = program.image[start : start + beats * config.data_bytes].tobytes()
        stream = 0
        for k in range(beats):
            beat = int.from_bytes(memory[k * config.data_bytes :][: config.data_bytes], "little")
            stream |= beat << k * layout.beat_bits
        assert [
            stream >> k * layout.taken_bits & (1 << layout.word_bits) - 1
            for k in range(len(expected))
        ] == expected


def test_nothing_overlaps(case):
    program = case[2]
    header = header_of(program)
    places = [(0, program.records * RECORD_BYTES)]
    places += [
        (header[f"{name}_address"], header[f"{name}_beats"] * TINY.data_bytes)
        for name in ("weights", "taps", "parameters")
    ]
    first = descriptors(program)[0]
    places += [
        (first.load_address, first.load_beats * TINY.data_bytes),
        (program.output_address, program.output_bytes),
    ]
    places.sort()
    for (start, size), (following, _) in zip(places, places[1:], strict=False):
        assert start + size <= following
    assert sum(places[-1]) == program.memory_bytes <= len(program.image)


def test_several_images():
    """The classifier of an image comes between the first blocks of the next one."""
    model, _ = random_model(np.random.default_rng(2), network_of(TABLE, 9, classes=50))
    rng = np.random.default_rng(3)
    images = [random_activation(rng, model.network.input_shape) for _ in range(3)]
    program = build_network_program(model, images, TINY)
    names = [block.name for block in model.network.blocks]
    for number in range(3):
        mine = [(k, name) for k, (image, name) in enumerate(program.works) if image == number]
        assert [name for _, name in mine if name != "classifier"] == [*names, "head"]
        head = next(k for k, name in mine if name == "head")
        assert all(k > head for k, name in mine if name == "classifier")
        if number:
            assert all(
                k < head for k, (image, name) in enumerate(program.works) if image == number - 1
            )
        assert all(size == 5 * TINY.inputs * words for _, size, words in program.logits[number])
        assert sum(words for *_, words in program.logits[number]) == -(-50 // TINY.inputs)
    assert len(descriptors(program)) == len(program.works)


def test_logits_by_hand(case):
    program = replace(case[2], classes=5, logits=(((0, 20, 1), (20, 20, 1)),))
    words = [
        *np.array([1, -2, 3, 2**31 - 1], "<i4").view(np.uint8),
        1,
        0xFE,
        3,
        127,
        *np.array([-(2**31), 0, 0, 0], "<i4").view(np.uint8),
        0x80,
        0,
        0,
        0,
    ]
    accumulators, logits = unpack_logits(bytes(words), program, TINY)
    assert accumulators.tolist() == [1, -2, 3, 2**31 - 1, -(2**31)]
    assert logits.tolist() == [1, -2, 3, 127, -128]


def test_logits_of_two_frames_by_hand(case):
    """Words of four classes of each frame, first all accumulators, then all values; padded."""
    config = replace(TINY, frames=2, padded_words=True)
    layout = config.streams["logits"]
    assert (layout.word_bits, layout.beat_bits, layout.beats(1)) == (320, 64, 5)
    program = replace(case[2], classes=5, logits=(((0, 80, 2),), ((96, 40, 1), (136, 40, 1))))
    words = [
        *np.array([1, -2, 3, 4, 101, -102, 103, 104], "<i4").view(np.uint8),
        *(11, 12, 13, 14, 21, 22, 23, 24),
        *np.array([5, 0, 0, 0, 105, 0, 0, 0], "<i4").view(np.uint8),
        *(15, 0, 0, 0, 25, 0, 0, 0),
    ]
    output = bytes([*words, *16 * [99], *words])
    for number, (first, second) in enumerate(2 * [(0, 10), (100, 20)]):
        accumulators, logits = unpack_logits(output, program, config, number)
        assert accumulators.tolist() == [first + 1, -first - 2, first + 3, first + 4, first + 5]
        assert logits.tolist() == [second + k for k in range(1, 6)]


@pytest.mark.parametrize("count", [1, 2, 3])
def test_images_are_paired(count):
    """An odd last one is paired with itself."""
    config = replace(TINY, frames=2)
    model, _ = random_model(np.random.default_rng(2), network_of(TABLE, 9))
    rng = np.random.default_rng(3)
    images = [random_activation(rng, model.network.input_shape) for _ in range(count)]
    program = build_network_program(model, images, config)
    assert {number for number, _ in program.works} == set(range(-(-count // 2)))
    assert len(program.logits) == -(-count // 2)
    first = [record for record in descriptors(program) if record.stem]
    pairs = [(0, 0)] if count == 1 else [(0, 1), (2, 2)] if count == 3 else [(0, 1)]
    for record, (one, other) in zip(first, pairs, strict=True):
        packed = pack_image((images[one], images[other]), config)
        assert record.load_beats * config.data_bytes >= len(packed)
        np.testing.assert_array_equal(program.image[record.load_address :][: len(packed)], packed)
    # Two frames take the weights of one.
    alone = build_network_program(model, images[:1], TINY)
    ratio = -(-count // 2)
    assert header_of(program)["weights_beats"] == ratio * header_of(alone)["weights_beats"]


def test_maps_that_do_not_fit_are_spilled():
    config = MACHINES["narrow"]
    network = network_of([(1, 8, 1, 1), (6, 12, 2, 2), (6, 16, 2, 1)], 45)
    model, tensors = model_and_tensors(config, network, 4)
    program = build_network_program(model, [tensors["input"]], config)
    spilled = program.placement.spilled
    assert {True, False} == set(spilled)
    made = descriptors(program)
    for number, gone in enumerate(spilled):
        before, after = made[number], made[number + 1]
        assert before.store == after.load == gone
        if gone:
            assert before.store_address == after.load_address
            assert before.store_words == after.load_words
            assert before.store_bytes <= after.load_beats * config.data_bytes


@pytest.mark.parametrize("preset", list(PRESETS))
def test_presets_hold_their_networks(preset):
    place_network(mobilenet_v2(0.35, 96) if preset == "tiny" else mobilenet_v2(), PRESETS[preset])


@pytest.mark.parametrize(
    ("buffer", "size"),
    [("map_words", 300), ("weight_words", 50), ("parameter_words", 40), ("tap_words", 11)],
)
def test_refusals(buffer, size):
    config = replace(TINY, **{buffer: size})
    network = network_of([(6, 24, 2, 2), (6, 24, 1, 1)], 64, head=640, classes=1000)
    with pytest.raises(DoesNotFit, match=rf"needs \d+ words of .*but {buffer} is {size}$"):
        place_network(network, config)


def test_too_many_records_are_refused():
    builder = ProgramBuilder(TINY)
    builder.reserve_map("output", 8)
    for _ in range(1023):
        builder.add_descriptor(lambda places: np.zeros(RECORD_BYTES, np.uint8))
    with pytest.raises(ValueError, match="fewer than 1024 records, not 1024"):
        builder.build("output")


def test_a_model_of_more_bits_is_refused():
    """Nothing is cut off in silence."""
    model, tensors = model_and_tensors(TINY, network_of(TABLE, 9), 5)
    with pytest.raises(ValueError, match="Values must fit into 5 bits"):
        build_network_program(model, [tensors["input"]], replace(TINY, weight_bits=5))
