"""What others publish of the distance between a model of an accelerator and the accelerator.

They stand beside the differences of `mnv2 validate` and say what is usual. The figures are those of
their authors, for other networks and other machines: nothing here was measured by this project.
"""

from dataclasses import asdict, dataclass

__all__ = ["PUBLISHED", "PublishedError", "published_line", "published_records"]

_SURVEY = "this project's survey of the field, which gives the figure without its place"


@dataclass(frozen=True)
class PublishedError:
    """One published figure.

    Attributes
    ----------
    model : str
        The model of cycles.
    error : str
        How far it is off, as published.
    held_to : str
        What it was held to.
    source : str
    """

    model:   str
    error:   str
    held_to: str
    source:  str


PUBLISHED = (
    PublishedError("Timeloop", "14 to 48 %", "Gemmini's RTL", _SURVEY),
    PublishedError("ZigZag's latency model", "5.7 % on average", "a chip, layer by layer",
                   "Mei et al., A Uniform Latency Model for DNN Accelerators with Diverse "
                   "Architectures and Dataflows, DATE 2022, abstract"),
    PublishedError("Stream", "compute 0.2 %, end to end 1.6 times, waits 2.2 times too few",
                   "its own calibration", _SURVEY),
    PublishedError("the best found", "-0.2 %", "its own RTL", _SURVEY),
)


def published_line():
    """The figures in one sentence.

    Returns
    -------
    str
    """
    return "Published, of other models (of other machines): " + "; ".join(
        f"{one.model}, {one.error}, against {one.held_to}" for one in PUBLISHED) + "."


def published_records():
    """The figures in values that JSON holds."""
    return [asdict(one) for one in PUBLISHED]
