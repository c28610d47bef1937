"""Programs of networks: descriptors read back, streams in order, several turns, refusals."""

from dataclasses import replace

import numpy as np
import pytest
from amaranth.lib import data

from mnv2.golden.network import mobilenet_v2
from mnv2.golden.synthetic import random_activation, random_model
from mnv2.hw.config import PAGE_BYTES, PRESETS, RECORD_BYTES
from mnv2.hw.identity import configuration_hash
from mnv2.hw.program import Header, Turns, Work
from mnv2.sim.mapping.network_program import build_network_program, place_network, unpack_logits
from mnv2.sim.mapping.packing import pack_image, pack_parameters, pack_taps, pack_weights
from mnv2.sim.mapping.program import ProgramBuilder, memory_image
from mnv2.sim.mapping.run_places import place_run
from mnv2.sim.mapping.tiling import DoesNotFit
from mnv2.sim.mapping.turn_order import executed, turn_order
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
    return model, tensors, build_network_program(model, TINY)


def test_descriptors(case):
    model, _, program = case
    blocks = model.network.blocks
    names = [block.name for block in blocks]
    *made, whole = descriptors(program)
    # 10 classes are one tile: the classifier of the turn before follows the first block.
    assert program.works(1) == [(0, name) for name in [*names, "head", "classifier"]]
    part, made = made[1], [made[0], *made[2:]]
    *made, head = made
    assert program.records == 1 + len(blocks) + 3
    assert int.from_bytes(program.image[:4].tobytes(), "little") == configuration_hash(TINY)
    for record, turns, ends in (
        *((record, Turns.ALL, 0) for record in (*made, head)),
        (part, Turns.LATER, 1),
        (whole, Turns.LAST, 1),
    ):
        assert (record.turns, record.ends_turn) == (turns, ends)
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
    for classifier in (part, whole):
        assert classifier.work == Work.CLASSIFIER
        assert classifier.input_base == head.output_base
        assert classifier.store_offset == 0
        assert classifier.store_bytes == program.logits_bytes


def segments_of(model, parts):
    """Layers of each segment, as the order of a turn in the middle has them."""
    blocks = [[layer for layer in block.layers if layer is not None] for block in model.blocks]
    blocks[0].insert(0, model.stem)
    found = [[] for _ in range(7)]
    for number, layers in enumerate(blocks):
        found[2 * min(number, parts)] += layers
    found[2 * parts].append(model.head)
    return found


