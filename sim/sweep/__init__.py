"""Sweeps: the accuracy lost to each fixed-point format, as tables, files and pictures."""
