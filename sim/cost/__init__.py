"""Cost of a design: resources of a device, a clock, energy of a frame; computed, nothing is run."""
