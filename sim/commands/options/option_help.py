"""Options and presets of the accelerator, described for --set help and --config help."""

import inspect
import re
from typing import Any

import typer

from mnv2.hw.config import PRESETS, AcceleratorConfig

__all__ = ["option_words", "preset_words", "show_options", "show_presets"]

#: Value of an option that asks what it may be given.
HELP = "help"

#: What each preset is for.
PRESET_USES = {
    "tiny": "for tests",
    "small": "a small device",
    "base": "the default",
    "pair": "base with two frames abreast and a wider port",
    "large": "a large device",
}


def option_words() -> dict[str, tuple[str, str]]:
    """Kind and meaning of each option, as `mnv2.hw.config.AcceleratorConfig` documents them.

    Returns
    -------
    dict of str to (str, str)
        In the order of the options: ``int``, ``str`` or ``bool``, and sentences.
    """
    text = inspect.getdoc(AcceleratorConfig) or ""
    _, _, attributes = text.partition("Attributes\n----------\n")
    found: dict[str, tuple[str, str]] = {}
    for names, kind, words in re.findall(
        r"^(\w[\w, ]*) : (\w+)\n((?:    .*\n?)+)", attributes, re.M
    ):
        plain = re.sub(r":data:`(\w+)`", lambda match: _values(match[1]), words).replace("``", "")
        for name in names.split(", "):
            found[name] = kind, " ".join(plain.split())
    return found


def _values(name: str) -> str:
    """Values of a constant of `mnv2.hw.config`, in words."""
    from mnv2.hw import config

    value = getattr(config, name)
    return str(value) if isinstance(value, int) else ", ".join(map(str, value))


def preset_words() -> dict[str, str]:
    """The lanes and the port of each preset, and what it is for."""
    return {
        name: f"{config.outputs}x{config.inputs}x{config.pixels}"
        f"{f'x{config.frames}' if config.frames > 1 else ''} lanes of outputs, inputs and pixels"
        f"{' and frames' if config.frames > 1 else ''}, {config.multipliers:,} products a cycle, "
        f"{config.on_chip_bytes:,} bytes on chip, a port of {config.data_bits} bits: "
        f"{PRESET_USES[name]}"
        for name, config in PRESETS.items()
    }


def show_options(context: typer.Context, value: Any) -> Any:
    """Callback of --set: describe every option and end, if that is asked for."""
    if value and HELP in value and not context.resilient_parsing:
        from mnv2.sim.configuration import toml_value

        rows: dict[str, list[str]] = {}
        for name, (_, words) in option_words().items():
            rows.setdefault(words, []).append(name)
        _print(
            "Options of the accelerator, for --set and for files of --config",
            ("option", "base", "meaning"),
            [
                (
                    "\n".join(names),
                    "\n".join(toml_value(getattr(PRESETS["base"], name)) for name in names),
                    words,
                )
                for words, names in rows.items()
            ],
        )
        raise typer.Exit
    return value


def show_presets(context: typer.Context, value: Any) -> Any:
    """Callback of --config: describe every preset and board and end, if that is asked for."""
    asked = HELP in value if isinstance(value, (list, tuple)) else value == HELP
    if asked and not context.resilient_parsing:
        from mnv2.sim.boards.board import load_boards

        boards = {name: board.text for name, board in load_boards().items()}
        _print(
            "Accelerators, for --config: presets, boards, and files such as mnv2 explore writes",
            ("name", ""),
            list({**preset_words(), **boards}.items()),
        )
        raise typer.Exit
    return value


def _print(title: str, headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> None:
    """Print a table whose last column is folded."""
    from rich import box
    from rich.table import Table

    from mnv2.sim.commands.terminal.console import get_console

    table = Table(
        title=title, title_style="bold", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False
    )
    for heading in headings:
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_row(*row)
    get_console().print(table)
