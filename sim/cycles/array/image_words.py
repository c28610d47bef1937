"""Words of the image as the stem's line buffer takes them from the port."""

from mnv2.sim.cycles.port.interface import ACTIVATIONS, NEVER, ReadSide

__all__ = ["ImageWords", "is_there"]


class ImageWords:
    """The image, word by word.

    Parameters
    ----------
    reads : ReadSide or None
        None if the whole image is there and the port need not be told what is taken.
    begin : int
        Cycle in which the pass is asked for.
    ahead : int
        Words that the port already knows to be taken, before the core has stepped to them.

    Attributes
    ----------
    there : int
        Cycle from which the next word is there, as far as is known.
    due : int or None
        Cycle from which the core asks for the next word, if it does: the cause for which it waits
        depends on whether the word is there, even where the line buffer takes it later.
    takes, dues : list of int
        For each word that was stepped: the cycle in which it was taken, and the one from which it
        was asked for.
    """

    __slots__ = ("ahead", "due", "dues", "reads", "takes", "there")

    def __init__(self, reads: ReadSide | None, begin: int, ahead: int):
        self.reads, self.ahead = reads, ahead
        self.there = begin if reads is None or ahead else reads.when(ACTIVATIONS)
        self.due: int | None = None
        self.takes: list[int] = []
        self.dues: list[int] = []

    def is_late(self, cycle: int) -> bool:
        """Whether the next word is not there in a cycle."""
        if self.there == NEVER and self.reads is not None:
            self.reads.advance(cycle)
            self.there = self.reads.when(ACTIVATIONS)
        return self.there > cycle

    def wait(self, cycle: int) -> int:
        """Cycle, `cycle` or later, in which the next word is there; nothing happens until then."""
        if self.reads is not None and self.there > cycle:
            self.there = self.reads.wait(ACTIVATIONS, cycle)
        return max(self.there, cycle)

    def take_known(self, cycle: int) -> int:
        """Take a word without telling the port; returns the cycle from which the next is there."""
        if self.reads is None:
            return cycle
        self.ahead -= 1
        return cycle if self.ahead else self.reads.when(ACTIVATIONS)

    def take_rows(
        self, cycle: int, length: int, places: list[int], dues: list[int], rows: int
    ) -> int:
        """Take the words of rows that each go as the one before, as long as all are in time.

        Parameters
        ----------
        cycle : int
            In which the first of them begins.
        length : int
            Cycles of a row.
        places, dues : list of int
            When each word of a row is taken, and when it must be there, counted from its begin.
        rows : int
            At most that many.

        Returns
        -------
        int
            Rows whose words, and the word requested after the row, were all in time.
            Words of the next row may have been taken as well: they are ahead.
        """
        done = taken = 0
        while done < rows:
            begin = cycle + done * length
            if self.reads is None:
                self.takes += [begin + place for place in places]
                self.dues += [begin + due for due in dues]
            else:
                taken = self.reads.take_all(begin, places, ACTIVATIONS, dues)
                if taken < len(places) or (
                    self.due is not None and not is_there(self.reads, self.due + length)
                ):
                    break
            if self.due is not None:
                self.due += length
            done += 1
            taken = 0
        self.ahead = taken
        if self.reads is None or taken:
            self.there = cycle + done * length
        else:
            self.there = self.reads.when(ACTIVATIONS)
        return done


def is_there(reads: ReadSide, cycle: int) -> bool:
    """Whether the image's next word is there in a cycle."""
    reads.advance(cycle)
    return reads.when(ACTIVATIONS) <= cycle
