"""The accelerator as a FuseSoC core.

Ref: FuseSoC 2.4 documentation, CAPI2 reference.
"""

import json
import re

from mnv2.sim.rtl.build import LINT_WAIVERS

__all__ = ["core_description"]


def core_description(*, name, version, description, verilog_file, top):
    """Text of a core file with the targets ``default`` and ``lint``.

    Parameters
    ----------
    name : str
        Name of the core; letters, digits and underscores.
    version : str
        Its version, such as ``"0.1.0"``.
    description : str
        One line.
    verilog_file : str
        Name of the Verilog file, in the folder of the core file.
    top : str
        Name of the top module.

    Returns
    -------
    str
        CAPI2, which is YAML.

    Raises
    ------
    ValueError
        If the name cannot be one.
    """
    if not re.fullmatch(r"\w+", name):
        raise ValueError(f"Name of a core must be letters, digits and underscores, not {name!r}")
    # As top module its ports become C++ names, one of which Verilator finds unfortunate.
    waivers = ", ".join((*LINT_WAIVERS, "-Wno-SYMRSVDWORD"))
    return f"""\
CAPI=2:

name: mnv2::{name}:{version}
description: {json.dumps(description)}

filesets:
  rtl:
    files: [{verilog_file}]
    # Assertions are in it; synthesis leaves them out.
    file_type: systemVerilogSource

targets:
  default: &default
    filesets: [rtl]
    toplevel: {top}

  lint:
    <<: *default
    description: Verilator as linter
    flow: lint
    flow_options:
      tool: verilator
      verilator_options:
        [{waivers}]
"""
