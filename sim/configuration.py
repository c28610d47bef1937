"""The accelerator's configuration as the user gives it: a preset or a file, then single changes."""

import dataclasses
from collections.abc import Sequence

from mnv2.hw.config import PRESETS, AcceleratorConfig
from mnv2.sim.errors import UserError
from mnv2.sim.jobs.files import read_toml

__all__ = ["check_buildable", "load_configuration"]

#: Rings that the hardware makes with two words or more.
_RINGS = ("weight_words", "tap_words", "parameter_words")


def load_configuration(choice: str = "base", settings: Sequence[str] = ()) -> AcceleratorConfig:
    """Read a configuration.

    Parameters
    ----------
    choice : str
        Name of a preset, or path of a TOML file whose keys are the options of
        `mnv2.hw.config.AcceleratorConfig`, and ``preset``, the name of the preset that has the
        other options (default ``"base"``).
    settings : sequence of str
        Changes to that, each ``option=integer``.

    Returns
    -------
    mnv2.hw.config.AcceleratorConfig

    Raises
    ------
    UserError
        If there is no such preset or file, an option is unknown, or the values do not fit together.

    Examples
    --------
    >>> import mnv2
    >>> mnv2.load_configuration("base", ["pixels=4"]).multipliers
    256
    """
    values = {}
    preset = choice
    if choice not in PRESETS:
        values = read_toml(
            choice,
            "configuration",
            missing=f"A configuration must be a preset ({', '.join(PRESETS)}) or a TOML file, "
            f"and there is no file {choice!r}",
        )
        preset = values.pop("preset", "base")
        if preset not in PRESETS:
            raise UserError(
                f"Preset in {choice!r} must be one of {', '.join(PRESETS)}, not {preset!r}"
            )
    if isinstance(settings, str):
        raise UserError(f"The settings must be a list, such as [{settings!r}], not {settings!r}")
    for setting in settings:
        name, separator, text = setting.partition("=")
        try:
            values[name.strip()] = int(text, 0)
        except ValueError:
            separator = ""
        if not separator:
            raise UserError(f"A setting must be option=integer, such as pixels=4, not {setting!r}")
    valid = [field.name for field in dataclasses.fields(AcceleratorConfig)]
    for name in values:
        if name not in valid:
            raise UserError(
                f"There is no configuration option {name!r}; the options are {', '.join(valid)}"
            )
    try:
        config = dataclasses.replace(PRESETS[preset], **values)
        check_buildable(config)
        return config
    except (TypeError, ValueError) as error:
        raise UserError(f"The configuration does not fit: {error}") from None


def check_buildable(config: AcceleratorConfig) -> None:
    """Refuse sizes that otherwise only the units or Verilator would refuse, when it is made.

    Parameters
    ----------
    config : mnv2.hw.config.AcceleratorConfig

    Raises
    ------
    ValueError
        If no accelerator can be built with it; see `mnv2.hw.axi.check_bursts` and
        `mnv2.hw.ring.Ring`.
    """
    # With bursts of one beat the write master has a counter without bits, which Verilog has not.
    if config.burst_beats < 2 or config.burst_beats & config.burst_beats - 1:
        raise ValueError(f"burst_beats must be a power of two, 2 or more, not {config.burst_beats}")
    for name in _RINGS:
        if getattr(config, name) < 2:
            raise ValueError(f"{name} must be at least 2, not {getattr(config, name)}")
