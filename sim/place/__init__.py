"""Whole accelerators placed and routed by open tools: clock, use of the device, worst paths."""
