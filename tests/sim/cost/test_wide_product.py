"""Terms of products of wide operands: each product in one of the multipliers it was cut for."""

import itertools

import pytest

from mnv2.hw.config import OPERAND_BITS
from mnv2.sim.cost.unit_cost import Product
from mnv2.sim.cost.units.wide_product import Term, WideProduct, cut_product

WIDTHS = list(itertools.product((16, 18, 25, 27, 30, 32), (9, 16, 31), OPERAND_BITS))


@pytest.mark.parametrize(("wide", "narrow", "operand_bits"), WIDTHS)
def test_pieces_fit_the_multipliers(wide, narrow, operand_bits):
    terms = cut_product(wide, narrow, operand_bits).terms
    for term in terms:
        if term.product:
            assert term.product.first_bits <= operand_bits
            assert term.product.second_bits <= 18
            assert not term.row_bits
        else:
            assert term.row_bits >= term.bits
    assert [term.position for term in terms] == sorted(term.position for term in terms)
    # The last one holds the sign; nothing of the product lies above it.
    assert wide + narrow <= terms[-1].position + terms[-1].bits <= wide + narrow + 3
    assert len(terms) <= -(-wide // (operand_bits - 1)) * -(-narrow // 17) + 1


def test_a_few_bits_too_many_are_rows():
    terms = cut_product(32, 31, 27).terms
    assert terms[1:] == (Term(5, 44, Product(1, 27, 18)), Term(22, 41, Product(1, 27, 15)))
    assert (terms[0].position, terms[0].bits, terms[0].product) == (0, 38, None)
    # Eight bits are too many.
    assert all(term.product for term in cut_product(33, 31, 25).terms)


def test_in_luts_there_are_rows_alone():
    wide = cut_product(27, 31, 27, in_luts=True)
    assert wide.products(28) == ()
    # Sixteen digits of two bits, four at a time; each row is one bit wider than the operand.
    assert [term.position for term in wide.terms] == [0, 6, 14, 22]
    assert wide.row_bits >= 16 * 28


def test_what_lies_below_the_next_term_is_dropped():
    wide = WideProduct((Term(0, 44), Term(17, 41)))
    assert wide.registers == 27 + 41
    assert wide.low_bits == 27
    assert wide.adder_bits == 42
    one = WideProduct((Term(0, 43),))
    assert (one.registers, one.low_bits, one.adder_bits) == (43, 0, 0)
    three = WideProduct((Term(0, 33), Term(1, 44), Term(18, 41)))
    assert three.registers == 32 + 27 + 41
    assert three.low_bits == 45 - 17
    assert three.adder_bits == 45 + 42
