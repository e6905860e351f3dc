"""Checks of what stands together in a batch, counted in every batch of some epochs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from fractions import Fraction

import attrs
import numpy as np
from numpy.typing import NDArray

from batchwright.columns import as_columns
from batchwright.testing.failures import CheckFailure, Where
from batchwright.testing.statistics import FALSE_ALARM, strays
from batchwright.testing.subject import EPOCHS, Subject

__all__ = [
    "check_coverage",
    "check_even_draw",
    "check_leak",
    "check_mean_quotas",
    "check_purity",
    "check_quotas",
]

_BATCHES = 200
_BATCHES_FOR_MEANS = 1_000


@attrs.frozen(eq=False)
class _Parts:
    """A batch, taken apart.

    Parameters
    ----------
    where, batch
        The batch and its address.
    group
        The number of its group; None if no group has as many rows of it as are claimed.
    primary, leaked
        The rows of its group, and the others.
    """

    where: Where
    batch: list[int]
    group: int | None
    primary: NDArray[np.int64]
    leaked: NDArray[np.int64]

    def fail(self, rule: str, found: str) -> CheckFailure:
        """Return a failure that names this batch."""
        return CheckFailure(rule, found, self.where, self.batch)


def check_purity(subject: Subject, seed: int) -> None:
    """Check that a batch is of one group, but for the rows that may leak in."""
    names = subject.labels.names(subject.claims.group)
    for parts in _batches(subject.everywhere(seed, _BATCHES), subject):
        if parts.group is None:
            held = ", ".join(f"{count} of {names[code]!r}" for code, count in _groups(subject, parts)[:4])
            but = f" but for {_leaked_rows(subject, len(parts.batch))} rows" if subject.claims.leak else ""
            rule = f"All rows of a batch must be of one {_name(subject.claims.group)}{but}"
            raise parts.fail(rule, f"one has {len(_groups(subject, parts))} of them: {held}")


def check_leak(subject: Subject, seed: int) -> None:
    """Check that exactly as many rows as claimed come from other groups, where there are others."""
    several = len(subject.labels.names(subject.claims.group)) > 1
    for parts in _batches(subject.everywhere(seed, _BATCHES), subject):
        expected = _leaked_rows(subject, len(parts.batch)) if several else 0
        outside = len(parts.batch) - _groups(subject, parts)[0][1]
        if outside != expected:
            rule = f"{expected} rows of {len(parts.batch)} must come from outside the {_name(subject.claims.group)}"
            raise parts.fail(rule, f"in one {outside} do")


def check_quotas(subject: Subject, seed: int) -> None:
    """Check that the counts of labels lie within one of their targets."""
    names, number = subject.labels.names(subject.claims.balance), subject.claims.labels_per_batch
    for parts in _batches(subject.everywhere(seed, _BATCHES), subject):
        counts = _counts(subject, parts)
        if number is not None and len(counts) != number:
            rule = f"A batch must have {number} labels of {_name(subject.claims.balance)}"
            raise parts.fail(rule, f"one has {len(counts)}")
        for label, (count, target) in counts.items():
            if abs(count - target) >= 1:
                rule = f"The rows of each {_name(subject.claims.balance)} must be within one of their target"
                raise parts.fail(rule, f"one batch has {count} of {names[label]!r} for {target:.3f}")


def check_mean_quotas(subject: Subject, seed: int) -> None:
    """Check that counts are rounded up as often as their targets say, for each label in each group.

    A count within one of its target is rounded down or up, which is a coin with a known probability; counts that are
    not are the business of `check_quotas`.
    """
    names = subject.labels.names(subject.claims.balance)
    coins: dict[tuple[int | None, int, float], list[bool]] = {}
    for parts in _batches(subject.many(seed, _BATCHES_FOR_MEANS), subject):
        for label, (count, target) in _counts(subject, parts).items():
            if abs(count - target) < 1:
                coins.setdefault((parts.group, label, target), []).append(count > target)
    for (_, label, target), ups in coins.items():
        chance = target - math.floor(target)
        if strays(sum(ups), len(ups), chance, FALSE_ALARM / len(coins)):
            rule = f"The rows of each {_name(subject.claims.balance)} must be their target on average"
            found = f"{names[label]!r} is rounded up in {sum(ups)} of {len(ups)} batches, for a target of {target:.3f}"
            raise CheckFailure(rule, found, Where(seed))


def check_even_draw(subject: Subject, seed: int) -> None:
    """Check that of n rows to draw q from, each comes floor(q/n) or ceil(q/n) times."""
    group, balance = _columns(subject.claims.group), _columns(subject.claims.balance)
    groups = subject.labels.codes(group)
    codes = subject.labels.codes((*group, *balance))
    for parts in _batches(subject.everywhere(seed, _BATCHES), subject):
        for code in np.unique(codes[parts.primary]).tolist():
            _require_even(parts, parts.primary[codes[parts.primary] == code], codes == code)
        _require_even(parts, parts.leaked, groups != parts.group)


def check_coverage(subject: Subject, seed: int) -> None:
    """Check that every epoch delivers so many of all rows."""
    rows = subject.rows
    for epoch, batches in enumerate(subject.epochs(subject.make(Where(seed)), EPOCHS)):
        seen = len({row for batch in batches for row in batch})
        if seen < (subject.claims.coverage or 0) * rows:
            rule = f"Every epoch must deliver at least {subject.claims.coverage:.0%} of {rows} rows"
            raise CheckFailure(rule, f"one delivers {seen}", Where(seed, epoch))


def _batches(batches: Iterable[tuple[Where, list[int]]], subject: Subject) -> Iterator[_Parts]:
    """Take batches apart into the rows of their group and the others."""
    codes = subject.labels.codes(_columns(subject.claims.group))
    several = codes.max() > 0
    for where, batch in batches:
        rows = np.array(batch, dtype=np.int64)
        found, counts = np.unique(codes[rows], return_counts=True)
        expected = rows.size - (_leaked_rows(subject, rows.size) if several else 0)
        # Less than half of a batch leaks, so at most one group can have so many rows of it.
        fitting = found[counts == expected].tolist()
        group = fitting[0] if fitting else None
        primary = codes[rows] == group if fitting else np.ones(rows.size, dtype=bool)
        yield _Parts(where, batch, group, rows[primary], rows[~primary])


def _groups(subject: Subject, parts: _Parts) -> list[tuple[int, int]]:
    """Return the groups in a batch and their rows, most first."""
    codes: list[int] = subject.labels.codes(subject.claims.group)[parts.batch].tolist()
    return Counter(codes).most_common()


def _leaked_rows(subject: Subject, size: int) -> int:
    # In decimal, as written: 0.29 of 100 is 29.
    return math.floor(Fraction(repr(subject.claims.leak)) * size)


def _counts(subject: Subject, parts: _Parts) -> dict[int, tuple[int, float]]:
    """Return count and target of each label that may occur in a batch: of its group, or of those that it has."""
    claims, labels = subject.claims, subject.labels
    codes, groups = labels.codes(claims.balance), labels.codes(_columns(claims.group))
    of_group = codes[groups == parts.group] if parts.group is not None else codes
    present = np.unique(of_group if claims.labels_per_batch is None else codes[parts.primary]).tolist()
    names = labels.names(claims.balance)
    ratio = {code: 1.0 if claims.ratio is None else claims.ratio[names[code]] for code in present}
    if not any(ratio.values()):
        ratio = dict.fromkeys(present, 1.0)
    counts = Counter(codes[parts.primary].tolist())
    whole = sum(ratio.values())
    return {code: (counts[code], parts.primary.size * ratio[code] / whole) for code in present}


def _require_even(parts: _Parts, drawn: NDArray[np.int64], pool: NDArray[np.bool_]) -> None:
    """Raise unless the rows drawn from a pool, given as a mask, are as many of each as can be."""
    rows = np.flatnonzero(pool)
    times = np.bincount(drawn, minlength=pool.size)[rows]
    least, most = (drawn.size // rows.size, -(-drawn.size // rows.size)) if rows.size else (0, 0)
    wrong = np.flatnonzero((times < least) | (times > most))
    if wrong.size:
        rule = f"{drawn.size} rows drawn from {rows.size} must come {least} to {most} times each"
        found = f"in one batch {wrong.size} do not: row {rows[wrong[0]]} comes {times[wrong[0]]} times"
        raise parts.fail(rule, found)


def _columns(by: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return () if by is None else as_columns(by)


def _name(by: str | tuple[str, ...]) -> str:
    return " x ".join(as_columns(by))
