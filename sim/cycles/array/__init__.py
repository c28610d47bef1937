"""The passes of the multiplier array, cycle by cycle."""
