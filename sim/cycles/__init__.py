"""A model of the accelerator: cycles, waits and bytes of any configuration, without a simulator."""
