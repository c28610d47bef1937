"""Words on their way to the line buffer: of an expansion, of a copied map, or of an image."""

from amaranth import *
from amaranth.lib import fifo, stream, wiring
from amaranth.lib.wiring import In, Out

from .arguments import check_integer

__all__ = ["LineInput"]


class LineInput(wiring.Component):
    """Queue of words before the line buffer, and a way around it for the words of an image.

    Words of an image and words of the queue never wait at the same time.

    Parameters
    ----------
    word : ShapeLike
        A word.
    queue_words : int
        Words that wait; more must not be given.

    Members
    -------
    expanded_valid, expanded
        Words of an expansion.
    copied_valid, copied
        Words of a map that is copied, never in a cycle with those of an expansion.
    i_image
        Words of an image.
    taken
        A word has left the queue.
    o
        Words for the line buffer.
    """

    def __init__(self, *, word, queue_words):
        check_integer("Queue words", queue_words)
        self.word        = word
        self.queue_words = queue_words
        super().__init__({
            "expanded_valid": In(1),
            "expanded":       In(word),
            "copied_valid":   In(1),
            "copied":         In(word),
            "i_image":        In(stream.Signature(word)),
            "taken":          Out(1),
            "o":              Out(stream.Signature(word)),
        })

    def elaborate(self, platform):
        m = Module()
        m.submodules.queue = queue = fifo.SyncFIFO(
            width=Shape.cast(self.word).width, depth=self.queue_words)
        m.d.comb += [
            queue.w_en.eq(self.expanded_valid | self.copied_valid),
            queue.w_data.eq(Mux(self.copied_valid, self.copied, self.expanded)),
            self.o.valid.eq(self.i_image.valid | queue.r_rdy),
            self.i_image.ready.eq(self.o.ready),
            queue.r_en.eq(self.o.ready & ~self.i_image.valid),
            self.taken.eq(queue.r_rdy & queue.r_en),
        ]
        with m.If(self.i_image.valid):
            m.d.comb += self.o.payload.eq(self.i_image.payload)
        with m.Else():
            m.d.comb += self.o.payload.eq(queue.r_data)
        return m
