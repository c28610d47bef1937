"""`mnv2 devices` lists every device and every board."""

import json

from typer.testing import CliRunner

from mnv2.sim import cli
from mnv2.sim.boards.board import load_boards
from mnv2.sim.cost.devices import load_devices


def invoke(*arguments):
    return CliRunner().invoke(cli.app, ["devices", *map(str, arguments)], env={"COLUMNS": "200"})


def test_all_are_listed():
    result = invoke()
    assert result.exit_code == 0
    rows = {line.split()[0] for line in result.stdout.splitlines() if line.split()}
    assert rows >= {*load_devices(), *load_boards()}
    for device in load_devices().values():
        assert all(alias in result.stdout for alias in device.aliases)


def test_one_of_them():
    device, board = load_devices()["K26"], load_boards()["kv260"]
    result = invoke("KV260")
    text = " ".join(result.stdout.split())
    assert f"{device.luts:,}" in text
    assert board.memory in text
    assert device.source.split(",")[0] in text
    assert "nexys" not in text


def test_as_json():
    content = json.loads(invoke("--json").stdout)
    assert list(content["devices"]) == list(load_devices())
    assert list(content["boards"]) == list(load_boards())
    assert list(json.loads(invoke("ulx3s-85f", "--json").stdout)["devices"]) == ["ECP5-85"]


def test_another_table_and_a_wrong_name(tmp_path):
    assert "did you mean K26" in invoke("kv261").stderr
    path = tmp_path / "devices.toml"
    path.write_text(
        '[Mine]\ntitle = "My device"\nfamily = "ecp5"\ndsp = 3\nsource = "me"\n'
        'memory = { board = "mine", bits = 8, megatransfers = 10 }\n'
    )
    assert "My device" in invoke("mine", "--devices", path).stdout
