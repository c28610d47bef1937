"""Published errors of comparable models of accelerators.

`mnv2 validate` shows them next to its own differences. The figures are those of their authors, for
other networks and other machines: nothing here was measured by this project.
"""

from dataclasses import asdict, dataclass

from mnv2.sim.report.wide_table import WideTable

__all__ = ["PUBLISHED", "PublishedError", "largest_error", "published_records", "published_table"]

_SURVEY = "this project's survey of the field, which gives the figure without its place"


@dataclass(frozen=True)
class PublishedError:
    """One published figure.

    Attributes
    ----------
    model : str
        The model of cycles.
    error : str
        Its error, as published.
    held_to : str
        The measurement that it was compared with.
    source : str
    """

    model: str
    error: str
    held_to: str
    source: str


PUBLISHED = (
    PublishedError("Timeloop", "14 to 48 %", "Gemmini's RTL", _SURVEY),
    PublishedError(
        "ZigZag's latency model",
        "5.7 % on average",
        "a chip, layer by layer",
        "Mei et al., A Uniform Latency Model for DNN Accelerators with Diverse "
        "Architectures and Dataflows, DATE 2022, abstract",
    ),
    PublishedError(
        "Stream",
        "compute 0.2 %, end to end 1.6 times, waits 2.2 times too few",
        "its own calibration",
        _SURVEY,
    ),
    PublishedError("the best found", "-0.2 %", "its own RTL", _SURVEY),
)


def largest_error(pairs):
    """Largest error of predicted cycles.

    Parameters
    ----------
    pairs : sequence of (int, int)
        Cycles predicted and measured, of each row.

    Returns
    -------
    float
        Signed share of the measured cycles; 0 where all are equal.
    """
    return max(((one - other) / other for one, other in pairs), key=abs, default=0.0)


def published_table(pairs):
    """Render this project's error, as just measured, above those of others.

    Parameters
    ----------
    pairs : sequence of (int, int)
        See `largest_error`.

    Returns
    -------
    mnv2.sim.report.wide_table.WideTable
    """
    error = largest_error(pairs)
    table = WideTable("Errors of cycle models")
    for heading in ("model", "off by", "held to"):
        table.add_column(heading)
    table.add_row(
        "this one, worst row, as measured now",
        f"{error:+.2%}" if error else "0",
        "its RTL, every row",
        style="bold",
    )
    for one in PUBLISHED:
        table.add_row(f"{one.model}, published", one.error, one.held_to)
    table.caption = (
        "Published errors are of other networks on other machines; report.json names "
        "where each stands."
    )
    return table


def published_records():
    """The figures of others in values that JSON holds."""
    return [asdict(one) for one in PUBLISHED]
