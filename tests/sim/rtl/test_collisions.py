"""No unit of the core uses a word of a memory that is read in the cycle in which it is written.

Synthesis may rely on it (`mnv2.sim.synthesis.whole_netlist`): such a word is then anything. Here it
is every bit wrong, in the assembled RTL, and the results stay those of the golden model.
"""

import re

import pytest

from mnv2.sim.rtl import simulate
from mnv2.sim.rtl.check import Mismatch
from mnv2.sim.rtl.memory_model import MemoryModel
from mnv2.sim.rtl.run_network import run_network
from tests.sim.rtl.machines import MACHINES, model_and_tensors, network_of

#: Blocks with a residual, one of stride 2 and one without expansion.
NETWORK = network_of([(1, 8, 1, 1), (3, 8, 1, 1), (3, 8, 2, 2)], 20)

#: A memory with a clocked read: its name, when and where it is written, when and where it is read.
MEMORY = re.compile(
    r"  reg \[(?P<top>\d+):0\] (?P<name>\w+) \[\d+:0\];\n"
    r"(?:  initial begin\n(?:    .*\n)*?  end\n)?"
    r"  always @\(posedge clk\) begin\n"
    r"    if \((?P<write>.+)\)\n"
    r"      (?P=name)\[(?P<written>.+)\] <= .+;\n"
    r"  end\n"
    r"  reg \[(?P=top):0\] (?P<data>\w+);\n"
    r"  always @\(posedge clk\) begin\n"
    r"(?:    if \(.+\) begin\n  )?"
    r"    (?P=data) <= (?P<word>(?P=name)\[(?P<read>.+)\]);\n"
)

#: Clocked memories of the core: map, strip, lines, and the rings of weights, taps and parameters.
COUNT = 6


def spoil(text, condition):
    """Verilog whose core reads words with every bit wrong under a condition, and how many do."""
    pieces = re.split(r"(?m)^(?=module )", text)
    count = 0
    for number, piece in enumerate(pieces):
        if not re.match(r"module \\accelerator\.core[. ]", piece):
            continue
        for found in list(MEMORY.finditer(piece)):
            wrong = condition.format(**found.groupdict())
            read = f"{found['word']} ^ {{{int(found['top']) + 1}{{{wrong}}}}};"
            changed = found[0].replace(f"<= {found['word']};", f"<= {read}")
            assert changed != found[0]
            piece = piece.replace(found[0], changed)
            count += 1
        pieces[number] = piece
    return "".join(pieces), count


@pytest.fixture
def run(monkeypatch):
    """Run a small network on a machine whose memories are spoiled under a condition."""
    generate = simulate.generate

    def run(name, condition, **memory):
        def generate_spoiled(*arguments, **parameters):
            text, count = spoil(generate(*arguments, **parameters), condition)
            assert count == COUNT
            return text

        monkeypatch.setattr(simulate, "generate", generate_spoiled)
        model, tensors = model_and_tensors(MACHINES[name], NETWORK, 3)
        return run_network(model, tensors, config=MACHINES[name], memory=MemoryModel(**memory))

    return run


@pytest.mark.parametrize("name", ["tiny", "narrow"])
@pytest.mark.parametrize("memory", [{}, {"stall_percent": 30, "latency": 7}])
def test_words_that_are_read_while_they_are_written_are_not_used(run, name, memory):
    assert run(name, "(({write}) && ({read}) == ({written}))", **memory).cycles > 1000


def test_a_spoiled_word_is_seen(run):
    """Words that are used, those of one address, whether they are written or not."""
    with pytest.raises(Mismatch):
        run("tiny", "({read} == 3)")
