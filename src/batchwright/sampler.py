"""`PipelineSampler`: a chain over a table as the `batch_sampler=` of a DataLoader."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from hashlib import blake2b
from itertools import chain
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray
from torch.utils.data import Sampler

from batchwright._checks import check_flag, check_integer
from batchwright.ahead import Ahead
from batchwright.drawing import iterate_batches
from batchwright.errors import SettingError
from batchwright.index import MetadataIndex
from batchwright.passes import Pass, Progress
from batchwright.pipeline import Pipeline
from batchwright.plan import Plan
from batchwright.preflight import addresses, require_clean, short_shares
from batchwright.ranks import Ranks
from batchwright.stages.base import Element
from batchwright.state import Identity, Position
from batchwright.steps import Steps

__all__ = ["PipelineSampler"]

_log = logging.getLogger(__name__)

_COUNT_STEPS = "Count steps over all ranks from 0."


class PipelineSampler(Sampler[list[int]]):
    """Batches of a chain over a table: pass it to a DataLoader as `batch_sampler=`.

    Every batch is a pure function of (table, chain, seed, epoch, step). An epoch has ``rows // batch_size``
    steps over all ranks, where the rows are those that the filters of the chain keep.

    Parameters
    ----------
    table
        A pandas, polars or pyarrow table, a dict of arrays, or a `MetadataIndex` made before.
    stages
        The chain: stages in order and a drawer at the end, or a `Pipeline`.
    batch_size
        Rows of a batch.
    num_batches
        Steps of an epoch over all ranks, all of them full batches. By default the table sets the number.
    drop_last
        With False, rows that are left over make a last, smaller batch of the epoch.
    even_batches
        With True every rank delivers the same number of batches; the last round is filled with further, equally
        composed full batches. With False ranks may differ by one.
    num_replicas, rank
        Number of processes and number of this one. By default `torch.distributed` is asked when a pass begins,
        and without a process group there is one process. ``num_replicas=1`` alone means all batches, always.
    seed
        Integer from 0 to 2**64 - 1.
    auto_epoch
        With True a begun pass moves the sampler on, so that a plain loop never repeats an epoch. With False the
        epoch stays until `set_epoch`.
    strict
        With True the sampler is refused if `Plan.findings` has an error or a warning, such as a pool that is smaller
        than what a batch takes from it.

    Attributes
    ----------
    plan : Plan
        The chain over the table as a probability tree.

    Raises
    ------
    BatchwrightError
        For a table, chain or argument that cannot work: here, not in the middle of an epoch.
    PreflightError
        If `strict`, for what would else only be reported.

    Examples
    --------
    >>> from batchwright import Drawer, ExperimentSelector
    >>> table = {"donor": ["a"] * 6 + ["b"] * 3}
    >>> sampler = PipelineSampler(table, [ExperimentSelector(by="donor"), Drawer()], batch_size=3, seed=1)
    >>> len(sampler), [len(batch) for batch in sampler]
    (3, [3, 3, 3])
    """

    def __init__(
        self,
        table: Any,
        stages: Pipeline | Iterable[Element],
        batch_size: int,
        *,
        num_batches: int | None = None,
        drop_last: bool = True,
        even_batches: bool = True,
        num_replicas: int | None = None,
        rank: int | None = None,
        seed: int = 0,
        auto_epoch: bool = True,
        strict: bool = False,
    ) -> None:
        who = type(self).__name__
        size = check_integer(batch_size, "batch_size", who, 1, "Pass the number of rows of a batch.")
        self.seed = _check_seed(seed, who)
        self._ranks = Ranks.of(num_replicas, rank, who)
        self.plan = Plan(*_read(table, stages), size)
        self._steps = Steps.of(
            self.plan.universe.size,
            size,
            num_batches,
            drop_last=check_flag(drop_last, "drop_last", who),
            even_batches=check_flag(even_batches, "even_batches", who),
            who=who,
        )
        remainder = self._steps.remainder
        self._short_plan = Plan(self.plan.pipeline, self.plan.index, remainder) if remainder else None
        self._ahead = Ahead(self.plan)
        self._short_ahead = None if self._short_plan is None else Ahead(self._short_plan)
        self._identity = self._identify()
        self._progress = Progress(self._steps.count, auto_epoch=check_flag(auto_epoch, "auto_epoch", who))
        # Where an epoch is one batch smaller than asked for, there is none of the size that is asked for.
        looked_at = self._short_plan if self._short_plan is not None and self._steps.count == 1 else self.plan
        if check_flag(strict, "strict", who):
            require_clean(looked_at.findings(), who)
        # A chain that cannot work is found out as its situations are worked out.
        for plan in filter(None, (self.plan, self._short_plan)):
            _ = plan.trunk
        shares = short_shares(looked_at.trunk, looked_at.most_drafts)
        for finding in filter(None, (addresses(self.plan.pipeline), shares)):
            _log.warning("%s: %s", who, finding.text)

    def __len__(self) -> int:
        """Return the number of batches that this rank delivers in an epoch."""
        return len(self._steps.of_rank(0, *self._ranks.now()))

    def __iter__(self) -> Pass:
        """Return a new pass; nothing happens until its first batch is asked for."""
        return Pass(self._progress, self._identity, self._deliver)

    @property
    def batch_size(self) -> int | None:
        """Rows of a batch; None where the last one of an epoch is smaller. Build a new sampler for another size."""
        return None if self._steps.remainder else self.plan.batch_size

    @property
    def num_batches(self) -> int:
        """Steps of an epoch, over all ranks."""
        return self._steps.count

    @property
    def num_replicas(self) -> int:
        """The number of processes, as it is now."""
        return self._ranks.now()[1]

    @property
    def rank(self) -> int:
        """The number of this process, as it is now."""
        return self._ranks.now()[0]

    @property
    def epoch(self) -> int:
        """The epoch of the running pass, or else of the next one."""
        return self._progress.epoch

    @property
    def sampler(self) -> PipelineSampler:
        """The sampler itself: `batch_sampler.sampler` is where trainers look for `set_epoch`."""
        return self

    def set_epoch(self, epoch: int) -> None:
        """Set the epoch of the next pass; the one that is set already keeps a position to resume from."""
        self._progress.set_epoch(self._check_epoch(epoch))

    def seek(self, epoch: int, step: int) -> None:
        """Let the next pass begin at a step of an epoch; O(1).

        Steps count over all ranks; the number of steps itself means the start of the next epoch.
        """
        self._progress.move(self._check_position(epoch, step, "seek"))

    def batch(self, step: int, epoch: int | None = None) -> list[int]:
        """Return the batch that iteration delivers at a step, counted over all ranks; O(1), changes nothing.

        Raises
        ------
        IndexError
            If the epoch has no such step.
        """
        number = check_integer(step, "step", type(self).__name__, None, _COUNT_STEPS)
        if not 0 <= number < self._steps.count:
            msg = (
                f"step must be in [0, {self._steps.count}), the steps of an epoch; got {step} "
                f"({type(self).__name__}.batch). Count over all ranks from 0."
            )
            raise IndexError(msg)
        plan = self._short_plan if self._short_plan is not None and number == self._steps.count - 1 else self.plan
        where = self.epoch if epoch is None else self._check_epoch(epoch)
        return next(iterate_batches(plan, self.seed, where, range(number, number + 1)))

    def expected_visits(self) -> NDArray[np.float64]:
        """Return for each row of the table how often it comes in an epoch on average: float64, shape (N,).

        The sum over all ranks, without batches that fill the last round; see `Plan.expectation` for its cost.
        """
        if self._short_plan is None:
            return self._steps.count * self.plan.expected_visits()
        return (self._steps.count - 1) * self.plan.expected_visits() + self._short_plan.expected_visits()

    def state_dict(self) -> dict[str, Any]:
        """Return the position as a fresh dict of plain values: epoch, global step, and what they belong to.

        A loader that works ahead is behind this position; take the state from a stateful loader then, or use
        `state_at` with the trainer's own count.
        """
        return self._identity.write(self._progress.position)

    def state_at(self, epoch: int, step: int) -> dict[str, Any]:
        """Return the state of a run that has done so many steps of an epoch, counted over all ranks; O(1).

        It changes nothing: a trainer whose loader works ahead saves its own count by it.
        """
        return self._identity.write(self._check_position(epoch, step, "state_at"))

    def load_state_dict(self, state: dict[str, Any] | None) -> None:
        """Continue where a state was taken, on any number of ranks; None means that nothing was saved.

        Raises
        ------
        StateError
            If the state was altered, or belongs to another table, chain, seed or version. Nothing is changed then.
        """
        if state is not None:
            self._progress.move(self._identity.read(state))

    def _deliver(self, start: Position) -> tuple[Iterator[list[int]], int]:
        """Return this rank's batches from a position on, and the steps that each of them takes."""
        rank, num_replicas = self._ranks.now()
        steps = self._steps.of_rank(start.step, rank, num_replicas)
        if not self._progress.compared:
            entries = {**attrs.asdict(self._identity), "even_batches": self._steps.even_batches, **attrs.asdict(start)}
            # A rank that has no batch left may have ended a step earlier.
            if not steps and not self._steps.even_batches:
                del entries["step"]
            self._ranks.compare(entries, type(self).__name__)
            self._progress.compared = True
        return self._batches(start.epoch, steps), num_replicas

    def _batches(self, epoch: int, steps: range) -> Iterator[list[int]]:
        """Return the batches of the given steps; the last one of the epoch may be short."""
        # A round is filled by other ranks than the one that has the last step.
        if self._short_ahead is None or not steps or steps[-1] != self._steps.count - 1:
            return self._ahead.batches(self.seed, epoch, steps)
        full, short = (self._ahead, steps[:-1]), (self._short_ahead, steps[-1:])
        return chain.from_iterable(ahead.batches(self.seed, epoch, part) for ahead, part in (full, short))

    def _identify(self) -> Identity:
        settings = repr((self.plan.pipeline, self.plan.batch_size, self._steps.count, self.batch_size))
        digest = blake2b(settings.encode(), digest_size=8).hexdigest()
        return Identity(self.plan.index.fingerprint, digest, self.seed)

    def _check_position(self, epoch: int, step: int, asked: str) -> Position:
        who = type(self).__name__
        done = check_integer(step, "step", who, 0, _COUNT_STEPS)
        if done > self._steps.count:
            msg = (
                f"step must be at most {self._steps.count}, the steps of an epoch; got {step} ({who}.{asked}). "
                "Count over all ranks, or set the epoch."
            )
            raise SettingError(msg)
        return Position(self._check_epoch(epoch), done)

    def _check_epoch(self, epoch: int) -> int:
        return check_integer(epoch, "epoch", type(self).__name__, 0, "Count epochs from 0.")


def _read(table: Any, stages: Pipeline | Iterable[Element]) -> tuple[Pipeline, MetadataIndex]:
    pipeline = stages if isinstance(stages, Pipeline) else Pipeline(stages)
    if isinstance(table, MetadataIndex):
        return pipeline, table
    return pipeline, MetadataIndex.from_table(table, by=pipeline.key_columns, order_by=pipeline.order_column)


def _check_seed(seed: int, who: str) -> int:
    way_out = "Pass any integer from 0 to 2**64 - 1."
    number = check_integer(seed, "seed", who, 0, way_out)
    if number >= 2**64:
        msg = f"seed must be below 2**64; got {seed} ({who}). {way_out}"
        raise SettingError(msg)
    return number
