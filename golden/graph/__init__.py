"""A graph of LiteRT's int8 operators, run in the arithmetic of its reference kernels."""
