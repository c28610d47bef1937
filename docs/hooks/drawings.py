"""The drawings of the documentation: `python docs/hooks/drawings.py` writes them into docs/.

Each is an SVG with a ground of its own, so that it can be read on a light and on a dark page; its
colours follow what the reader's system prefers.
"""

from pathlib import Path

__all__ = ["DRAWINGS", "draw_accelerator", "draw_block"]

#: Classes of boxes and lines: (light, dark) fill and stroke.
_COLORS = {
    "ground": ("#ffffff", "#161b22", "#d0d7de", "#30363d"),
    "frame": ("none", "none", "#57606a", "#8b949e"),
    "control": ("#f4f6f8", "#21262d", "#57606a", "#8b949e"),
    "port": ("#fff8c5", "#3a2f0b", "#9a6700", "#d29922"),
    "memory": ("#ddf4ff", "#0c2d4a", "#0969da", "#58a6ff"),
    "compute": ("#dafbe1", "#10331c", "#1a7f37", "#3fb950"),
    "project": ("#fbefff", "#35194d", "#8250df", "#a371f7"),
}
_STYLE = """text{font:13px system-ui,sans-serif;fill:%(text)s;text-anchor:middle}
.small{font-size:11px;fill:%(faint)s}.left{text-anchor:start}
.line{fill:none;stroke:%(faint)s;stroke-width:1.5}.head{fill:%(faint)s}"""

#: The head of an arrow.
_HEAD = """<marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7"
orient="auto-start-reverse"><path class="head" d="M0 0L8 4L0 8z"/></marker>"""


def _style():
    """The style sheet: light, and dark where the reader's system prefers it."""
    parts = []
    for dark in (0, 1):
        words = {"text": ("#1f2328", "#e6edf3")[dark], "faint": ("#57606a", "#9da7b3")[dark]}
        rules = [_STYLE % words]
        for name, colors in _COLORS.items():
            rules.append(f".{name}{{fill:{colors[dark]};stroke:{colors[2 + dark]}}}")
        parts.append("\n".join(rules))
    return f"<style>{parts[0]}\n@media (prefers-color-scheme:dark){{{parts[1]}}}</style>"


def _page(width, height, title, parts):
    """An SVG of a size, with a title for readers that do not see it."""
    return "\n".join(
        [
            '<svg xmlns="http://www.w3.org/2000/svg"',
            f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"',
            f'role="img" aria-label="{title}">',
            f"<title>{title}</title>",
            _style(),
            _HEAD,
            '<rect class="ground" x="0.5" y="0.5" rx="8"',
            f'width="{width - 1}" height="{height - 1}"/>',
            *parts,
            "</svg>\n",
        ]
    )


