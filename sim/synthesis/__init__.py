"""Yosys and nextpnr: netlists mapped, units placed and routed, costs calibrated."""
