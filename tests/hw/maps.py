"""Maps as the line buffer takes them: commands, words in step order, and the windows expected."""

from dataclasses import dataclass

import numpy as np

__all__ = ["Geometry", "line_commands", "map_words", "output_words", "windows"]


@dataclass(frozen=True)
class Geometry:
    """A map under a 3x3 kernel, cut into words.

    Attributes
    ----------
    rows, columns
        Size of the map in pixels.
    words
        Channel words of the map.
    stride
        1 or 2.
    pad_top, pad_left
        Padding of the rows and of the columns is (1, 1), else (0, 1).
    strips
        Output rows of each command; their sum is ``output_rows``. None: one command for all rows.
    """

    rows: int
    columns: int
    words: int = 1
    stride: int = 1
    pad_top: bool = True
    pad_left: bool = True
    strips: tuple[int, ...] | None = None

    @property
    def pads(self):
        """((top, bottom), (left, right))."""
        return (int(self.pad_top), 1), (int(self.pad_left), 1)

    @property
    def output_rows(self):
        """Rows of the output."""
        return (self.rows + sum(self.pads[0]) - 3) // self.stride + 1

    @property
    def output_columns(self):
        """Columns of the output."""
        return (self.columns + sum(self.pads[1]) - 3) // self.stride + 1

    def groups(self, pixels):
        """Groups of pixels in a row of the map."""
        return -(-self.columns // pixels)

    def output_groups(self, pixels):
        """Groups of pixels in a row of the output."""
        return -(-self.output_columns // pixels)

    def steps(self, pixels):
        """Groups that the line buffer steps through in a row."""
        return self.stride * self.output_groups(pixels) + (self.stride == 1 or not self.pad_left)

    def row_ranges(self):
        """(first output row, its end, first input row, its end) of each command."""
        strips = self.strips or (self.output_rows,)
        assert sum(strips) == self.output_rows
        ranges, output_row, row = [], 0, 0
        for strip in strips:
            output_end = output_row + strip
            # The row in which the last output row leaves is the last to step through.
            end = output_end + 1 if self.stride == 1 else 2 * output_end + (not self.pad_top)
            ranges.append((output_row, output_end, row, end))
            output_row, row = output_end, end
        return ranges


def line_commands(geometry, pixels, padding, line=0):
    """Commands of a map, as initialisers of ``LineCommand``."""
    return [
        {
            "first_row": row,
            "end_row": end,
            "rows": geometry.rows,
            "groups": geometry.groups(pixels),
            "steps": geometry.steps(pixels),
            "words": geometry.words,
            "tail": geometry.columns - pixels * (geometry.groups(pixels) - 1),
            "stride_2": int(geometry.stride == 2),
            "pad_top": int(geometry.pad_top),
            "pad_left": int(geometry.pad_left),
            "padding": padding,
            "line": line,
        }
        for _, _, row, end in geometry.row_ranges()
    ]


def _step_order(words, tile_words, rows, groups):
    """Yield (row, group, word): by tile of channel words, row, group, channel word."""
    for tile in range(0, words, tile_words):
        for row in rows:
            for group in range(groups):
                for word in range(tile, min(tile + tile_words, words)):
                    yield row, group, word


def map_words(geometry, activation, *, channels, pixels, tile_words, filler):
    """Words of a map in step order, for each command.

    Parameters
    ----------
    activation : int [H, W, C]
    filler : numpy.random.Generator
        Draws what lies beyond the end of a row, which the hardware is to replace.

    Returns
    -------
    list of int64 [N, pixels, channels]
    """
    low, high = int(activation.min()), int(activation.max())
    width = pixels * geometry.groups(pixels)
    filled = filler.integers(low, high + 1, (geometry.rows, width, activation.shape[2]))
    filled[:, : geometry.columns] = activation
    return [
        np.array(
            [
                filled[
                    row,
                    pixels * group : pixels * (group + 1),
                    channels * word : channels * (word + 1),
                ]
                for row, group, word in _step_order(
                    geometry.words,
                    tile_words,
                    range(row, min(end, geometry.rows)),
                    geometry.groups(pixels),
                )
            ],
            np.int64,
        ).reshape(-1, pixels, channels)
        for _, _, row, end in geometry.row_ranges()
    ]


def windows(geometry, activation, padding):
    """3x3 windows of a map: int [H', W', C, 3, 3]."""
    padded = np.pad(activation, (*geometry.pads, (0, 0)), constant_values=padding)
    view = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(0, 1))
    return view[:: geometry.stride, :: geometry.stride]


def output_words(geometry, values, *, channels, pixels, tile_words):
    """Words of the output in the order in which they leave, for each command.

    Parameters
    ----------
    values : int [H', W', C, ...]
        What to cut into words; any trailing axes stay with the element.

    Returns
    -------
    list of list of (step, word, address, int [pixels, channels, ...])
        ``step`` is the number of the step in the command that completes the word; a word at the end
        of a row has fewer pixels.
    """
    steps, results = geometry.steps(pixels), []
    for output_row, output_end, first_row, end in geometry.row_ranges():
        order = {
            position: step
            for step, position in enumerate(
                _step_order(geometry.words, tile_words, range(first_row, end), steps)
            )
        }
        command = []
        groups = geometry.output_groups(pixels)
        for row, group, word in _step_order(
            geometry.words, tile_words, range(output_row, output_end), groups
        ):
            last = [
                index + 1 if geometry.stride == 1 else 2 * index + 1 + (not padded)
                for index, padded in ((row, geometry.pad_top), (group, geometry.pad_left))
            ]
            address = ((row - output_row) * groups + group) * geometry.words + word
            command.append(
                (
                    order[(*last, word)],
                    word,
                    address,
                    values[
                        row,
                        pixels * group : pixels * (group + 1),
                        channels * word : channels * (word + 1),
                    ],
                )
            )
        results.append(command)
    return results
