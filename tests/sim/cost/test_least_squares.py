"""Least squares without negative coefficients, against the conditions of an optimum."""

import numpy as np
import pytest

from mnv2.sim.cost.least_squares import fit_non_negative


def test_least_squares_without_negative_ones():
    rng = np.random.default_rng(3)
    matrix = np.abs(rng.normal(size=(30, 4)))
    for truth in ([2.0, 0.0, 5.0, 1.0], [0.0, 0.0, 0.0, 3.0]):
        assert fit_non_negative(matrix, matrix @ truth) == pytest.approx(truth, abs=1e-6)
    # An unconstrained fit would take one column against another.
    target = matrix @ [1.0, -2.0, 3.0, 0.5]
    solution = fit_non_negative(matrix, target)
    assert (solution >= 0).all()
    gradient = matrix.T @ (matrix @ solution - target)
    assert gradient[solution > 0] == pytest.approx(0, abs=1e-6)  # Karush-Kuhn-Tucker
    assert (gradient[solution == 0] > -1e-6).all()
