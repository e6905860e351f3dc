"""Labels as numbers: in order of first appearance while rows come in, in sorted order at the end."""

from __future__ import annotations

from collections.abc import Hashable
from itertools import pairwise
from numbers import Number
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from batchwright._checks import UNFIT
from batchwright.errors import TableError
from batchwright.plainvalues import plain_value

__all__ = ["LabelEncoder", "small_type"]

Integers = NDArray[np.int64]

_KINDS = {"b": "truth values", "i": "integers", "u": "integers", "f": "floats", "M": "dates", "m": "durations"}


class LabelEncoder:
    """Turns the values of one key column into codes, some rows at a time.

    Codes count the labels as they come, so that rows which were encoded need not be looked at again; `sort` says at the
    end which place each label has among the sorted ones.

    Parameters
    ----------
    name
        The column, for messages.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self._codes: dict[Hashable, int] = {}
        self._rows = self._missing = 0
        self._kinds: dict[str, None] = {}
        self._zones: set[str] = set()
        self._categories: Any = None
        self._code_of_category: NDArray[Any] | None = None

    @property
    def size(self) -> int:
        """Number of labels so far, at least 1."""
        return max(1, len(self._codes))

    def encode(self, series: pd.Series[Any]) -> NDArray[Any]:
        """Return the code of each row, in integers as small as may be."""
        try:
            codes = self._encode(series)
        except UNFIT as error:
            raise self._unusable(error) from error
        self._rows += codes.size
        return codes

    def sort(self, used: Integers) -> tuple[tuple[Hashable, ...], Integers]:
        """Return the used labels as plain Python objects, sorted, and the place of each code among them.

        Raises
        ------
        TableError
            If a row had no value, if the values were of several kinds, or do not sort.
        """
        self._require_values(self._missing, f"{self._rows}")
        values = list(self._codes)
        labels = [values[code] for code in used.tolist()]
        self._check(labels)
        try:
            places = pd.factorize(pd.Series(labels).infer_objects(), sort=True)[0]
        except (TypeError, ValueError) as error:
            raise self._unusable(error) from error
        order = np.argsort(places, kind="stable")
        labels = [labels[i] for i in order.tolist()]
        self._require_order(labels)
        rank = np.zeros(self.size, dtype=np.int64)
        rank[used[order]] = np.arange(used.size)
        return tuple(labels), rank

    def _encode(self, series: pd.Series[Any]) -> NDArray[Any]:
        if isinstance(series.dtype, pd.CategoricalDtype):
            found, code_of = series.cat.codes.to_numpy(), self._of_categories(series.cat.categories)
        else:
            found, values = pd.factorize(series)
            code_of = self._of(values)
        self._missing += int(np.count_nonzero(found < 0))
        if code_of is None:
            # As wide as all codes so far, of which a lot may hold the lower ones only.
            return np.maximum(found, 0).astype(small_type(self.size))
        return code_of[found]

    def _of(self, values: Any) -> NDArray[Any]:
        """Return the code of each value, and one more at the end for what is missing, which will be refused."""
        if len(values):
            self._kinds.setdefault(_KINDS.get(getattr(values.dtype, "kind", "O"), "objects"))
            if isinstance(values.dtype, pd.DatetimeTZDtype):
                # Dates that are known already may be of another zone here.
                self._zones.add(_kind(values[0]))
        known = self._codes
        codes = [known.setdefault(value, len(known)) for value in _plain(values)]
        return np.array([*codes, 0], dtype=small_type(self.size))

    def _of_categories(self, categories: Any) -> NDArray[Any] | None:
        """Return the code of each category; None where it is the number of the category."""
        # All lots of a table share their categories, used or not, so they are looked up once.
        if categories is not self._categories:
            self._categories = categories
            codes = self._of(categories)
            same = np.array_equal(codes[:-1], np.arange(len(categories)))
            self._code_of_category = None if same else codes
        return self._code_of_category

    def _check(self, labels: list[Hashable]) -> None:
        # Arrow has values that are no number besides, and dictionaries with an entry for what is missing.
        self._require_values(int(pd.Series(labels, dtype=object).isna().sum()), f"{len(labels)} labels")
        types = {type(label) for label in labels}
        # Numbers may stand among text.
        mixes = all(issubclass(kind, str | Number) for kind in types)
        kinds = list(self._kinds) if mixes else sorted({_kind(label) for label in labels} | self._zones)
        if len(kinds) > 1:
            msg = (
                f"A key column must hold one kind of value in all its rows; {self.name!r} holds {len(kinds)}: "
                f"{', '.join(kinds)}. Convert it to one type first."
            )
            raise TableError(msg)

    def _require_values(self, missing: int, of: str) -> None:
        if missing:
            msg = (
                f"A key column must have a value in every row; {self.name!r} has {missing} missing of {of}. "
                "Drop those rows, or give them a label of their own, such as astype(object).fillna('unknown')."
            )
            raise TableError(msg)

    def _require_order(self, labels: list[Hashable]) -> None:
        """Raise unless each label comes before the next: some types have no such order, or values that equal others."""
        for one, other in pairwise(labels):
            if not _may_precede(one, other):
                msg = (
                    f"Labels of a key column must differ and stand in one order; 2 of {self.name!r} do not: "
                    f"{one!r} and {other!r}. Convert it to text."
                )
                raise TableError(msg)

    def _unusable(self, error: Exception) -> TableError:
        msg = (
            f"A key column must hold values that can be hashed and sorted; {self.name!r} cannot: {error}. "
            "Convert it to text."
        )
        return TableError(msg)


def _plain(values: Any) -> list[Hashable]:
    """Return values as plain Python objects."""
    dense = np.asarray(values) if isinstance(values.dtype, pd.SparseDtype) else values
    return [value if type(value) in (str, int) else plain_value(value) for value in dense.tolist()]


def _kind(label: Hashable) -> str:
    zone = getattr(label, "tzinfo", None)
    return type(label).__name__ if zone is None else f"{type(label).__name__} in {zone}"


def _may_precede(one: Any, other: Any) -> bool:
    try:
        return bool(one < other)
    except TypeError:
        # Of two kinds: numbers stand before text.
        return True


def small_type(number: int) -> np.dtype[Any]:
    """Return the smallest type of the integers below a number; not uint64, which NumPy joins with others as floats."""
    return np.min_scalar_type(number - 1) if number <= 2**32 else np.dtype(np.int64)
