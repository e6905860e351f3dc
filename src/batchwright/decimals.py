"""Narrow floats as the decimals that they stand for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

__all__ = ["as_decimals"]

Floats = NDArray[np.float64]


def as_decimals(values: NDArray[Any]) -> Floats:
    """Return floats of any width as float64: narrow ones as the shortest decimals that are read as them.

    The 0.7 of float32 is 0.7 of float64, as it would be had the column been read as such, and not 0.699999988, which is
    more than 0.1 before its 0.8. Values that differ still do, and stand in the same order.

    Parameters
    ----------
    values
        Floats, shape (N,), none infinite.

    Examples
    --------
    >>> tenths = np.array([0.7, 0.8], dtype=np.float32)
    >>> tenths.astype(np.float64).round(9).tolist(), as_decimals(tenths).tolist()
    ([0.699999988, 0.800000012], [0.7, 0.8])
    """
    if values.dtype.itemsize >= np.dtype(np.float64).itemsize:
        return values.astype(np.float64, copy=False)
    codes, distinct = pd.factorize(values, use_na_sentinel=False)
    return _shortest(distinct)[codes]


def _shortest(values: NDArray[Any]) -> Floats:
    """Round to so many digits that each is read as one value only, and then to fewer, down to what all types keep."""
    exact = values.astype(np.float64)
    exponents = np.floor(np.log10(np.abs(exact), out=np.zeros_like(exact), where=exact != 0))
    shortest, precision = exact, np.finfo(values.dtype).precision
    for digits in range(precision + 3, precision - 1, -1):
        scale = 10.0 ** (digits - 1 - exponents)
        rounded = np.rint(exact * scale) / scale
        shortest = np.where(rounded.astype(values.dtype) == values, rounded, shortest)
    return shortest
