"""Predictions of other tools for the same network, and LiteRT's speed, to compare with.

`mnv2 lab peers` and `mnv2 lab benchmark` import it, nothing else does, and it is not in the wheel.
The tools run in an environment of their own: they read files and write files.
"""
