"""`SamplerState`: a callback of Lightning by which a resumed run goes on with the very next batch."""

from __future__ import annotations

from typing import Any

from batchwright.errors import StateError
from batchwright.hosts.loaders import check, find_sampler
from batchwright.sampler import PipelineSampler

try:
    from lightning.pytorch import Callback
except ImportError:
    from pytorch_lightning import Callback

__all__ = ["SamplerState"]

_KEY = "batchwright"


class SamplerState(Callback):
    """Keep the sampler's position in the trainer's checkpoints, and go on from there.

    The position is what was trained, by the trainer's count: the sampler itself has been asked for more, by workers.
    It counts steps over all ranks, so a run may be resumed on another number of processes. How to use it is shown in
    ``docs/hosts/lightning.md``.

    Parameters
    ----------
    sampler
        The sampler that is trained with. By default it is looked for behind the training loader, which is checked.

    Raises
    ------
    LoaderError
        When training begins: if no sampler stands behind the loader, or its batches would not arrive as planned.
    StateError
        When training begins: if a checkpoint belongs to another table, chain, seed or version, or its epoch has no
        step left.
    """

    def __init__(self, sampler: PipelineSampler | None = None) -> None:
        self._given = sampler
        self._sampler: PipelineSampler | None = None
        self._loaded: dict[str, Any] | None = None
        self._resumed, self._before = 0, 0  # An epoch, and the steps of it that the trainer's count does not show.

    def setup(self, trainer: Any, pl_module: Any, stage: str) -> None:  # noqa: ARG002 - hooks are called so.
        """Forget another run; one that has ended keeps its position while its model is validated or tested."""
        if stage == "fit":
            self._sampler, self._loaded, self._resumed, self._before = None, None, 0, 0

    def on_load_checkpoint(self, trainer: Any, pl_module: Any, checkpoint: dict[str, Any]) -> None:  # noqa: ARG002 - hooks are called so.
        """Keep the position until there is a loader, and let the trainer begin in its epoch."""
        self._loaded = checkpoint.get(_KEY)
        # A state that lacks these is refused by the sampler, which says why.
        if self._loaded is not None and {"epoch", "step"} <= set(self._loaded):
            _settle(checkpoint["loops"]["fit_loop"], self._loaded["epoch"], begun=self._loaded["step"] > 0)

    def on_train_start(self, trainer: Any, pl_module: Any) -> None:  # noqa: ARG002 - hooks are called so.
        """Move the sampler to the position, and the trainer's count of batches along with it."""
        sampler = self._sampler = _behind(trainer.train_dataloader) if self._given is None else self._given
        state = self._state(sampler, trainer) if self._loaded is None else self._loaded
        sampler.load_state_dict(state)
        epoch, step = state["epoch"], state["step"]
        begun = trainer.fit_loop.epoch_progress.current.processed
        if epoch < begun:  # An earlier fit has left it early, and the trainer begins the next one.
            epoch, step = begun, 0
            sampler.seek(epoch, step)
        self._resumed, self._before = epoch, 0
        if step:
            done = _done(sampler, min(len(sampler), trainer.num_training_batches), step)
            self._before = step - done * sampler.num_replicas
            _count(trainer.fit_loop.epoch_loop.batch_progress.current, done)
        # The trainer has iterated its loader already, and workers have asked for batches from elsewhere.
        iter(trainer.fit_loop._data_fetcher)  # noqa: SLF001 - there is no public name for it.

    def on_save_checkpoint(self, trainer: Any, pl_module: Any, checkpoint: dict[str, Any]) -> None:  # noqa: ARG002 - hooks are called so.
        """Write the position; before a training there is none."""
        if self._sampler is not None:
            checkpoint[_KEY] = self._state(self._sampler, trainer)

    def _state(self, sampler: PipelineSampler, trainer: Any) -> dict[str, Any]:
        epoch, done = _trained(trainer.fit_loop)
        before = self._before if epoch == self._resumed else 0
        return sampler.state_at(epoch, min(done * sampler.num_replicas + before, sampler.num_batches))


def _behind(loader: Any) -> PipelineSampler:
    check(loader)
    return find_sampler(loader)


def _trained(fit_loop: Any) -> tuple[int, int]:
    """Return the epoch in which training goes on, and how many batches of it this rank has been trained on."""
    epochs, batches = fit_loop.epoch_progress.current, fit_loop.epoch_loop.batch_progress
    done = batches.current.processed
    running = epochs.started > epochs.processed
    # Between epochs the counts are still those of the last one, which may have been left early.
    ended = (batches.is_last_batch and batches.current.ready == done) or not (running or done)
    epoch = epochs.processed if running else epochs.processed - 1
    return (epoch + 1, 0) if ended else (epoch, done)


def _settle(loops: dict[str, Any], epoch: int, *, begun: bool) -> None:
    """Let the trainer begin an epoch, or go on within it, where by its own count it would not.

    It takes an epoch that `max_steps` has cut for a whole one, counts the batches of a whole one into the next one if
    there are `max_steps`, and begins the next one unnoticed after a checkpoint of a last batch.
    """
    epochs, batches = loops["epoch_progress"], loops["epoch_loop.batch_progress"]
    if epochs["current"]["started"] > epochs["current"]["processed"]:
        if begun or batches["current"]["completed"] == batches["current"]["processed"]:
            return
        loops["epoch_loop.state_dict"]["_batches_that_stepped"] += 1  # As the trainer counts for its loggers.
    for count in epochs.values():
        count.update(ready=epoch + begun, started=epoch + begun, processed=epoch, completed=epoch)
    if not begun:
        batches["is_last_batch"] = False
        batches["current"] = dict.fromkeys(batches["current"], 0)
        batches["total"] = dict.fromkeys(batches["total"], batches["total"]["processed"])


def _done(sampler: PipelineSampler, batches: int, step: int) -> int:
    """Return how many batches of a rank count as done, so that it has its part of the other steps left."""
    ranks = sampler.num_replicas
    end = min(sampler.num_batches, batches * ranks)
    if step >= end:
        msg = (
            f"A resumed epoch must have steps left; {step} of {end} are done (SamplerState). Resume on as many "
            "processes as before, or raise limit_train_batches, which counts batches of one rank."
        )
        raise StateError(msg)
    return batches + (step - end) // ranks


def _count(batches: Any, done: int) -> None:
    """Let the trainer take so many batches for done."""
    missing = done - batches.processed
    for name, number in vars(batches).items():
        setattr(batches, name, number + missing)
