"""LiteDRAM's RTL as a judge of the memory model: its controller, PHY and chips in the testbench."""
