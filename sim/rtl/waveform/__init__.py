"""Waveforms of the accelerator: what is traced, when, and how viewers show it."""
