"""Integer arithmetic in float32 form, for batches: equal to `golden.ops` in every element."""
