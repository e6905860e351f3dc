"""A look at a chain over a table before it is used: what will not go as it is asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from batchwright._checks import some_of
from batchwright.errors import PreflightError
from batchwright.expectation import Expectation
from batchwright.finding import Finding
from batchwright.index import MetadataIndex
from batchwright.pipeline import Pipeline
from batchwright.pool import Pool
from batchwright.ragged import totals
from batchwright.stack import DraftStack
from batchwright.stages import ConditionBalancer, ExperimentSelector, Stage
from batchwright.survey import Survey
from batchwright.trunk import Trunk

__all__ = ["addresses", "findings", "require_clean", "short_shares"]

_LEAVES_SEEN = 512
_NAMED = 3
# Of many small pools so many of the worst are gone through for different groups.
_DESCRIBED = 100
# Odd numbers of 61 bits.
_MIX = (0x1E3779B97F4A7C15, 0x1F58476D1CE4E5B9)
# As the repr of functions, and of objects without one of their own, has it.
_ADDRESS = " at 0x"
_ORDER = ("error", "warning", "note")
# The setting of a stage in which 0 leaves a label out.
_WEIGHED_BY: dict[type[Stage], str] = {ExperimentSelector: "weights", ConditionBalancer: "ratio"}


def short_shares(trunk: Trunk, most: int) -> Finding | None:
    """Warn of shares that are smaller than what a batch takes from them, the worst first; None where none is.

    Of a tree with very many leaves only some are looked at, and at most `most`: those of the smallest groups.
    """
    return _short(trunk.some(min(_LEAVES_SEEN, most)))


def addresses(pipeline: Pipeline) -> Finding | None:
    """Warn of stages by which positions of one process are refused in another, before such a position is needed."""
    passing = [text for text in map(repr, pipeline.stages) if _ADDRESS in text]
    if not passing:
        return None
    message = (
        "A stage must have the same repr in every process, since saved positions and ranks are compared by it; "
        f"{len(passing)} of {len(pipeline.stages)} show an address in memory ({some_of(passing)})."
    )
    return Finding("warning", message, "Give such a stage a `__repr__` of its settings.")


def findings(survey: Survey) -> tuple[Finding, ...]:
    """Return all that is found in a chain that was gone through, errors first."""
    return tuple(sorted(_all_findings(survey), key=lambda finding: _ORDER.index(finding.severity)))


def require_clean(found: Iterable[Finding], who: str) -> None:
    """Raise a `PreflightError` if there is an error or a warning."""
    grave = [finding for finding in found if finding.severity != "note"]
    if grave:
        listed = "".join(f"\n- {finding}" for finding in grave)
        msg = (
            f"A strict sampler must have no errors and no warnings; got {len(grave)} ({who}). Mend what is listed, or "
            f"leave `strict` off.{listed}"
        )
        raise PreflightError(msg)


def _all_findings(survey: Survey) -> Iterator[Finding]:
    for number, level in enumerate(survey.levels):
        with survey.pipeline.context(number):
            yield from level.stage.findings(level.before)
    short = _short(survey.leaves)
    if short is not None:
        yield short
    if survey.expectation is None:
        message = (
            f"A preflight looks at up to {survey.most} compositions of a batch; here are more, and "
            f"{len(survey.leaves)} of small groups were."
        )
        way_out = "Call Plan.expectation for what is exact of each row; it goes through all of them."
        yield Finding("note", message, way_out)
    elif survey.expectation.unreached:
        yield _unreached(survey.expectation, survey.pipeline)


def _short(seen: DraftStack) -> Finding | None:
    sizes, quotas = seen.pools.sizes, seen.quotas
    short = np.flatnonzero(quotas > sizes)
    if not short.size:
        return None
    # A pool comes once, with the largest quota that is taken from it.
    short = short[np.argsort(sizes[short] / quotas[short], kind="stable")]
    # Ranges as large numbers, as good as random, whose sums tell pools apart.
    mixed = seen.pools.starts * _MIX[0] ^ seen.pools.stops * _MIX[1]
    keys = np.column_stack([sizes, totals(mixed * mixed, seen.pools.bounds)])[short]
    worst = short[np.sort(np.unique(keys, axis=0, return_index=True)[1])]
    named: dict[str, str] = {}
    for s in worst[:_DESCRIBED].tolist():
        named.setdefault(seen.index.describe(seen.pools[s]), f"({sizes[s]} rows for {quotas[s]})")
    listed = "; ".join(f"{name} {rows}" for name, rows in list(named.items())[:_NAMED])
    message = (
        f"A pool should hold the rows that a batch takes from it; {worst.size} do not, in {len(seen)} compositions "
        f"looked at, and their rows repeat evenly within a batch: {listed}{'; ...' if worst.size > _NAMED else ''}."
    )
    way_out = "Lower batch_size, or filter these groups out."
    if any("window" in done for done in seen.done.tolist()):
        way_out = f"Where a window cuts them, raise half_width or global_fraction. {way_out}"
    return Finding("warning", message, way_out)


def _unreached(expectation: Expectation, pipeline: Pipeline) -> Finding:
    """Tell of rows that no batch holds, and name the labels of which none is held; warn unless all are meant."""
    pool, universe = expectation.unreached, expectation.universe
    index = expectation.visits.index
    whole = []
    for column in index.columns:
        missed, kept = index.groups(pool, column), index.groups(universe, column)
        sizes = dict(zip(kept.labels, kept.sizes.tolist(), strict=True))
        pairs = zip(missed.labels, missed.sizes.tolist(), strict=True)
        labels = [label for label, size in pairs if size == sizes[label]]
        whole += [f"{column}: {some_of(labels)}"] if labels else []
    named = f"; all rows of {'; of '.join(whole)}" if whole else ""
    message = f"Every row should stand in some batch; {pool.size} of {universe.size} stand in none{named}."
    if not pool - _of_weight_0(index, universe, pipeline):
        return Finding("note", message, "Raise their weight or ratio from 0 if batches should hold them.")
    return Finding("warning", message, "Filter them out if they should stay away, or see which stage passes them over.")


def _of_weight_0(index: MetadataIndex, universe: Pool, pipeline: Pipeline) -> Pool:
    """Return the rows of the labels that a stage was asked to leave out."""
    found = Pool.empty(index.size)
    for stage in pipeline.steps:
        given = getattr(stage, _WEIGHED_BY.get(type(stage), ""), None)
        if given is not None:
            groups = index.groups(universe, stage.by)
            pools = groups.pools.take(np.flatnonzero([given.get(label) == 0 for label in groups.labels]))
            found |= Pool.of(pools.starts, pools.stops, index.size)
    return found
