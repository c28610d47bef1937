"""A small network and a small space of designs, for searches that take seconds."""

from mnv2.golden.network import build_network
from mnv2.sim.explore.objectives import DEFAULT_OBJECTIVES
from mnv2.sim.explore.request import SearchRequest, prepare_search
from mnv2.sim.explore.space import Space, choose_space

TABLE = ((1, 8, 1, 1), (3, 8, 2, 2), (2, 16, 1, 2))
SPACE = (
    "outputs=12,16,24",
    "inputs=4,8",
    "pixels=1,2,4",
    "frames=1",
    "packing=none",
    "residual_lanes=4",
    "multipliers_in_luts=false",
    "padded_words=false",
    "map_share=0,1",
    "strip_factor=1",
    "weight_factor=1",
    "data_bits=64,128",
)


def small_network():
    """Four blocks on an image of 32 x 32 pixels."""
    return build_network(TABLE, stem_channels=8, head_channels=32, classes=10, input_size=32)


def small_space(*variations):
    """48 combinations, of which some are no designs."""
    return choose_space("small", (*SPACE, *variations))


def small_request(*variations, objectives=DEFAULT_OBJECTIVES, space=None, **options):
    """A request for that space."""
    values = (space or small_space(*variations)).values
    return SearchRequest(space=values, objectives=tuple(objectives), **options)


def prepare_small(*variations, network=None, **options):
    """A prepared search of the small network."""
    return prepare_search(small_request(*variations, **options), network or small_network())


def single(**values):
    """A space of one design; other axes as in the small space's first point."""
    first = next(iter(small_space().points()))
    return Space({name: (value,) for name, value in {**first, **values}.items()})
