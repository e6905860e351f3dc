"""`CHECKS`: the checks of samplers, which claim asks for which, and what each needs."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec

import attrs

from batchwright.errors import SettingError
from batchwright.testing.checks import composition, conduct, epochs, form, frequencies, ranks, resume
from batchwright.testing.claims import Claims
from batchwright.testing.subject import ARGUMENTS, Subject

__all__ = ["CHECKS", "Check"]


@attrs.frozen
class Check:
    """One check.

    Parameters
    ----------
    name
        Its name.
    claim
        The claim that asks for it.
    run
        Raises a `CheckFailure` for a sampler and a seed that do not keep the claim.
    value
        The value of the claim that asks for it; None for any.
    takes
        The arguments that the factory must take.
    needs
        What else must be there: ``"rows"``, their number; ``"table"``; or ``"torchdata"``, the library.
    """

    name: str
    claim: str
    run: Callable[[Subject, int], None]
    value: str | None = None
    takes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    def is_asked_for(self, claims: Claims) -> bool:
        """Tell whether the claims ask for this check."""
        return self.claim in claims.made and self.value in (None, getattr(claims, self.claim))

    def require(self, subject: Subject) -> None:
        """Raise unless all is there that this check needs."""
        missing = [name for name in self.takes if name not in subject.takes]
        if missing:
            msg = (
                f"The factory must take {missing} for claim `{self.claim}`; it takes {sorted(subject.takes)} out of "
                f"{ARGUMENTS} (check_sampler). Let it take them by name, or drop the claim."
            )
            raise SettingError(msg)
        there = {
            "rows": subject.rows > 0,
            "table": subject.table is not None,
            "torchdata": find_spec("torchdata") is not None,
        }
        for need in self.needs:
            if not there[need]:
                msg = (
                    f"Claim `{self.claim}` needs {_NEEDS[need]}; got none (check_sampler). "
                    f"{_WAYS_OUT[need]}, or drop the claim."
                )
                raise SettingError(msg)


_NEEDS = {"rows": "the number of rows", "table": "a table", "torchdata": "the library torchdata"}
_WAYS_OUT = {"rows": "Pass rows=... or table=...", "table": "Pass table=...", "torchdata": "Install torchdata"}

_WORLD = ("num_replicas", "rank")

CHECKS = (
    Check("indices", "indices", form.check_indices, needs=("rows",)),
    Check("batch_size", "batch_size", form.check_batch_size),
    Check("length", "length", form.check_length),
    Check("repeatable", "seeded", epochs.check_repeatable, takes=("seed",)),
    Check("unrelated_seeds", "unrelated_seeds", epochs.check_unrelated_seeds, takes=("seed",)),
    Check("new_epochs", "new_epochs", epochs.check_new_epochs),
    Check("new_epochs_in_workers", "new_epochs", epochs.check_new_epochs_in_workers, needs=("rows",)),
    Check("set_epoch", "set_epoch", epochs.check_set_epoch),
    Check("workers", "workers", epochs.check_workers, needs=("rows",)),
    Check("peeking", "peeking", epochs.check_peeking),
    Check("random_access", "random_access", epochs.check_random_access),
    Check("rank_steps", "ranks", ranks.check_rank_steps, "steps", _WORLD),
    Check("rank_rows", "ranks", ranks.check_rank_rows, "rows", _WORLD),
    Check("equal_ranks", "equal_ranks", ranks.check_equal_ranks, takes=_WORLD),
    Check("resume", "resume", resume.check_resume),
    Check("stateful_loader", "stateful_loader", resume.check_stateful_loader, needs=("rows", "torchdata")),
    Check("elastic", "elastic", resume.check_elastic, takes=_WORLD),
    Check("purity", "group", composition.check_purity, needs=("table",)),
    Check("leak", "leak", composition.check_leak, needs=("table",)),
    Check("quotas", "balance", composition.check_quotas, needs=("table",)),
    Check("mean_quotas", "balance", composition.check_mean_quotas, needs=("table",)),
    Check("even_draw", "even_draw", composition.check_even_draw, needs=("table",)),
    Check("coverage", "coverage", composition.check_coverage, needs=("rows",)),
    Check("frequencies", "uniform_within", frequencies.check_frequencies, needs=("table",)),
    Check("global_random_state", "isolated", conduct.check_global_random_state),
    Check("copies", "copies", conduct.check_copies),
    Check("hosts", "hosts", conduct.check_hosts),
)
