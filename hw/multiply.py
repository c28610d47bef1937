"""Products of wide operands: cut for the multipliers of a device, or added up from rows of LUTs.

A product is a sum of *terms*, each at the position of its lowest bit. Operands are cut so that each
term is one multiplier of ``operand_bits`` x 18 bits, signs included; the few bits that are left of
the wider operand become rows of LUTs. Of lower terms only what lies above the next position is
kept: ``floor((x + y * 2**p) / 2**q) == floor((floor(x / 2**p) + y) / 2**(q - p))``.

A row stands for two bits of the multiplier, recoded to a digit from -2 to 2: a multiplexer that
shares its LUTs with the adder of the row.

Ref: Booth, "A Signed Binary Multiplication Technique", 1951; MacSorley, "High-Speed Arithmetic in
     Binary Computers", 1961, for two bits at a time.
"""

from amaranth import *

from .pipelines import delay, name_value, register

__all__ = ["add_terms", "cut_product", "multiply"]

#: Bits of a multiplier's narrower operand, its sign included.
_NARROW_BITS = 18

#: Bits of the wider operand that are made of LUTs rather than of further multipliers, at most.
_ROW_BITS = 7

#: Rows that are added in one cycle, one after another.
_ROWS = 4


def cut_product(m, wide, narrow, *, operand_bits, in_luts, name):
    """Terms of a product.

    Parameters
    ----------
    m : Module
        Gets what several rows of LUTs share.
    wide, narrow : Value
        The operands, one of them signed.
    operand_bits : int
        Bits of a multiplier's wider operand, its sign included: 18 or more.
    in_luts : bool
        Take no multipliers.
    name : str
        Signals are called ``{name}_...``.

    Returns
    -------
    list of (int, Value)
        Position and term, the lowest position first: the product is the sum of all
        ``term * 2**position``.
    """
    if in_luts:
        return _rows(m, *((narrow, wide) if _is_signed(narrow) else (wide, narrow)), name)
    terms = []
    limit = operand_bits if _is_signed(wide) else operand_bits - 1
    rest  = len(wide) - limit
    if 0 < rest <= _ROW_BITS:
        terms += _rows(m, narrow, wide[:rest], name)
        pieces = [(rest, _drop(wide, rest))]
    else:
        pieces = _cut(wide, operand_bits)
    terms += [(place + position, piece * factor)
              for place, piece in pieces
              for position, factor in _cut(narrow, _NARROW_BITS)]
    return sorted(terms, key=lambda term: term[0])


def add_terms(terms, drop):
    """Sum of terms without its last bits: ``floor(sum(term * 2**position) / 2**drop)``.

    Parameters
    ----------
    terms : list of (int, Value)
        As of :func:`cut_product`: the lowest position first.
    drop : int
        0 or more.
    """
    total, position = None, 0
    for place, term in terms:
        dropped  = min(place, drop)
        shifted  = term << place - dropped
        total    = shifted if total is None else _drop(total, dropped - position) + shifted
        position = dropped
    return _drop(total, drop - position)


def multiply(m, advance, wide, narrow, drop, shape, *, stages, operand_bits, in_luts, name):
    """Product without its last bits, ``floor(wide * narrow / 2**drop)``, some cycles later.

    With three stages the highest term is multiplied a cycle after the others, as in a chain of
    multipliers that each add what the one before them hands on.

    Parameters
    ----------
    m : Module
        Gets the registers, in domain ``sync``.
    advance : Value
        High in each cycle in which the pipeline moves.
    wide, narrow, operand_bits, in_luts
        As for :func:`cut_product`.
    drop : int
        Bits to leave out.
    shape : Shape
        Holds every result.
    stages : int
        2 or 3: registers from the operands to the result, the result's included.
    name : str
        The registers are called ``{name}_...``.
    """
    options = {"operand_bits": operand_bits, "in_luts": in_luts}
    terms   = cut_product(m, wide, narrow, name=name, **options)
    highest = []
    if stages == 3:
        highest = cut_product(m, delay(m, advance, wide, 1, name=f"{name}_wide"),
                              delay(m, advance, narrow, 1, name=f"{name}_narrow"),
                              name=f"{name}_high", **options)[-1:]
        terms   = terms[:-1]
    terms = _registers(m, advance, terms, f"{name}_term")
    if highest:
        (place, _), = highest
        kept  = min(place, drop)
        terms = _registers(m, advance, [(kept, add_terms(terms, kept))] if terms else [],
                           f"{name}_low")
        terms += _registers(m, advance, highest, f"{name}_high")
    result = register(shape, name)
    with m.If(advance):
        m.d.sync += result.eq(add_terms(terms, drop))
    return result


def _registers(m, advance, terms, name):
    """The same terms a cycle later."""
    return [(place, delay(m, advance, term, 1, name=f"{name}_{place}_{number}"))
            for number, (place, term) in enumerate(terms)]


def _is_signed(value):
    return value.shape().signed


def _drop(value, bits):
    """A value without its last bits, which is rounded down: at least its sign remains."""
    if not bits:
        return value
    if not _is_signed(value):
        return value[bits:]
    return value[min(bits, len(value) - 1):].as_signed()


def _cut(value, bits):
    """Pieces of a value with their positions, each within signed ``bits``; the lowest first."""
    pieces, position = [], 0
    while len(value) > (bits if _is_signed(value) else bits - 1):
        pieces.append((position, value[:bits - 1]))
        value     = _drop(value, bits - 1)
        position += bits - 1
    return [*pieces, (position, value)]


def _rows(m, value, multiplier, name):
    """Terms of ``value * multiplier``, without multipliers; the latter is not signed."""
    bits   = Cat(C(0, 1), multiplier, C(0, 2))
    digits = [bits[k:k + 3] for k in range(0, len(multiplier) + 1, 2)]
    terms  = []
    for first in range(0, len(digits), _ROWS):
        total = None
        for k in range(first, min(first + _ROWS, len(digits))):
            row = _row(value, digits[k])
            if k:
                # The one that completes the previous row's complement has its place below this one.
                row = Cat(digits[k - 1][2], C(0, 1), row).as_signed()
            if total is None:
                position = 2 * (k - 1) if k else 0
            else:
                low = 2 * (k - 1) - position
                row = Cat(total[:low], _drop(total, low) + row).as_signed()
            total = name_value(m, row, f"{name}_row_{k}")
        terms.append((position, total))
    return terms


def _row(value, digit):
    """A value times a digit, whose three bits count 1, 1 and -2; one less if the last is high."""
    width = len(value) + (1 if _is_signed(value) else 2)
    once  = Cat(value, *[value[-1] if _is_signed(value) else C(0, 1)] * (width - len(value)))
    twice = Cat(C(0, 1), value, C(0, 1))[:width]
    ones  = digit[0] ^ digit[1]
    twos  = digit[1] ^ digit[2]
    size  = Mux(ones, once, Mux(twos, twice, 0))
    return Mux(digit[2], ~size, size).as_signed()
