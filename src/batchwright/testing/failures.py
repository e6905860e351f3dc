"""What checks find: `CheckFailure`, `SamplerFailure`, `StageFailure`, and the `Outcome` of each check."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from batchwright.errors import BatchwrightError

__all__ = ["CheckFailure", "Outcome", "SamplerFailure", "StageFailure", "Where", "shown"]

_ROWS_SHOWN = 16


@attrs.frozen
class Where:
    """The address of a batch, as far as it matters: what it takes to see it again.

    Parameters
    ----------
    seed
        The seed that the sampler was made with.
    epoch
        The epoch, or the number of the pass of a sampler that has no `set_epoch`.
    step
        The number of the batch in what this rank delivers.
    rank, num_replicas
        The process that delivers it, where there are several.
    """

    seed: int | None = None
    epoch: int | None = None
    step: int | None = None
    rank: int | None = None
    num_replicas: int | None = None

    def __str__(self) -> str:
        rank = f"rank {self.rank} of {self.num_replicas}" if self.rank is not None else ""
        parts = {"batch": self.step, "epoch": self.epoch, "seed": self.seed}
        return ", ".join([*(f"{name} {value}" for name, value in parts.items() if value is not None), rank]).rstrip(
            ", "
        )


class CheckFailure(BatchwrightError, AssertionError):  # noqa: N818 - a test fails; nothing is in error.
    """A claim does not hold.

    Parameters
    ----------
    rule
        What is claimed, as a sentence.
    found
        What was found instead, with the number.
    where
        The address of the first offending batch.
    batch
        That batch, if there is one.
    claim
        The name of the claim, which the kit adds.
    seed
        The seed of the check, with which it is seen again; the kit adds it, too.
    """

    def __init__(
        self,
        rule: str,
        found: str,
        where: Where,
        batch: Sequence[int] | None = None,
        claim: str = "",
        seed: int | None = None,
    ) -> None:
        self.rule, self.found, self.where, self.claim, self.seed = rule, found, where, claim, seed
        self.batch = None if batch is None else list(batch)
        rows = "" if self.batch is None else f" The batch: {shown(self.batch)}."
        way_out = f" Replay it with seeds=[{seed}], or drop the claim `{claim}`." if claim else ""
        super().__init__(f"{rule}; {found} ({where}).{rows}{way_out}")

    def __reduce__(self) -> tuple[type[CheckFailure], tuple[object, ...]]:
        return type(self), (self.rule, self.found, self.where, self.batch, self.claim, self.seed)


class StageFailure(BatchwrightError, AssertionError):  # noqa: N818 - a test fails; nothing is in error.
    """A stage or a drawer does not keep a law.

    Parameters
    ----------
    rule
        The law, as a sentence.
    found
        What was found instead.
    element
        The stage or the drawer.
    """

    def __init__(self, rule: str, found: str, element: object) -> None:
        self.rule, self.found, self.element = rule, found, element
        super().__init__(f"{rule}; {found} ({element!r}). The example that shows it stands beside; mend the method.")

    def __reduce__(self) -> tuple[type[StageFailure], tuple[object, ...]]:
        return type(self), (self.rule, self.found, self.element)


@attrs.frozen
class Outcome:
    """What became of one check.

    Parameters
    ----------
    check, claim
        The names of the check and of the claim that asks for it.
    passed
        Whether the claim holds.
    reason
        Why it does not; empty if it does.
    failure
        The exception, if it failed: a `CheckFailure`, or what the sampler itself raised.
    """

    check: str
    claim: str
    passed: bool
    reason: str = ""
    failure: Exception | None = None


class SamplerFailure(BatchwrightError, AssertionError):  # noqa: N818 - a test fails; nothing is in error.
    """Some claims of a sampler do not hold.

    Parameters
    ----------
    outcomes
        What became of each check that was run.
    """

    def __init__(self, outcomes: Sequence[Outcome]) -> None:
        self.outcomes = tuple(outcomes)
        failed = [outcome for outcome in outcomes if not outcome.passed]
        lines = [f"{outcome.check} (claim `{outcome.claim}`): {outcome.reason}" for outcome in failed]
        super().__init__("\n".join([f"{len(failed)} of {len(outcomes)} checks failed:", *lines]))

    def __reduce__(self) -> tuple[type[SamplerFailure], tuple[Sequence[Outcome]]]:
        return type(self), (self.outcomes,)


def shown(batch: list[int]) -> str:
    """Return the rows of a batch as text, the first of them if there are many."""
    more = len(batch) - _ROWS_SHOWN
    return f"{batch[:_ROWS_SHOWN]} and {more} more rows" if more > 0 else str(batch)
