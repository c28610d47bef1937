"""The accelerator's C driver: its generated headers, its files, and the bench in which it drives the RTL."""
