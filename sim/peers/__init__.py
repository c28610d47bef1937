"""What other people's models say of the same work: run by `scripts/peers`, imported nowhere else.

Each tool runs in an environment of its own, is given files, and leaves files.
"""
