"""The driver of the accelerator: C99 for a board, with and without Linux, and Python for PYNQ."""
