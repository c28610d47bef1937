"""Logs of tools that failed."""

__all__ = ["tail"]


def tail(log, lines=15):
    """Last lines of a log.

    Parameters
    ----------
    log : Path
    lines : int
        Number of them.

    Returns
    -------
    str
    """
    text = log.read_text(errors="replace").strip() if log.is_file() else ""
    return "\n".join(text.splitlines()[-lines:]) or "(nothing)"
