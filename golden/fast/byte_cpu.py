"""Whether this CPU multiplies bytes four at a time; importing this needs numba."""

import llvmlite.binding
import numba  # noqa: F401

__all__ = ["cpu_has_them"]

#: Instructions that `mnv2.golden.fast.vector_code` is written in.
_NEEDED = ("avx512f", "avx512bw", "avx512vl", "avx512vnni")


def cpu_has_them() -> bool:
    """Whether this CPU has the instructions."""
    features = llvmlite.binding.get_host_cpu_features()
    return all(features.get(name, False) for name in _NEEDED)
