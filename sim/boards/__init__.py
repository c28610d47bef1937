"""Boards: the accelerator that suits one best, with its device, its memory and a clock."""
