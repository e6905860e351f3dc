"""`check` and `find_sampler`: whether a loader, as a host has made it, delivers what its sampler plans."""

from __future__ import annotations

from collections.abc import Iterator
from operator import length_hint
from typing import Any

from torch.utils.data import BatchSampler, DistributedSampler

from batchwright.errors import LoaderError
from batchwright.ranks import Ranks
from batchwright.sampler import PipelineSampler

__all__ = ["check", "find_sampler"]

# Where loaders and wrappers keep what they draw from; a PipelineSampler is looked for behind these names, in order.
_INNER = ("base_dataloader", "dataloader", "batch_sampler", "sampler", "_batch_sampler", "_sampler")
_DEEPEST = 8

_WAY_OUT = "Leave num_replicas away and use batchwright.hosts.accelerate.prepare_loader."
_LEAVE_ALONE = (
    "Have hosts leave samplers alone (Lightning: use_distributed_sampler=False; Ray: add_dist_sampler=False)."
)


def find_sampler(loader: Any) -> PipelineSampler:
    """Return the `PipelineSampler` that a loader draws from, behind all wrappers.

    Parameters
    ----------
    loader
        A DataLoader, or what a host has made of it.

    Raises
    ------
    LoaderError
        If there is none, since a host has put another sampler in its place.

    Examples
    --------
    >>> from torch.utils.data import DataLoader
    >>> from batchwright import Drawer
    >>> sampler = PipelineSampler({"donor": ["a", "b"]}, [Drawer()], batch_size=2)
    >>> find_sampler(DataLoader(range(2), batch_sampler=sampler)) is sampler
    True
    """
    sampler: PipelineSampler = _way_to_sampler(loader)[-1]
    return sampler


def check(loader: Any) -> None:
    """Raise if a loader would not deliver the batches of its sampler as planned, and say how to mend it.

    Call it on what is trained with, after the host has prepared it and, with several processes, on each of them.

    Parameters
    ----------
    loader
        A DataLoader, or what a host has made of it.

    Raises
    ------
    LoaderError
        Naming every fault: batches divided among ranks twice or not at all, cut, repeated or reordered in doing so,
        an epoch that does not reach the sampler, a length that is not the sampler's, a dataset of more or fewer rows
        than the sampler's table, batches of batches, no `PipelineSampler` at all.

    Examples
    --------
    >>> from torch.utils.data import DataLoader
    >>> from batchwright import Drawer
    >>> sampler = PipelineSampler({"donor": ["a", "b"]}, [Drawer()], batch_size=2)
    >>> check(DataLoader(range(2), batch_sampler=sampler))
    >>> check(DataLoader(range(2), sampler=sampler, batch_size=2))  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    batchwright.errors.LoaderError: A loader must deliver a sampler's batches as planned; 1 fault (DataLoader): ...
    """
    way = _way_to_sampler(loader)
    # Where batches are divided wrongly the length is wrong too, which would be said twice.
    faults = [*_division(way), *_batching(way), *_epoch(way), *_rows(way)] or [*_length(way)]
    if faults:
        number = f"{len(faults)} fault{'s' if len(faults) > 1 else ''}"
        msg = f"A loader must deliver a sampler's batches as planned; {number} ({_name(loader)}): {' '.join(faults)}"
        raise LoaderError(msg)


def _way_to_sampler(loader: Any) -> list[Any]:
    """Return what stands between a loader and its sampler, both included, outermost first."""
    for way in _ways(loader, 0):
        return way
    msg = (
        "A loader must draw from a PipelineSampler; 0 of them stand behind this one, a host has put another in the "
        f"place ({_name(loader)}). {_LEAVE_ALONE}"
    )
    raise LoaderError(msg)


def _ways(holder: Any, depth: int) -> Iterator[list[Any]]:
    if isinstance(holder, PipelineSampler):
        yield [holder]
    elif depth < _DEEPEST:
        # A dataset may hold anything, but that of a DistributedSampler is what it draws from.
        for name in ("dataset",) if isinstance(holder, DistributedSampler) else _INNER:
            inner = getattr(holder, name, None)
            if inner is not None and inner is not holder:
                yield from ([holder, *way] for way in _ways(inner, depth + 1))


