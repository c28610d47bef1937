"""The one exception that reaches the person at the terminal."""

__all__ = ["UserError"]


class UserError(Exception):
    """Something the user can mend, said in one sentence.

    The command line prints the message on standard error, without a traceback, and exits with
    status 2. Libraries raise `ValueError` and `TypeError`; the layer that knows what the user asked
    for turns them into this.
    """
