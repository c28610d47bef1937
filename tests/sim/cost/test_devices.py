"""The table of devices holds what data sheets say; names are found; what binds comes first."""

import pytest

from mnv2.hw.config import PRESETS
from mnv2.sim.cost.devices import Use, device_use, find_device, fits, load_devices
from mnv2.sim.cost.record import Resources
from mnv2.sim.cost.resources import estimate_resources
from mnv2.sim.errors import UserError

#: DSPs, block RAMs of 18 kbit, UltraRAMs, LUTs, flip-flops; typed in here a second time.
KNOWN = {
    "ECP5-25": (28, 56, 0, 24_288, 24_288),
    "ECP5-45": (72, 108, 0, 43_848, 43_848),
    "ECP5-85": (156, 208, 0, 83_640, 83_640),
    "Artix-7-35T": (90, 100, 0, 20_800, 41_600),
    "Artix-7-100T": (240, 270, 0, 63_400, 126_800),
    "Artix-7-200T": (740, 730, 0, 134_600, 269_200),
    "Zynq-7010": (80, 120, 0, 17_600, 35_200),
    "Zynq-7020": (220, 280, 0, 53_200, 106_400),
    "Zynq-7045": (900, 1_090, 0, 218_600, 437_200),
    "ZU3EG": (360, 432, 0, 70_560, 141_120),
    "ZU7EV": (1_728, 624, 96, 230_400, 460_800),
    "ZU9EG": (2_520, 1_824, 0, 274_080, 548_160),
    "K26": (1_248, 288, 64, 117_120, 234_240),
    "VU9P": (6_840, 4_320, 960, 1_182_240, 2_364_480),
    "VU13P": (12_288, 5_376, 1_280, 1_728_000, 3_456_000),
}


@pytest.mark.parametrize("name", KNOWN)
def test_counts(name):
    device = load_devices()[name]
    assert (
        device.dsp,
        device.block_ram_18k,
        device.ultra_ram,
        device.luts,
        device.flip_flops,
    ) == KNOWN[name]


def test_smallest_device():
    device = load_devices()["iCE40UP5K"]
    assert (device.dsp, device.block_ram_4k, device.luts, device.flip_flops) == (8, 30, 5280, 5280)
    resources = estimate_resources(PRESETS["tiny"], device.family)
    uses = device_use(resources, device)
    assert not fits(resources, device)
    assert {use.resource for use in uses} == {"DSPs", "block RAM, 4 kbit", "LUTs", "flip-flops"}


@pytest.mark.parametrize(
    ("name", "bytes_per_second"),
    [("Zynq-7020", 32 / 8 * 1066e6), ("ZU3EG", 8.532e9), ("K26", 19.2e9), ("VU13P", 76.8e9)],
)
def test_bandwidths(name, bytes_per_second):
    assert load_devices()[name].bandwidth == pytest.approx(bytes_per_second)
    assert "MT/s" in load_devices()[name].bandwidth_from


def test_every_device_names_its_source():
    for device in load_devices().values():
        assert device.source.split(",")[0].split()[0] in ("AMD", "Lattice")
        assert device.luts <= device.flip_flops <= 2 * device.luts


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("zu3eg", "ZU3EG"),
        ("KV260", "K26"),
        ("xc7a35t", "Artix-7-35T"),
        ("zcu102", "ZU9EG"),
        ("artix 7 100t", "Artix-7-100T"),
        ("LFE5U-85F", "ECP5-85"),
        ("U250", "VU13P"),
    ],
)
def test_names_in_any_form(given, name):
    assert find_device(given).name == name


def test_aliases_are_not_shared():
    names = [
        alias.lower()
        for device in load_devices().values()
        for alias in (device.name, *device.aliases)
    ]
    assert len(names) == len(set(names))


def test_did_you_mean():
    with pytest.raises(UserError, match="no device 'ZU3GE'; did you mean ZU3EG"):
        find_device("ZU3GE")
    with pytest.raises(UserError, match="no device 'qqqq'; the devices are iCE40UP5K, ECP5-25"):
        find_device("qqqq")


def test_what_binds_comes_first():
    device = load_devices()["ZU3EG"]
    uses = device_use(
        Resources(
            dsp=180, block_ram_36k=200, block_ram_18k=3, luts=70_000, memory_luts=561, flip_flops=1
        ),
        device,
    )
    assert [use.resource for use in uses] == ["LUTs", "block RAM, 18 kbit", "DSPs", "flip-flops"]
    assert uses[0] == Use("LUTs", 70_561, 70_560)
    assert uses[1].share == 403 / 432
    assert not fits(Resources(luts=70_561), device)
    assert fits(Resources(luts=70_560), device)


def test_what_is_not_there_does_not_fit():
    device = load_devices()["ZU3EG"]
    assert device_use(Resources(ultra_ram=1), device)[0] == Use("UltraRAM", 1, 0)
    assert not fits(Resources(ultra_ram=1), device)


GOOD = (
    '[X]\ntitle = "X"\nfamily = "xcup"\nsource = "mine"\n'
    'memory = { board = "B", bits = 8, megatransfers = 10 }\n'
)


def test_a_table_of_ones_own(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(GOOD + "dsp = 3\nblock_ram_36k = 2\n")
    device = find_device("x", path)
    assert (device.dsp, device.block_ram_18k, device.bandwidth) == (3, 4, 10e6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (GOOD + "dsps = 3\n", "unknown key 'dsps'"),
        (GOOD + "dsp = -3\n", "0 or more as dsp, not -3"),
        (GOOD + "luts = 1.5\n", "0 or more as luts, not 1.5"),
        (GOOD.replace('"xcup"', '"spartan"'), "family xcup, xc7, ecp5, ice40, not 'spartan'"),
        (GOOD.replace('source = "mine"\n', ""), "needs a text as source"),
        (GOOD.replace("bits = 8, ", ""), "needs as memory a board, bits and megatransfers"),
        ("X = 3\n", "must be a table"),
        ("[X\n", "not valid TOML"),
    ],
)
def test_bad_tables(tmp_path, text, message):
    path = tmp_path / "bad.toml"
    path.write_text(text)
    with pytest.raises(UserError, match=message):
        load_devices(path)


def test_no_table(tmp_path):
    with pytest.raises(UserError, match="cannot be read: No such file"):
        load_devices(tmp_path / "none.toml")
