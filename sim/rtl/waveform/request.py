"""The waveform that is asked of a run."""

from dataclasses import dataclass
from pathlib import Path

from mnv2.sim.rtl.waveform.scope import WaveScope
from mnv2.sim.rtl.waveform.window import Window

__all__ = ["Waves"]


@dataclass(frozen=True)
class Waves:
    """A waveform, or one for each block, to be written.

    Attributes
    ----------
    place : Path
        The file, whose suffix is replaced by the format's; a folder, where blocks run alone.
    scope : WaveScope
    window : Window, optional
        When it is written; by default from power-up to the end.
    """

    place: Path
    scope: WaveScope = WaveScope.STREAMS
    window: Window | None = None
