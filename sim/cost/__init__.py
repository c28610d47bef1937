"""What a design costs: resources of a device, a clock, energy a frame; computed, nothing is run."""
