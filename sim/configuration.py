"""The accelerator's configuration as the user gives it: a preset or a file, then single changes."""

import dataclasses
import json
from collections.abc import Sequence

from mnv2.hw.config import PRESETS, AcceleratorConfig
from mnv2.sim.errors import UserError
from mnv2.sim.jobs.files import read_toml

__all__ = ["OPTION_KINDS", "load_configuration", "toml_value"]

#: Kind of each option of a configuration, by name: int, str or bool.
OPTION_KINDS = {field.name: field.type for field in dataclasses.fields(AcceleratorConfig)}

_SWITCHES = {"true": True, "false": False}


def load_configuration(choice: str = "base", settings: Sequence[str] = ()) -> AcceleratorConfig:
    """Read a configuration.

    Parameters
    ----------
    choice : str
        Name of a preset, or path of a TOML file whose keys are the options of
        `mnv2.hw.config.AcceleratorConfig`, and ``preset``, the name of the preset that has the
        other options (default ``"base"``).
    settings : sequence of str
        Changes to that, each ``option=value``: an integer, a word, or ``true`` or ``false``.

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
    >>> mnv2.load_configuration("base", ["packing=pixels", "counters=false"]).packing
    'pixels'
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
    for name in values:
        _check_option(name)
    for setting in settings:
        name, separator, text = (part.strip() for part in setting.partition("="))
        if not separator:
            raise UserError(
                f"A setting must be option=value, such as pixels=4 or packing=pixels, "
                f"not {setting!r}"
            )
        _check_option(name)
        values[name] = _read_value(name, text)
    try:
        return dataclasses.replace(PRESETS[preset], **values)
    except (TypeError, ValueError) as error:
        raise UserError(f"The configuration does not fit: {error}") from None


def toml_value(value: int | str | bool) -> str:
    """The value of an option as TOML has it."""
    # Integers, strings without control characters and booleans are the same in JSON.
    return json.dumps(value)


def _check_option(name: str) -> None:
    """Refuse an option that configurations do not have."""
    if name not in OPTION_KINDS:
        raise UserError(
            f"There is no configuration option {name!r}; the options are {', '.join(OPTION_KINDS)}"
        )


def _read_value(name: str, text: str) -> int | str | bool:
    """The value that a text means to an option; its range is the configuration's to check."""
    kind = OPTION_KINDS[name]
    if kind is str:
        return text
    if kind is bool:
        if text.lower() not in _SWITCHES:
            raise UserError(f"{name} must be true or false, not {text!r}")
        return _SWITCHES[text.lower()]
    try:
        return int(text, 0)
    except ValueError:
        raise UserError(f"{name} must be an integer, not {text!r}") from None
