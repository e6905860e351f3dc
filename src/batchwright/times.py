"""The values of an ordered column: numbers or dates, as arrays that sort, some rows at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from batchwright.errors import TableError
from batchwright.ragged import opens

__all__ = ["TimeReader", "is_missing", "rank_times"]

# Pandas takes them for dates, but cannot tell whether they have a zone.
_DAYS_OF_ARROW = ("date32[day][pyarrow]", "date64[ms][pyarrow]")
# So many bits of an integer, besides its sign, int64 and float64 keep.
_BITS = {"i": 63, "f": 53}


class TimeReader:
    """Reads the values of an ordered column, some rows at a time.

    Parameters
    ----------
    name
        The column, for messages.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.dtype: np.dtype[Any] = np.dtype(np.int64)
        self._kinds: dict[str, None] = {}
        self._bits = 0

    def read(self, series: pd.Series[Any]) -> NDArray[Any]:
        """Return the values: int64 where they are integers, datetime64 where they are dates, else float64.

        All lots together have the type `dtype` at the end: float64 where some were integers and some were not.

        Raises
        ------
        TableError
            If the column holds neither numbers nor dates, or both; if a number is infinite, or an integer does not
            keep its value in the type of them all.
        """
        if series.isna().all():
            # Values that are all missing may be of any kind.
            self.dtype = np.dtype(np.float64) if self.dtype.kind == "i" else self.dtype
            self._require_exact()
            return np.full(len(series), np.nan).astype(self.dtype)
        kind, ready = self._read(series)
        self._kinds.setdefault(kind)
        if len(self._kinds) > 1:
            msg = (
                f"An ordered column must hold one kind of value in all chunks; {self.name!r} holds "
                f"{len(self._kinds)}: {', '.join(self._kinds)}. Convert it to one type first."
            )
            raise TableError(msg)
        if ready.dtype.kind != "i":
            self.dtype = ready.dtype
        self._require_exact()
        return ready

    def _read(self, series: pd.Series[Any]) -> tuple[str, NDArray[Any]]:
        if str(series.dtype) in _DAYS_OF_ARROW:
            series = series.astype("datetime64[s]")
        if pd.api.types.is_datetime64_any_dtype(series.dtype):
            zone = getattr(series.dt, "tz", None)
            return "dates with a zone" if zone else "dates", self._read_dates(series, zone)
        if pd.api.types.is_integer_dtype(series.dtype):
            return "numbers", self._read_integers(series)
        if pd.api.types.is_any_real_numeric_dtype(series.dtype):
            return "numbers", self._read_floats(series)
        msg = (
            f"An ordered column must hold numbers or dates; {self.name!r} holds {_kind(series)}. "
            f"Convert it first, for instance with {_conversion_of(series)}."
        )
        raise TableError(msg)

    def _read_integers(self, series: pd.Series[Any]) -> NDArray[Any]:
        """Return integers as such where none is missing: floats cannot tell nanoseconds since 1970 apart."""
        bits = max(int(series.max()), ~int(series.min())).bit_length()
        self._bits = max(self._bits, bits)
        if series.hasnans or bits > _BITS["i"]:
            return series.to_numpy(dtype=np.float64, na_value=np.nan)
        return series.to_numpy(dtype=np.int64)

    def _read_floats(self, series: pd.Series[Any]) -> NDArray[Any]:
        values = series.to_numpy(dtype=np.float64, na_value=np.nan)
        infinite = np.count_nonzero(np.isinf(values))
        if infinite:
            msg = (
                f"The numbers of an ordered column must be finite; {self.name!r} holds {infinite} that are infinite. "
                "Leave them empty: rows without a value are in no window."
            )
            raise TableError(msg)
        return values

    def _require_exact(self) -> None:
        if self._bits > _BITS.get(self.dtype.kind, self._bits):
            msg = (
                f"Integers of an ordered column must be below 2**{_BITS['i']}, and beside decimals or missing values "
                f"below 2**{_BITS['f']}, as floats tell them apart; {self.name!r} holds some of {self._bits} bits. "
                "Subtract the least, or convert them to dates with pandas.to_datetime."
            )
            raise TableError(msg)

    def _read_dates(self, series: pd.Series[Any], zone: Any) -> NDArray[Any]:
        naive = series if zone is None else series.dt.tz_convert(None)
        try:
            return np.asarray(naive.dt.as_unit("ns").to_numpy(dtype="datetime64[ns]"))
        except pd.errors.OutOfBoundsDatetime as error:
            msg = (
                f"Dates must lie between the years 1677 and 2262; {self.name!r} reaches beyond: {error}. "
                "Convert it to numbers."
            )
            raise TableError(msg) from error


def _kind(series: pd.Series[Any]) -> str:
    """Return of what type values are; of objects, what these are."""
    of = f" of type {pd.api.types.infer_dtype(series)}" if series.dtype == object else ""
    return f"{series.dtype}{of}"


def _conversion_of(series: pd.Series[Any]) -> str:
    """Return how to make numbers or dates of values of other types."""
    if isinstance(series.dtype, pd.PeriodDtype):
        return "dt.to_timestamp()"
    if pd.api.types.is_bool_dtype(series.dtype):
        return "astype('Int8')"
    return "dt.total_seconds()" if series.dtype.kind == "m" else "pandas.to_numeric or pandas.to_datetime"


def is_missing(times: NDArray[Any]) -> NDArray[np.bool_]:
    """Return which values are missing."""
    return np.zeros(times.shape, dtype=bool) if times.dtype.kind == "i" else np.isnan(times)


def rank_times(times: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the distinct values, sorted, and the rank of each value; a missing one has the rank behind the last."""
    # Like `numpy.unique` with an inverse, in less memory, since there may be as many times as rows. Stable sorting is
    # fast where times stand sorted cell by cell.
    order = np.argsort(times, kind="stable")
    order = order[: times.size - np.count_nonzero(is_missing(times))]
    ordered = times[order]
    differs = opens(ordered)
    distinct = ordered[differs]
    del ordered
    if distinct.dtype.kind == "f":
        # There are two zeros, which are equal: one of them stands for both, whichever came first.
        distinct += 0.0
    ranks = np.full(times.shape, distinct.size, dtype=np.int64)
    ranks[order] = np.cumsum(differs) - 1
    return distinct, ranks
