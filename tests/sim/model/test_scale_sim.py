"""SCALE-Sim's closed form gives what SCALE-Sim gave."""

from golden.network import mobilenet_v2
from sim.model.scale_sim import scale_sim_cycles


def test_mobilenet_on_512_multipliers():
    """SCALE-Sim 3.0.0, 16x32: 2.56 million cycles, of which 1.54 are for depthwise layers."""
    layers = mobilenet_v2().layers
    cycles = [scale_sim_cycles(layer, 16, 32) for layer in layers]
    depthwise = [one for one, layer in zip(cycles, layers, strict=True)
                 if layer.kind == "depthwise"]
    assert sum(cycles) == 2_556_073
    assert sum(depthwise) == 1_543_627
    assert cycles[[layer.kind for layer in layers].index("pool")] == 0