def test_streams_are_in_order_of_use(case):
    """Recomputed here layer by layer: each segment from a beat's begin, the classifier's second."""
    model, _, program = case
    segments = segments_of(model, 1)
    segments[1].append(model.classifier)
    header = header_of(program)
    for name in ("weights", "taps", "parameters"):
        expected, beats = [], []
        for layers in segments:
            parts = [np.zeros(0, np.uint8)]
            for layer in layers:
                if name == "parameters":
                    parts.append(pack_parameters(layer, TINY))
                elif (name == "taps") == (layer.kind == "depthwise"):
                    if name == "taps":
                        parts.append(pack_taps(layer.weights, TINY))
                    else:
                        matrix = layer.weights.reshape(-1, layer.output_channels)
                        parts.append(pack_weights(matrix, TINY))
            data = np.concatenate(parts)
            if name != "taps":
                data = np.pad(data, (0, -len(data) % TINY.data_bytes))
                beats.append(len(data) // TINY.data_bytes)
            expected.append(data)
        expected = np.concatenate(expected)
        start = header[f"{name}_offset"]
        assert start % PAGE_BYTES == 0
        np.testing.assert_array_equal(program.image[start : start + len(expected)], expected)
        if name == "taps":
            assert header["taps_beats"] == -(-len(expected) // TINY.data_bytes)
        else:
            assert beats_of(header[f"{name}_beats"]) == beats


def beats_of(packed):
    """Beats of the segments, from the field of the header."""
    return [packed >> 24 * number & (1 << 24) - 1 for number in range(7)]


@pytest.mark.parametrize("padded", [False, True], ids=["dense", "padded"])
def test_words_of_odd_bits_are_in_their_places(padded):
    """A layer's last word need not end with a byte; the next layer's begins at the next bit."""
    config = replace(MACHINES["few_bits"], padded_words=padded)
    assert config.weight_word_bits % 8
    assert config.tap_word_bits % 8
    model, tensors = model_and_tensors(config, network_of(TABLE, 9), 6)
    program = build_network_program(model, config)
    header, words = header_of(program), {"weights": [], "taps": []}
    # The first segment alone: it begins with the stem.
    (first, *_) = segments_of(model, 1)
    taps = [layer for layers in segments_of(model, 1) for layer in layers]
    for layer in [
        *(one for one in first if one.kind != "depthwise"),
        *(one for one in taps if one.kind == "depthwise"),
    ]:
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
        start, beats = header[f"{name}_offset"], header[f"{name}_beats"]
        if name == "weights":
            beats = beats_of(beats)[0]
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
    for name in ("weights", "taps", "parameters"):
        beats = header[f"{name}_beats"]
        beats = beats if name == "taps" else sum(beats_of(beats))
        places.append((header[f"{name}_offset"], beats * TINY.data_bytes))
    for (start, size), (following, _) in zip(places, places[1:], strict=False):
        assert start + size <= following
    assert sum(places[-1]) == program.memory_bytes == len(program.image)
    run = place_run(
        program.memory_bytes,
        program.picture_bytes,
        program.logits_bytes,
        base=0x5000,
        picture_slots=3,
        logits_slots=2,
    )
    slots = [(run.base, program.memory_bytes)]
    slots += [(run.picture_address(turn), program.picture_bytes) for turn in range(3)]
    slots += [(run.logits_address(turn), program.logits_bytes) for turn in range(2)]
    for (start, size), (following, _) in zip(slots, slots[1:], strict=False):
        assert start + size <= following
        assert following % 4096 == 0
    assert sum(slots[-1]) <= run.end
    assert run.picture_address(4) == run.picture_address(1)
    assert run.logits_address(3) == run.logits_address(1)
    image = np.arange(5, dtype=np.uint8)
    memory = memory_image(program, run, [image, image + 1])
    np.testing.assert_array_equal(memory[: len(program.image)], program.image)
    for slot in range(2):
        begin = run.picture_address(slot) - run.base
        np.testing.assert_array_equal(memory[begin : begin + 5], image + slot)


@pytest.mark.parametrize("name", list(MACHINES))
@pytest.mark.parametrize("classes", [10, 95, 400])
def test_turns(name, classes):
    """The classifier of a turn comes between the first blocks of the next one; in parts whose
    logits lie as those of the whole."""
    config = MACHINES[name]
    model, _ = model_and_tensors(config, network_of(TABLE, 9, classes=classes), 2)
    program = build_network_program(model, config)
    names = [block.name for block in model.network.blocks]
    works = program.works(3)
    for number in range(3):
        mine = [(k, name) for k, (turn, name) in enumerate(works) if turn == number]
        assert [name for _, name in mine if name != "classifier"] == [*names, "head"]
        head = next(k for k, name in mine if name == "head")
        assert all(k > head for k, name in mine if name == "classifier")
        if number:
            assert all(k < head for k, (turn, _) in enumerate(works) if turn == number - 1)
    *made, whole = descriptors(program)
    parts = [record for record in made if record.work == Work.CLASSIFIER]
    assert len(parts) <= 3
    offset = words = 0
    for part in parts:
        assert part.store_offset == offset
        assert offset % config.data_bytes == 0
        offset += part.store_bytes
        words += part.store_words
    assert (offset, words) == (whole.store_bytes, whole.store_words)
    assert offset == program.logits_bytes == config.streams["logits"].memory_bytes(words)
    assert [part.ends_turn for part in parts] == (len(parts) - 1) * [0] + [1]
    assert program.logits_words == words == -(-classes // config.inputs)


def test_order():
    """Blocks and parts in turn; more parts than blocks, or more blocks than parts."""
    kinds = [(entry.kind[0], entry.number, entry.segment) for entry in turn_order(4, 2)]
    assert kinds == [
        *(("b", 0, 0), ("p", 0, 1), ("b", 1, 2), ("p", 1, 3), ("b", 2, 4), ("b", 3, 4)),
        *(("h", 0, 4), ("c", 0, 0)),
    ]
    kinds = [(entry.kind[0], entry.number, entry.segment) for entry in turn_order(1, 3)]
    assert kinds == [
        *(("b", 0, 0), ("p", 0, 1), ("p", 1, 3), ("p", 2, 5), ("h", 0, 6), ("c", 0, 0)),
    ]
    assert executed(turn_order(1, 1), 1) == [(0, 0), (0, 2), (0, 3)]
    assert executed(turn_order(1, 1), 2) == [(0, 0), (0, 2), (1, 0), (0, 1), (1, 2), (1, 3)]
    with pytest.raises(ValueError, match="Parts must be 1 to 3, not 4"):
        turn_order(9, 4)


def test_logits_by_hand(case):
    program = replace(case[2], classes=5, logits_words=2, logits_bytes=40)
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
    accumulators, logits = unpack_logits(bytes([*words, 1, 2, 3]), program, TINY)
    assert accumulators.tolist() == [1, -2, 3, 2**31 - 1, -(2**31)]
    assert logits.tolist() == [1, -2, 3, 127, -128]


def test_logits_of_two_frames_by_hand(case):
    """Words of four classes of each frame, first all accumulators, then all values; padded."""
    config = replace(TINY, frames=2, padded_words=True)
    layout = config.streams["logits"]
    assert (layout.word_bits, layout.beat_bits, layout.beats(1)) == (320, 64, 5)
    program = replace(case[2], classes=5, logits_words=2, logits_bytes=80)
    words = [
        *np.array([1, -2, 3, 4, 101, -102, 103, 104], "<i4").view(np.uint8),
        *(11, 12, 13, 14, 21, 22, 23, 24),
        *np.array([5, 0, 0, 0, 105, 0, 0, 0], "<i4").view(np.uint8),
        *(15, 0, 0, 0, 25, 0, 0, 0),
    ]
    for frame, (first, second) in enumerate([(0, 10), (100, 20)]):
        accumulators, logits = unpack_logits(bytes(words), program, config, frame)
        assert accumulators.tolist() == [first + 1, -first - 2, first + 3, first + 4, first + 5]
        assert logits.tolist() == [second + k for k in range(1, 6)]


def test_two_frames_take_the_weights_of_one():
    config = replace(TINY, frames=2)
    model, _ = random_model(np.random.default_rng(2), network_of(TABLE, 9))
    program, alone = build_network_program(model, config), build_network_program(model, TINY)
    for name in ("weights", "taps", "parameters"):
        assert header_of(program)[f"{name}_beats"] == header_of(alone)[f"{name}_beats"]
    rng = np.random.default_rng(3)
    pair = [random_activation(rng, model.network.input_shape) for _ in range(2)]
    assert len(pack_image(pair, config)) == program.picture_bytes
    assert len(pack_image(pair[0], TINY)) == alone.picture_bytes


def test_constants_are_there_once():
    """Whatever the number of turns: the image is that of one."""
    model, _ = random_model(np.random.default_rng(2), network_of(TABLE, 9, classes=400))
    program = build_network_program(model, TINY)
    weights = sum(beats_of(header_of(program)["weights_beats"])) * TINY.data_bytes
    words = sum(
        len(pack_weights(layer.weights.reshape(-1, layer.output_channels), TINY))
        for layer in model.layers
        if layer.kind != "depthwise"
    )
    assert words <= weights < words + 7 * TINY.data_bytes


def test_maps_that_do_not_fit_are_spilled():
    config = MACHINES["narrow"]
    network = network_of([(1, 8, 1, 1), (6, 12, 2, 2), (6, 16, 2, 1)], 45)
    model, _ = model_and_tensors(config, network, 4)
    program = build_network_program(model, config)
    spilled = program.placement.spilled
    assert {True, False} == set(spilled)
    made = [record for record in descriptors(program) if record.turns == Turns.ALL]
    for number, gone in enumerate(spilled):
        before, after = made[number], made[number + 1]
        assert before.store == after.load == gone
        if gone:
            assert before.store_offset == after.load_offset != 0
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
    model, _ = model_and_tensors(TINY, network_of(TABLE, 9), 5)
    with pytest.raises(ValueError, match="Values must fit into 5 bits"):
        build_network_program(model, replace(TINY, weight_bits=5))
