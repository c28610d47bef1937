"""Results of Yosys are written as they were read."""

from mnv2.sim.cost import synthesised
from mnv2.sim.cost.synthesised import load_results
from mnv2.sim.synthesis.kept_results import read_results, write_results


def test_results_are_written_as_they_are(tmp_path):
    write_results(tmp_path / "again.json", load_results())
    assert (tmp_path / "again.json").read_bytes() == synthesised.RESULTS.read_bytes()
    assert read_results(tmp_path / "again.json") == load_results()
    assert read_results(tmp_path / "none.json") == {}