def _box(kind, x, y, width, height, *lines):
    """A box with lines of text in its middle, the first of them larger."""
    parts = [f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="4"/>']
    top = y + height / 2 + 4.5 - 8 * (len(lines) - 1)
    for number, line in enumerate(lines):
        size = ' class="small"' if number else ""
        parts.append(f'<text{size} x="{x + width / 2:g}" y="{top + 16 * number:g}">{line}</text>')
    return "\n".join(parts)


def _arrow(*points, both=False, plain=False):
    """A line through points, with a head at its end, at both ends, or at none."""
    path = "M" + "L".join(f"{x} {y}" for x, y in points)
    heads = "" if plain else ' marker-end="url(#head)"'
    heads += ' marker-start="url(#head)"' if both else ""
    return f'<path class="line" d="{path}"{heads}/>'


def _note(x, y, text, left=True):
    """A small text; begins at x, or has its middle there."""
    return f'<text class="small{" left" if left else ""}" x="{x}" y="{y}">{text}</text>'


def draw_accelerator():
    """The block diagram of the accelerator: memories, units, and the ways of data between them."""
    parts = [
        '<rect class="frame" x="170" y="20" width="770" height="590" rx="6"/>',
        _note(182, 602, "accelerator"),
        _box("control", 20, 40, 110, 50, "host", "processor"),
        _box("port", 20, 130, 110, 460, "external", "memory (DRAM)"),
        _box("control", 190, 40, 110, 50, "registers", "AXI4-Lite"),
        _box("control", 350, 40, 140, 50, "sequencer", "passes of a block"),
        _box("control", 570, 40, 140, 50, "issue", "one step a cycle"),
        _box("control", 780, 40, 140, 50, "counters", "cycles by cause, beats"),
        _box("port", 190, 130, 100, 330, "read port", "AXI4,", "bursts,", "gearboxes"),
        _box("port", 190, 490, 100, 100, "write port", "AXI4"),
        _box("memory", 350, 130, 140, 36, "ring of weights"),
        _box("memory", 350, 178, 140, 36, "ring of 3x3 kernels"),
        _box("memory", 350, 255, 140, 36, "ring of parameters"),
        _box("memory", 350, 420, 140, 60, "map memory", "inputs and outputs", "of blocks"),
        _box("compute", 570, 130, 140, 105, "array", "outputs x inputs", "x pixels lanes"),
        _box("compute", 780, 145, 140, 75, "requantiser", "bias, scale, clamp"),
        _box("memory", 570, 310, 140, 44, "line buffer", "3x3 windows"),
        _box("memory", 570, 365, 140, 44, "strip memory", "depthwise results"),
        _box("compute", 570, 420, 140, 50, "residual adder", "if the block has one"),
        _box("compute", 570, 481, 140, 44, "pool", "sum over all pixels"),
        _box("compute", 570, 536, 140, 44, "logits", "of the classifier"),
        # Control.
        _arrow((130, 65), (190, 65), both=True),
        _arrow((300, 65), (350, 65)),
        _arrow((490, 65), (570, 65)),
        _arrow((640, 90), (640, 130)),
        _note(500, 58, "passes"),
        # Memory to rings, maps, line buffer.
        _arrow((130, 300), (190, 300), both=True),
        _arrow((190, 540), (130, 540)),
        _arrow((290, 148), (350, 148)),
        _arrow((290, 196), (350, 196)),
        _arrow((290, 273), (350, 273)),
        _arrow((240, 130), (240, 110), (420, 110), (420, 90)),
        _note(255, 105, "descriptors"),
        _arrow((290, 332), (570, 332)),
        _note(298, 326, "image"),
        _arrow((290, 440), (350, 440)),
        _note(298, 434, "maps"),
        # Operands.
        _arrow((490, 148), (570, 148)),
        _arrow((490, 196), (570, 165)),
        _arrow((490, 430), (515, 430), (515, 190), (570, 190)),
        _note(455, 412, "1x1 input"),
        _arrow((570, 387), (540, 387), (540, 215), (570, 215)),
        _arrow((640, 310), (640, 235)),
        _arrow((490, 273), (800, 273), (800, 220)),
        # Results.
        _arrow((710, 182), (780, 182)),
        _note(713, 176, "sums"),
        _arrow((850, 220), (850, 558), plain=True),
        _arrow((850, 332), (710, 332)),
        _note(720, 326, "expanded map"),
        _arrow((850, 387), (710, 387)),
        _note(720, 381, "depthwise"),
        _arrow((850, 445), (710, 445)),
        _note(720, 439, "projected"),
        _arrow((850, 498), (710, 498)),
        _note(720, 492, "head"),
        _arrow((850, 558), (710, 558)),
        _note(720, 552, "classifier"),
        _arrow((710, 514), (895, 514), (895, 220)),
        _note(720, 530, "totals, for the mean"),
        _arrow((490, 445), (570, 445), both=True),
        _arrow((420, 480), (420, 515), (290, 515)),
        _note(300, 509, "maps that do not fit"),
        _arrow((570, 558), (290, 558)),
    ]
    return _page(960, 630, "Block diagram of the accelerator", parts)


def draw_block():
    """The life of a block in time: two strips of rows, unit by unit. Not to scale."""
    rows = ("memory port", "array", "requantiser", "line buffer", "strip memory", "map memory")
    parts = [
        _note(
            20,
            28,
            "A block with expansion, two of its strips; time runs to the right, not to scale",
        )
    ]
    for number, name in enumerate(rows):
        y = 50 + 50 * number
        parts.append(f'<text class="left" x="20" y="{y + 20}">{name}</text>')
        parts.append(_arrow((140, y + 38), (940, y + 38), plain=True))
    parts.append(_box("port", 145, 50, 740, 30, "weights, kernels and parameters of what follows"))
    for start in (145, 535):
        # Expansion and depthwise windows take turns; then the projection.
        for part in range(6):
            x = start + 40 * part
            parts.append(_box("memory", x, 100, 24, 30, "1x1"))
            parts.append(_box("compute", x + 24, 100, 16, 30, "3"))
        parts += [
            _box("project", start + 250, 100, 120, 30, "1x1 project"),
            _box("memory", start + 10, 150, 240, 30, "expanded, depthwise"),
            _box("project", start + 260, 150, 120, 30, "projected"),
            _box("memory", start + 16, 200, 230, 30, "rows in, 3x3 windows out"),
            _box("compute", start + 34, 250, 216, 30, "depthwise results in"),
            _box("project", start + 250, 250, 120, 30, "read"),
            _box("memory", start, 300, 240, 30, "input read"),
            _box("project", start + 266, 300, 116, 30, "output written"),
        ]
        parts.append(_note(start + 120, 362, "FILL", left=False))
        parts.append(_note(start + 310, 362, "PROJECT", left=False))
    return _page(960, 380, "The life of a block in time", parts)


#: Drawings by file name.
DRAWINGS = {"accelerator.svg": draw_accelerator, "block.svg": draw_block}


if __name__ == "__main__":
    for _name, _draw in DRAWINGS.items():
        (Path(__file__).parents[1] / _name).write_text(_draw(), encoding="utf-8")