def _parts(one: Any) -> int:
    """Return among how many processes something on the way divides batches: accelerate's and torch's words for it."""
    divider = one.state if _name(one) == "DataLoaderDispatcher" else one
    count = getattr(divider, "num_replicas" if isinstance(one, DistributedSampler) else "num_processes", 1)
    return count if isinstance(count, int) else 1


def _division(way: list[Any]) -> Iterator[str]:
    # Even for one process a DistributedSampler has an order of its own, and torch's deals out numbers, not batches.
    sampler, dividers = way[-1], [one for one in way[:-1] if _parts(one) > 1 or isinstance(one, DistributedSampler)]
    for one in dividers:
        yield from _divider(one, sampler)
    _, processes = Ranks(None).now()
    if not dividers and sampler.num_replicas == 1 < processes:
        yield f"Nothing divides the batches among {processes} processes: all get the same. Leave num_replicas away."


def _divider(one: Any, sampler: PipelineSampler) -> Iterator[str]:
    count, length = _parts(one), len(sampler)
    if isinstance(one, DistributedSampler):
        processes = f"{count} process{'es' if count > 1 else ''}"
        yield (
            f"{_name(one)} deals batches out among {processes} in an order of its own. Pass the sampler itself in its "
            f"place. {_LEAVE_ALONE}"
        )
    elif sampler.num_replicas > 1:
        yield (
            f"{_name(one)} divides the batches of one rank among {count} processes, so that the others' are never "
            "delivered. Use batchwright.hosts.accelerate.prepare_loader in place of prepare, or build the sampler "
            "with num_replicas=1."
        )
    elif _name(one) == "DataLoaderDispatcher":
        yield f"{_name(one)} joins batches and cuts them anew. {_WAY_OUT}"
    elif getattr(one, "split_batches", False):
        yield f"{_name(one)} cuts each batch into {count} parts of another composition. {_WAY_OUT}"
    elif length % count:
        unequal = "repeats batches" if getattr(one, "even_batches", True) else "is uneven"
        yield f"{_name(one)} {unequal} where {count} processes share {length} batches. {_WAY_OUT}"


def _batching(way: list[Any]) -> Iterator[str]:
    for one in way[:-1]:
        if type(one) is BatchSampler:
            yield (
                f"BatchSampler makes batches of {one.batch_size} batches. Pass the sampler as batch_sampler=, or as "
                "sampler= with batch_size=None."
            )


def _epoch(way: list[Any]) -> Iterator[str]:
    sampler, loader = way[-1], way[0]
    outer = (getattr(loader, "batch_sampler", None), getattr(loader, "sampler", None))
    seen = [*outer, *(getattr(one, "sampler", None) for one in outer)]
    if hasattr(loader, "set_epoch"):  # accelerate looks one wrapper deeper.
        seen.append(getattr(getattr(outer[0], "batch_sampler", None), "sampler", None))
    # A DistributedSampler that holds the sampler must give way to it, and then the epoch is set.
    if not any(one is sampler for one in seen) and not isinstance(way[-2], DistributedSampler):
        yield (
            f"set_epoch does not reach the sampler through {_name(way[-2])}. Set loader.batch_sampler.sampler to the "
            "sampler, or call its set_epoch before each epoch."
        )


def _rows(way: list[Any]) -> Iterator[str]:
    table: int = way[-1].plan.index.size
    dataset: Any = getattr(way[0], "dataset", None)
    if hasattr(dataset, "__len__") and len(dataset) != table:
        yield (
            f"The dataset has {len(dataset)} rows where the table of the sampler has {table}, in which its row numbers "
            "count. Pass both the same rows: a torch.utils.data.Subset where the table is a part."
        )


def _length(way: list[Any]) -> Iterator[str]:
    length = len(way[-1])
    for one in reversed(way[:-1]):
        length = -(-length // _parts(one)) - getattr(one, "skip_batches", 0)
    reported = length_hint(way[0])  # 0 if it has none, which hosts do not take either.
    if reported != length:
        yield (
            f"{_name(way[0])} reports a length of {reported} where {length} batches are delivered. Leave __len__ to "
            "the sampler."
        )


def _name(one: Any) -> str:
    return type(one).__name__
