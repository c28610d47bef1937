"""Every board's accelerator fits its device, and its weights' stream the memory."""

import pytest

from mnv2.golden.network import mobilenet_v2
from mnv2.sim.boards.board import BOARD_KEYS, board_files, find_board
from mnv2.sim.configuration import DEFAULT_CLOCK_HZ, load_configuration, load_setting
from mnv2.sim.cost.devices import check_device, find_device, fits
from mnv2.sim.cost.memory_use import memory_use
from mnv2.sim.cost.resources import estimate_resources
from mnv2.sim.cycles.predict import predict_network
from mnv2.sim.errors import UserError
from mnv2.sim.memory.parts import find_part

BOARDS = list(board_files())
#: Frames a second and DSPs that a board's accelerator must reach and may take.
ASKED = {"kv260": (580, 642)}


@pytest.fixture(params=BOARDS)
def setting(request):
    return load_setting(request.param)


def test_fits_its_device(setting):
    device = find_device(setting.board.device)
    check_device(setting.config, device)
    assert fits(estimate_resources(setting.config, device.family), device)


def test_its_memory_suffices(setting):
    clock = setting.board.clock_hz
    part = find_part(setting.board.memory)
    layers = predict_network(mobilenet_v2(), setting.config, part=part.name, part_clock_hz=clock)
    use = memory_use(layers, setting.config, part, clock)
    assert use.frame.share < 1


@pytest.mark.parametrize("name", list(ASKED))
def test_as_fast_as_was_asked(name):
    setting = load_setting(name)
    clock, config = setting.board.clock_hz, setting.config
    layers = predict_network(mobilenet_v2(), config, part=setting.board.memory, part_clock_hz=clock)
    frames, dsps = ASKED[name]
    assert config.frames * clock / sum(layer.cycles for layer in layers) >= frames
    assert estimate_resources(config, find_device(setting.board.device).family).dsp <= dsps


def test_options_stand_for_the_boards():
    setting = load_setting("kv260")
    assert setting.config == load_configuration("kv260")
    assert setting.clock_hz(None) == 300e6
    assert setting.clock_hz(100) == 100e6
    assert setting.part(None) == "ps-hp-ddr4-2400x64"
    assert setting.part("ddr3-800x16") == "ddr3-800x16"
    assert setting.part(None, 40, None) is None
    assert load_setting("kv260", ["pixels=2"]).config.pixels == 2
    plain = load_setting("base")
    assert plain.board is None
    assert plain.clock_hz(None) == DEFAULT_CLOCK_HZ
    assert plain.clock_source(None) == "given"


def test_a_clock_has_the_boards_source_unless_it_is_given():
    setting = load_setting("kv260")
    assert setting.clock_source(None) == setting.board.clock_source
    assert "PG338" in setting.clock_source(None)
    assert setting.clock_source(100) == "given"


@pytest.mark.parametrize("name", ["KV260", "kv260", "Kv-260", "ULX3S-85F", "ulx3s 85f"])
def test_names_in_any_case(name):
    known = next(one for one in BOARDS if one[:2] == name[:2].lower())
    assert load_setting(name) == load_setting(known)
    assert find_board(name) == load_setting(known).board


def test_presets_in_any_case():
    assert load_configuration("Base") == load_configuration("base")


def test_a_file_stands_before_a_name_in_another_case(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "KV260").write_text('preset = "tiny"')
    assert load_configuration("KV260") == load_configuration("tiny")
    assert load_configuration("kv260").frames == 2


def test_another_device_or_board_for_a_boards_accelerator():
    setting = load_setting("kv260")
    assert setting.on(None) is setting
    # The same device, by whatever name, is still on the board.
    assert setting.on("k26").board == setting.board
    assert setting.on("Kria-KV260").board == setting.board
    # On another device nothing is known of its memory and clock; on another board it is.
    assert setting.on("ZU9EG").board is None
    assert setting.on("ulx3s-85f").board == load_setting("ulx3s-85f").board
    assert setting.on("ulx3s-85f").config == setting.config
    assert load_setting("base").on("KV260").board == setting.board
    assert load_setting("base").on("K26").board is None
    # A device's own name is a device's, even where a board is called so.
    assert load_setting("base").on("ZU3EG").board is None
    assert load_setting("zu3eg").on("ZU3EG").board == load_setting("zu3eg").board
    with pytest.raises(UserError, match="no device 'kv261'; did you mean K26"):
        setting.on("kv261")


@pytest.mark.parametrize("name", BOARDS)
def test_a_board_is_a_device_too(name):
    assert find_device(name.upper()).name == load_setting(name).board.device


def board_text(clock):
    """The table of a board with that clock, as TOML has it."""
    texts = {"title": "x", "device": "K26", "memory": "y", "clock_source": "z"}
    lines = [f'{name} = "{text}"' for name, text in texts.items()]
    return "\n".join(["[board]", f"clock_mhz = {clock}", *lines])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("board = 3", r"must be a table \[board\] of title, device, .*, not 3$"),
        (
            '[board]\ndevice = "K26"',
            (
                r"^The table \[board\] in '.*' lacks title, memory, clock_mhz, clock_source; its "
                f"keys are {', '.join(BOARD_KEYS)}, and no others$"
            ),
        ),
        (board_text(1) + '\ncolour = "red"', r"\] in '.*' has 'colour', which no board has; its"),
        ('[board]\ncolour = "red"', "lacks title, .*, clock_source and has 'colour', which no"),
        (board_text('"fast"'), "clock_mhz of the board in .* must be a number of MHz, not 'fast'"),
        (board_text(0), "must be 0.001 to 1,000,000, not 0"),
    ],
)
def test_a_board_that_is_none(text, words, tmp_path):
    path = tmp_path / "design.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=words):
        load_setting(str(path))
