"""Where the figures of a design come from."""

__all__ = ["figure_source"]


def figure_source(figure):
    """``predicted`` by the cycle model, ``estimated`` from structure, or ``measured`` by a sweep.

    Parameters
    ----------
    figure : sim.explore.objectives.Figure

    Returns
    -------
    str
    """
    if figure.name == "accuracy":
        return "measured by a sweep"
    return "estimated" if figure.costs or figure.name == "energy" else "predicted"
