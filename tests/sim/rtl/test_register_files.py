"""The registers in other languages: SystemRDL by its reference compiler, C by a compiler."""

import shutil
import subprocess

import pytest

from mnv2.hw.config import COUNTER_ROWS, COUNTERS, PRESETS
from mnv2.hw.identity import constant_registers
from mnv2.hw.register_map import COUNTER_OFFSET, COUNTER_ROW_BYTES, REGISTERS, Status
from mnv2.sim.rtl.register_header import register_header
from mnv2.sim.rtl.system_rdl import system_rdl

CONFIG = PRESETS["pair"]


@pytest.fixture(scope="module")
def compiled(tmp_path_factory):
    """The SystemRDL text as its compiler understands it."""
    systemrdl = pytest.importorskip("systemrdl")
    path = tmp_path_factory.mktemp("rdl") / "accelerator.rdl"
    path.write_text(system_rdl(CONFIG), encoding="utf-8")
    compiler = systemrdl.RDLCompiler()
    compiler.compile_file(str(path))
    return compiler.elaborate().top


def access_of(field):
    """Access of a field in the table's words."""
    if not field.is_sw_readable:
        return "wo"
    if not field.is_sw_writable:
        return "ro"
    onwrite = field.get_property("onwrite")
    return "rw" if onwrite is None else {"woclr": "w1c"}[onwrite.name]


def test_the_rdl_says_what_the_hardware_is(compiled):
    """Every address, field, access and value after reset; and nothing else before the counters."""
    from systemrdl.node import RegNode

    nodes = {node.inst_name: node for node in compiled.children() if isinstance(node, RegNode)}
    assert list(nodes) == list(REGISTERS)
    constants = constant_registers(CONFIG)
    for name, register in REGISTERS.items():
        node = nodes[name]
        assert node.absolute_address == register.address
        assert node.get_property("regwidth") == 32
        assert node.get_property("desc") == register.meaning
        fields = list(node.fields())
        assert [(one.inst_name, one.low, one.width) for one in fields] == [
            (one.name, one.low, one.width) for one in register.fields
        ]
        value = constants.get(name, register.reset)
        for one, field in zip(fields, register.fields, strict=True):
            assert access_of(one) == register.access, name
            assert one.get_property("reset") == value >> field.low & (1 << field.width) - 1
            assert one.get_property("singlepulse") == (register.access == "wo")
    encoding = nodes["STATUS"].get_child_by_name("STATUS").get_property("encode")
    assert {member.name: member.value for member in encoding} == {
        status.name: status.value for status in Status
    }


def test_the_rdl_has_every_counter(compiled):
    rows = compiled.get_child_by_name("COUNTERS")
    assert rows.raw_address_offset == COUNTER_OFFSET
    assert rows.array_dimensions == [COUNTER_ROWS]
    assert rows.array_stride == COUNTER_ROW_BYTES
    for part, offset in (("BLOCK", 0), ("STEM", COUNTER_ROW_BYTES // 2)):
        found = {
            node.inst_name.lower(): node.address_offset
            for node in rows.get_child_by_name(part).registers()
        }
        assert found == {name: 4 * column for column, name in enumerate(COUNTERS)}
        assert rows.get_child_by_name(part).address_offset == offset


@pytest.mark.parametrize("exporter", ["cheader", "html", "ipxact"])
def test_peakrdl_takes_it(compiled, tmp_path, exporter):
    pytest.importorskip(f"peakrdl_{exporter}")
    if exporter == "html":
        from peakrdl_html import HTMLExporter

        HTMLExporter().export(compiled, str(tmp_path / "html"))
        assert (tmp_path / "html" / "index.html").is_file()
    elif exporter == "ipxact":
        from peakrdl_ipxact import IPXACTExporter

        IPXACTExporter().export(compiled, str(tmp_path / "accelerator.xml"))
        text = (tmp_path / "accelerator.xml").read_text()
        for name in REGISTERS:
            assert f"<ipxact:name>{name}</ipxact:name>" in text
    else:
        from peakrdl_cheader.exporter import CHeaderExporter

        CHeaderExporter().export(compiled, str(tmp_path / "accelerator.h"))
        assert "CONFIGURATION_HASH" in (tmp_path / "accelerator.h").read_text()


def test_the_header_has_the_same_addresses_and_values(tmp_path):
    """Compiled, with every warning an error, against the table's numbers."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        pytest.skip("there is no C compiler")
    (tmp_path / "mnv2_registers.h").write_text(register_header())
    checks = []
    for name, register in REGISTERS.items():
        checks.append(f"MNV2_REG_{name} == {register.address}u")
        for field in register.fields:
            mask = (1 << field.width) - 1
            checks.append(f"MNV2_{name}_{field.name}_SHIFT == {field.low}u")
            checks.append(f"MNV2_{name}_{field.name}_MASK >> {field.low} == {mask}u")
            checks.append(f"MNV2_FIELD(0xFFFFFFFFu, {name}_{field.name}) == {mask}u")
    checks += [f"MNV2_STATUS_{status.name} == {status.value}u" for status in Status]
    checks += [
        f"MNV2_COUNTER_OFFSET + 4 * MNV2_COUNTER_{name.upper()} == {COUNTER_OFFSET + 4 * column}u"
        for column, name in enumerate(COUNTERS)
    ]
    lines = ['#include "mnv2_registers.h"']
    lines += [f"typedef char check_{k}[({text}) ? 1 : -1];" for k, text in enumerate(checks)]
    (tmp_path / "check.c").write_text("\n".join([*lines, "int main(void) { return 0; }", ""]))
    options = ["-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-fsyntax-only"]
    done = subprocess.run(
        [compiler, *options, tmp_path / "check.c"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
