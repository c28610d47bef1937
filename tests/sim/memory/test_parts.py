"""The table of memory parts: names, sources, rates, and what is refused."""

import pytest

from mnv2.sim.errors import UserError
from mnv2.sim.memory import parts
from mnv2.sim.memory.parts import find_part, load_parts
from mnv2.sim.memory.words import memory_words


def test_every_part_has_a_source_and_times_that_fit_together():
    assert len(load_parts()) >= 12
    for part in load_parts().values():
        assert part.source
        assert part.controller
        assert part.peak == part.bits / 8 * part.megatransfers * 1e6
        # A refresh takes a few percent; a row holds many accesses.
        assert 0.005 < (part.refresh_ns + part.resting_ns) / part.refresh_interval_ns < 0.12
        assert part.row_bytes % part.access_bytes == 0
        assert part.row_bytes >= 16 * part.access_bytes
        # tCL, tRCD and tRP of one speed grade are about the same.
        assert part.column_ns / 1.5 < part.activate_ns < 1.5 * part.column_ns
        assert part.activate_ns == part.precharge_ns


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("DDR3-800X16", "ddr3-800x16"),
        ("sdr-sdram-x16", "sdr-133x16"),
        ("ULX3S", "sdr-133x16"),
        ("ps-hp-port", "ps-hp-ddr3-1066x32"),
        ("kv260", "ps-hp-ddr4-2400x64"),
        ("PYNQ-Z2", "ps-hp-ddr3-1050x16"),
        ("Arty-A7", "ddr3-667x16"),
        ("nexys video", "ddr3-800x16"),
    ],
)
def test_aliases(name, found):
    assert find_part(name).name == found


def test_no_two_parts_share_a_name():
    names = [
        "".join(filter(str.isalnum, name.lower()))
        for part in load_parts().values()
        for name in (part.name, *part.aliases)
    ]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ddr3-80x16", "no memory part 'ddr3-80x16'; did you mean ddr3-800x16"),
        ("flash", "no memory part 'flash'; the memory parts are sdr-133x16, ddr3-667x16"),
    ],
)
def test_unknown_parts_are_named_with_the_nearest(name, message):
    with pytest.raises(UserError, match=message):
        find_part(name)


def test_a_port_of_its_own_bounds_the_rate():
    part = find_part("ps-hp-port")
    assert part.data_rate(100e6) == 800e6  # 64 bits with the accelerator's clock
    assert part.data_rate(300e6) == 1200e6  # UG585: 150 MHz at most
    assert find_part("ddr3-800x16").data_rate(10e6) == 1600e6


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("burst = 8", "lacks, or should not have, a key 'burst'"),
        ('controller = "litedram-ddr"', "lacks, or should not have, a key 'controller'"),
        ("bits = 16", "must have 0 or more as bits"),
    ],
)
def test_a_table_that_is_wrong_is_refused(change, message, tmp_path, monkeypatch):
    text = parts.TABLE.read_text()
    place = text.index("[ddr3-800x16]")
    wrong = change.replace("16", "-16") if "bits" in change else ""
    table = tmp_path / "parts.toml"
    table.write_text(text[:place] + text[place:].replace(change, wrong, 1))
    monkeypatch.setattr(parts, "TABLE", table)
    with pytest.raises(UserError, match=f"'ddr3-800x16' {message}"):
        load_parts.__wrapped__()


def test_words():
    assert memory_words({"latency": 9, "bytes_per_cycle": 0}) == (
        "a memory 9 cycles away, a beat a cycle each way"
    )
    assert memory_words({"latency": 9, "bytes_per_cycle": 4}).endswith("4 bytes a cycle")
    part = {"latency": 20, "bytes_per_cycle": 0, "part": "ddr3-800x16", "part_clock_hz": 1e8}
    assert memory_words(part) == "ddr3-800x16 (DDR3-800E, 16 bits) at 100 MHz, 20 cycles away"
