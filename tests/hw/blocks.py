"""Descriptors of blocks, and the rows of their strips."""

from mnv2.hw.program import Work

__all__ = ["BLOCK", "HEAD", "STEM", "VARIANTS", "strips"]

#: A block of stride 1 whose three strips have 3, 3 and 2 rows.
BLOCK = {
    "input_rows": 8,
    "input_groups": 2,
    "input_tail": 5,
    "input_words": 3,
    "hidden_words": 7,
    "output_rows": 8,
    "output_groups": 2,
    "output_words": 4,
    "strip_rows": 3,
    "strip_output_words": 24,
    "parameter_words": 30,
    "input_base": 100,
    "input_end": 148,
    "output_base": 200,
    "output_end": 264,
    "steps": 3,
    "pad_top": 1,
    "pad_left": 1,
}
STEM = {
    **BLOCK,
    "stem": 1,
    "copy": 1,
    "hidden_words": 3,
    "image_rows": 16,
    "image_groups": 4,
    "image_steps": 4,
    "image_pad_top": 1,
    "image_pad_left": 1,
    "image_line": 50,
    "stem_steps": 7,
}
HEAD = {
    "work": Work.HEAD,
    "input_rows": 7,
    "input_groups": 1,
    "input_words": 40,
    "output_words": 160,
    "parameter_words": 160,
    "input_base": 10,
    "input_end": 290,
    "output_base": 300,
    "output_end": 460,
}

VARIANTS = {
    "stride 1": BLOCK,
    "one strip": {**BLOCK, "strip_rows": 8},
    "stride 2, padding at the top": {**BLOCK, "stride_2": 1, "output_rows": 4, "strip_rows": 2},
    "stride 2, padding at the bottom": {
        **BLOCK,
        "stride_2": 1,
        "output_rows": 4,
        "strip_rows": 3,
        "pad_top": 0,
        "pad_left": 0,
    },
    "odd rows": {**BLOCK, "stride_2": 1, "input_rows": 7, "output_rows": 4, "strip_rows": 1},
    "residual": {**BLOCK, "residual": 1, "output_words": 3},
    "copy": {**BLOCK, "copy": 1, "hidden_words": 3},
    "stored": {**BLOCK, "store": 1},
    "stem": STEM,
    "stem, padding at the bottom": {**STEM, "image_pad_top": 0, "image_pad_left": 0},
    "stem, padding at the bottom and left": {**STEM, "image_pad_top": 0},
    "stem, padding at the top and right": {**STEM, "image_pad_left": 0},
}


def strips(block):
    """(output rows from, to, input rows from, to) of each strip of a block."""
    above = block.get("pad_top", 0)
    bounds, first, taken = [], 0, 0
    while first < block["output_rows"]:
        end = min(first + block["strip_rows"], block["output_rows"])
        # The lowest row under the window of the strip's last output row; one past it is the bound.
        lowest = (end - 1) * (2 if block.get("stride_2") else 1) + 2 - above
        bounds.append((first, end, taken, lowest + 1))
        first, taken = end, lowest + 1
    return bounds
