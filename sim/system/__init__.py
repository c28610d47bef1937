"""The accelerator in a system: in a LiteX SoC that is simulated, and in Vivado's block designs."""
