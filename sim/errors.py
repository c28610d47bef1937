"""The exceptions that reach the person at the terminal."""

__all__ = ["SimulationError", "UserError"]


class UserError(Exception):
    """An error that the user can correct, in one sentence.

    The command line prints the message on standard error, without a traceback, and exits with
    status 2. Libraries raise `ValueError` and `TypeError`; the layer that knows the user's request
    turns them into this.
    """


class SimulationError(RuntimeError):
    """The hardware or its simulation is wrong; the message has the details.

    A cocotb test failed, none ran, the simulator died, or a result differs from golden. The command
    line prints the message and exits with status 1.
    """
