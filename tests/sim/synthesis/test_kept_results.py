"""Results of Yosys are kept with short paths, and written as they were read."""

import json

from mnv2.sim.cost import synthesised
from mnv2.sim.cost.synthesised import load_results
from mnv2.sim.synthesis.kept_results import read_results, reduce_result, write_results
from mnv2.sim.synthesis.yosys import netlist_hash


def test_results_are_written_as_they_are(tmp_path):
    write_results(tmp_path / "again.json", load_results())
    assert (tmp_path / "again.json").read_bytes() == synthesised.RESULTS.read_bytes()
    assert read_results(tmp_path / "again.json") == load_results()
    assert read_results(tmp_path / "none.json") == {}


def test_paths_are_short():
    result = {
        "total": {"luts": 3},
        "units": {"accelerator": {"luts": 1}, "accelerator.core.parameters$213": {"luts": 2}},
        "memories": {"accelerator.core.parameters$213.storage": "block RAM"},
        "cells": {"LUT6": 3},
        "seconds": 5,
    }
    kept = reduce_result(result, "module accelerator; endmodule")
    assert kept["units"] == {"": {"luts": 1}, "core.parameters": {"luts": 2}}
    assert kept["memories"] == {"core.parameters.storage": "block RAM"}
    assert kept["verilog_sha256"] == netlist_hash("module accelerator; endmodule")
    assert "cells" not in kept
    assert json.dumps(kept)
