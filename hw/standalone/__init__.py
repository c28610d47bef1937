"""Convolution units that work alone, each a stream in and a stream out."""
