"""Least squares with coefficients that are not negative."""

import itertools

import numpy as np

__all__ = ["fit_non_negative"]


def fit_non_negative(matrix: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Non-negative least squares, exact for a few columns: the best of all subsets of them.

    Parameters
    ----------
    matrix : float64 [rows, columns]
    target : float64 [rows]

    Returns
    -------
    float64 [columns]
        0 or more each. Of equally good ones, that with fewest columns.

    Ref: the solution is an unconstrained one of its positive columns (Lawson and Hanson, Solving
         Least Squares Problems, 1974, chapter 23).
    """
    columns = matrix.shape[1]
    scale = np.linalg.norm(matrix, axis=0)
    scale[scale == 0] = 1
    matrix = matrix / scale
    best, least = np.zeros(columns), float(target @ target)
    for size in range(1, columns + 1):
        for chosen in itertools.combinations(range(columns), size):
            solution, *_ = np.linalg.lstsq(matrix[:, chosen], target, rcond=None)
            if (solution < 0).any():
                continue
            error = float(((matrix[:, chosen] @ solution - target) ** 2).sum())
            if error < least * (1 - 1e-6):
                best, least = np.zeros(columns), error
                best[list(chosen)] = solution
    return best / scale
