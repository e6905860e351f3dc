"""`check_sampler` and `parametrize_with_checks`: all checks of a sampler by one call."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs
import pytest

from batchwright._checks import check_integer, some_of
from batchwright.errors import SettingError, SettingTypeError
from batchwright.testing.claims import Claims
from batchwright.testing.failures import CheckFailure, Outcome, SamplerFailure
from batchwright.testing.global_state import quiet, scrambled
from batchwright.testing.labels import Labels
from batchwright.testing.registry import CHECKS, Check
from batchwright.testing.subject import Subject

__all__ = ["CheckRun", "check_sampler", "parametrize_with_checks", "run_checks"]

_SEEDS = (0, 1, 2)


@attrs.frozen(eq=False)
class CheckRun:
    """One check of one sampler, to be called."""

    subject: Subject
    check: Check
    seeds: tuple[int, ...]

    def __call__(self) -> None:
        """Run the check for each seed; raise at the first that fails.

        Raises
        ------
        CheckFailure
            If the claim does not hold. What the sampler itself raises goes through, with a note.
        """
        for seed in self.seeds:
            self._run(seed)

    def _run(self, seed: int) -> None:
        claim = self.check.claim
        try:
            # Global generators stand the same each time, so that a failure can be seen again whatever it rests on.
            with scrambled(seed % 2**32), quiet("batchwright"):
                self.check.run(self.subject, seed)
        except CheckFailure as error:
            raise CheckFailure(error.rule, error.found, error.where, error.batch, claim, seed) from None
        except Exception as error:
            error.add_note(f"while claim `{claim}` was checked with seed {seed}")
            raise

    def outcome(self) -> Outcome:
        """Run the check, and tell what became of it."""
        name, claim = self.check.name, self.check.claim
        try:
            self()
        except CheckFailure as error:
            return Outcome(name, claim, False, str(error), error)
        except Exception as error:  # noqa: BLE001 - whatever a sampler raises is a finding.
            found = f"the sampler raised {type(error).__name__}: {error} ({'; '.join(error.__notes__)})"
            return Outcome(name, claim, False, found, error)
        return Outcome(name, claim, True)


def run_checks(
    factory: Callable[..., Iterable[Any]],
    *,
    claims: Claims,
    table: Any = None,
    rows: int | None = None,
    batch_size: int | None = None,
    seeds: Iterable[int] = _SEEDS,
) -> list[Outcome]:
    """Check every claim of a sampler, and return what became of each check; arguments as of `check_sampler`."""
    return [run.outcome() for run in _runs(factory, claims, table, rows, batch_size, seeds)]


def check_sampler(
    factory: Callable[..., Iterable[Any]],
    *,
    claims: Claims,
    table: Any = None,
    rows: int | None = None,
    batch_size: int | None = None,
    seeds: Iterable[int] = _SEEDS,
    expected_failures: Mapping[str, str] | None = None,
) -> None:
    """Check every claim that is made of a sampler; raise if one does not hold.

    The sampler is a black box: it is made by a factory and asked for batches, and need not know of this library. It
    may be any batch sampler, or any iterable of index lists or arrays, such as a loader over ``range(rows)``.

    Parameters
    ----------
    factory
        Returns a new sampler. It takes any of ``seed``, ``num_replicas``, ``rank`` and ``num_workers`` by name, and
        says by that which of them it can vary.
    claims
        What the sampler promises. A claim that is not made is not checked.
    table
        The table that the sampler draws from, for claims about columns.
    rows
        Number of its rows, where there is no table.
    batch_size
        For a sampler of single rows: how many make a batch.
    seeds
        The seeds that are tried; each check is run for each.
    expected_failures
        From the name of a check to the reason for which it fails. A check that passes after all is a failure.

    Raises
    ------
    SamplerFailure
        If a claim does not hold. The message names check, claim, the first offending batch, and the seed with which it
        is seen again.
    SettingError
        If a claim needs a table, or a factory that takes more; if a failure is expected of a check that is not run; if
        a number of rows or a seed is too small.
    SettingTypeError
        If the factory is not callable, or a number no integer.

    Notes
    -----
    Frequencies (`balance`, `uniform_within`) are tested with a false-alarm rate of at most 1e-6 a check and seed, for
    samplers whose batches are independent and whose rows are drawn one by one.

    Examples
    --------
    >>> from batchwright import Drawer, ExperimentSelector, PipelineSampler
    >>> table = {"donor": ["a"] * 30 + ["b"] * 20}
    >>> def factory(seed):
    ...     return PipelineSampler(table, [ExperimentSelector(by="donor"), Drawer()], batch_size=8, seed=seed)
    >>> check_sampler(factory, table=table, claims=Claims(batch_size=8, group="donor", length=True))
    """
    runs = list(_runs(factory, claims, table, rows, batch_size, seeds))
    expected = _expected(expected_failures, runs)
    outcomes = [_judged(run.outcome(), expected.get(run.check.name)) for run in runs]
    if not all(outcome.passed for outcome in outcomes):
        raise SamplerFailure(outcomes)


def parametrize_with_checks(
    factory: Callable[..., Iterable[Any]],
    *,
    claims: Claims,
    table: Any = None,
    rows: int | None = None,
    batch_size: int | None = None,
    seeds: Iterable[int] = _SEEDS,
    expected_failures: Mapping[str, str] | None = None,
) -> pytest.MarkDecorator:
    """Make one pytest item of each check: a decorator of a test that takes ``check`` and calls it.

    Parameters
    ----------
    factory, claims, table, rows, batch_size, seeds
        As of `check_sampler`.
    expected_failures
        From the name of a check to the reason for which it fails: a strict xfail, so that a check that passes
        after all is an error.

    Raises
    ------
    SettingError, SettingTypeError
        As of `check_sampler`.

    Examples
    --------
    >>> from torch.utils.data import BatchSampler, SequentialSampler
    >>> @parametrize_with_checks(
    ...     lambda: BatchSampler(SequentialSampler(range(50)), 8, drop_last=True),
    ...     rows=50,
    ...     claims=Claims(length=True, batch_size=8, new_epochs=True),
    ...     expected_failures={"new_epochs": "it is sequential", "new_epochs_in_workers": "it is sequential"},
    ... )
    ... def test_sequential(check):
    ...     check()
    """
    runs = list(_runs(factory, claims, table, rows, batch_size, seeds))
    expected = _expected(expected_failures, runs)
    return pytest.mark.parametrize("check", [_item(run, expected.get(run.check.name)) for run in runs])


def _check_ratio(claims: Claims, labels: Labels | None) -> None:
    """Raise unless a ratio names each label of its column, and no others."""
    if claims.ratio is None or labels is None:
        return
    wrong = set(claims.ratio) ^ set(labels.names(claims.balance))
    if wrong:
        msg = (
            f"ratio must name each label of {claims.balance!r} and no others; {len(wrong)} are missing or unknown: "
            f"{some_of(sorted(wrong, key=str))} (Claims). Correct the names; 0 is allowed."
        )
        raise SettingError(msg)


def _expected(failures: Mapping[str, str] | None, runs: Sequence[CheckRun]) -> dict[str, str]:
    """Return the failures that are expected, or raise if one is of a check that is not run."""
    names = [run.check.name for run in runs]
    unknown = sorted(set(failures or {}).difference(names))
    if unknown:
        msg = (
            f"Failures may be expected of checks that are run; {len(unknown)} are not: {some_of(unknown)} "
            f"(expected_failures). Name some of these: {some_of(names, len(names))}."
        )
        raise SettingError(msg)
    return dict(failures or {})


def _judged(outcome: Outcome, reason: str | None) -> Outcome:
    """Return an outcome as it counts where the check is expected to fail: the other way round, but for crashes."""
    if reason is None or not (outcome.passed or isinstance(outcome.failure, CheckFailure)):
        return outcome
    found = f"it passes, though it was expected to fail: {reason}" if outcome.passed else ""
    return attrs.evolve(outcome, passed=not outcome.passed, reason=found)


def _item(run: CheckRun, reason: str | None) -> Any:
    marks = [] if reason is None else [pytest.mark.xfail(reason=reason, strict=True, raises=CheckFailure)]
    return pytest.param(run, id=run.check.name, marks=marks)


def _runs(
    factory: Callable[..., Iterable[Any]],
    claims: Claims,
    table: Any,
    rows: int | None,
    batch_size: int | None,
    seeds: Iterable[int],
) -> Iterator[CheckRun]:
    """Yield the checks that the claims ask for, or raise where they cannot be run."""
    if not isinstance(claims, Claims):
        msg = f"claims must be Claims; got {claims!r} (check_sampler). Pass Claims(length=True, ...)."
        raise SettingTypeError(msg)
    numbers = tuple(check_integer(seed, "seeds", "check_sampler", 0, "Pass integers.") for seed in seeds)
    if not numbers:
        msg = "seeds must hold at least one seed; got 0 (check_sampler). Pass seeds=[0]."
        raise SettingError(msg)
    labels = None if table is None else Labels(table, claims.columns)
    _check_ratio(claims, labels)
    subject = Subject(factory, claims, labels, rows if labels is None else labels.rows, batch_size)
    for check in CHECKS:
        if check.is_asked_for(claims):
            check.require(subject)
            yield CheckRun(subject, check, numbers)
