"""The integer model on a GPU, through PyTorch and Triton: equal to `mnv2.golden.ops` everywhere."""
