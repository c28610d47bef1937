"""Progress of long work, as whoever does the work tells it."""

from typing import Protocol

__all__ = ["CampaignProgress", "Silence"]


class CampaignProgress(Protocol):
    """Shows how far a sweep or a search is."""

    def count(self, what: str, done: int, total: int) -> None:
        """Show how much of the work before the results is done, such as pictures decoded."""

    def results(self, done: int, total: int, last: str = "") -> None:
        """Show how many results of at most ``total`` are kept; ``last`` names one made now."""

    def best(self, words: str) -> None:
        """Show what the best results so far are."""


class Silence:
    """Progress that nobody sees."""

    def count(self, what: str, done: int, total: int) -> None:
        """Show nothing."""

    def results(self, done: int, total: int, last: str = "") -> None:
        """Show nothing."""

    def best(self, words: str) -> None:
        """Show nothing."""
