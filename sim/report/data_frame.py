"""Data frames of the optional library pandas, and the files that they are written to."""

from pathlib import Path
from types import ModuleType
from typing import Any

from mnv2.sim.errors import UserError

__all__ = ["import_pandas", "write_frame"]


def import_pandas(what: str, extra: str) -> ModuleType:
    """The library pandas.

    Parameters
    ----------
    what : str
        Subject of the message where it is missing, such as ``"A sweep's tables"``.
    extra : str
        Extra of this package that installs it.

    Raises
    ------
    UserError
        If it is not installed.
    """
    try:
        import pandas
    except ImportError:
        raise UserError(f"{what} need pandas: pip install 'mnv2[{extra}]'") from None
    return pandas


def write_frame(frame: Any, path: Path, extra: str) -> None:
    """Write a data frame as .csv and as .parquet.

    Parameters
    ----------
    frame : pandas.DataFrame
    path : Path
        Of both files, without their endings.
    extra : str
        Extra of this package that installs what .parquet needs.

    Raises
    ------
    UserError
        If pyarrow is not installed.
    """
    frame.to_csv(path.with_suffix(".csv"), index=False, lineterminator="\n")
    try:
        frame.to_parquet(path.with_suffix(".parquet"), index=False)
    except ImportError:
        raise UserError(f"A .parquet file needs pyarrow: pip install 'mnv2[{extra}]'") from None
