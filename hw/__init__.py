"""The accelerator in Amaranth HDL: one unit a file, joined by streams."""
