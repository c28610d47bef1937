"""Pixels as they are decoded to the integers that a model takes, by one table for each channel."""

import numpy as np
import torch


def look_up_eager(pixels, table):
    """The integer images [N, H, W, 3] of uint8 pixels, by table [256, 3], in plain torch."""
    channels = torch.arange(3, device=pixels.device)
    return table[pixels.to(torch.int64), channels]


def check_table(table, kind):
    """Refuse a table that is not [256, 3] of the model's input type."""
    if table.shape != (256, 3) or table.dtype != np.dtype(kind):
        raise ValueError(
            f"A table of pixels must be {np.dtype(kind)} (256, 3), "
            f"not {table.dtype} {table.shape!r}"
        )
