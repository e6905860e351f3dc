"""`prepare_loader`: a loader for accelerate and the transformers Trainer, divided among processes by its sampler."""

from __future__ import annotations

from typing import Any, TypeVar

import torch
from accelerate import PartialState
from accelerate.data_loader import DataLoaderAdapter, prepare_data_loader
from torch.utils.data import DataLoader

from batchwright.errors import LoaderError
from batchwright.sampler import PipelineSampler

__all__ = ["prepare_loader"]

Batch = TypeVar("Batch")


def prepare_loader(loader: DataLoader[Batch], device: torch.device | None = None) -> DataLoader[Batch]:
    """Return the loader that accelerate makes of this one, save that the sampler alone divides the batches.

    It takes the place of `Accelerator.prepare`, which would divide them once more; a later `prepare` leaves the
    loader as it is. docs/hosts/accelerate.md and docs/hosts/transformers.md show it in a training loop.

    Parameters
    ----------
    loader
        A DataLoader or StatefulDataLoader as it was built, with a `PipelineSampler` as its `batch_sampler`.
    device
        Where batches are put; by default where accelerate trains.

    Raises
    ------
    LoaderError
        If the loader is prepared already or draws from something else, or if the sampler was built with
        `num_replicas=1` and there are several processes.
    """
    state = PartialState()  # It starts the process group, which the sampler asks for its rank.
    sampler = _find_dividing_sampler(loader, state.num_processes)
    position, stateful = sampler.state_dict(), hasattr(loader, "state_dict")
    prepared: Any = prepare_data_loader(
        loader,
        device=state.device if device is None else device,
        num_processes=1,
        process_index=0,
        put_on_device=True,
        use_stateful_dataloader=stateful,
    )
    if stateful:  # Asked for its state by accelerate, it has begun an epoch, perhaps not the one that will be set.
        prepared.load_state_dict({})
        sampler.load_state_dict(position)
    prepared.set_epoch(sampler.epoch)  # It counts epochs itself, from 0, and tells the sampler.
    prepared._is_accelerate_prepared = True  # noqa: SLF001 - the mark by which `Accelerator.prepare` passes it over.
    result: DataLoader[Batch] = prepared
    return result


def _find_dividing_sampler(loader: DataLoader[Any], processes: int) -> PipelineSampler:
    sampler = loader.batch_sampler
    if isinstance(loader, DataLoaderAdapter) or not isinstance(sampler, PipelineSampler):
        msg = (
            "A loader must be prepared 1 time, as it was built, with a PipelineSampler as its batch_sampler; got a "
            f"{type(loader).__name__} over a {type(sampler).__name__} (prepare_loader). Pass that DataLoader."
        )
        raise LoaderError(msg)
    if sampler.num_replicas == 1 < processes:
        msg = (
            f"A sampler must divide its batches among {processes} processes; got num_replicas=1, by which all would "
            f"be trained on the same ({type(sampler).__name__}). Leave num_replicas away, or use Accelerator.prepare."
        )
        raise LoaderError(msg)
    return sampler
