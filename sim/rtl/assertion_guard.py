"""Assertions of generated Verilog, kept from synthesis."""

import re

__all__ = ["guard_assertions"]

#: A process of nothing but assertions, as Amaranth's back end writes it.
_PROCESS = re.compile(r"^  always @\(posedge \S+\) begin\n(?:    .*\n)+?  end\n", re.MULTILINE)
_ASSERTION = re.compile(r"^\s*assert \(", re.MULTILINE)


def guard_assertions(text: str) -> str:
    """Leave the processes of assertions out where the macro ``SYNTHESIS`` is defined.

    Synthesis tools define it. With it the text is Verilog-2005; assertions are SystemVerilog.

    Parameters
    ----------
    text : str
        From `mnv2.sim.rtl.verilog.convert` or `generate`.

    Returns
    -------
    str
        The same lines, and those of the guards.
    """

    def guard(match: re.Match[str]) -> str:
        process = match[0]
        if not _ASSERTION.search(process):
            return process
        return f"`ifndef SYNTHESIS\n{process}`endif\n"

    guarded = _PROCESS.sub(guard, text)
    inside = re.findall(r"`ifndef SYNTHESIS\n(.*?)`endif\n", guarded, re.DOTALL)
    found = sum(len(_ASSERTION.findall(part)) for part in inside)
    assert found == len(_ASSERTION.findall(text)), "An assertion was not in a process of its own"
    return guarded
