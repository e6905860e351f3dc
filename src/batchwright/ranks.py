"""`Ranks`: which process of how many this one is, and whether they all mean the same sampler."""

from __future__ import annotations

import json
from typing import Any

import attrs
import torch.distributed

from batchwright._checks import check_integer
from batchwright.errors import RanksError, SettingError

__all__ = ["Ranks"]


@attrs.frozen
class Ranks:
    """Rank and number of processes: as they were given, or else as the process group says when asked.

    Parameters
    ----------
    given
        (rank, num_replicas), or None to ask `torch.distributed`.
    """

    given: tuple[int, int] | None

    @classmethod
    def of(cls, num_replicas: int | None, rank: int | None, who: str) -> Ranks:
        """Return the ranks that the arguments of a sampler mean.

        Raises
        ------
        SettingError
            If one is given without the other, or they contradict each other.
        """
        if num_replicas is None and rank is None:
            return cls(None)
        if num_replicas is None or (rank is None and num_replicas != 1):
            msg = (
                f"num_replicas and rank must be given together; got num_replicas={num_replicas}, rank={rank} ({who}). "
                "Pass both, or neither to ask torch.distributed."
            )
            raise SettingError(msg)
        replicas = check_integer(num_replicas, "num_replicas", who, 1, "Pass the number of processes.")
        number = check_integer(0 if rank is None else rank, "rank", who, 0, "Ranks count from 0.")
        if number >= replicas:
            msg = f"rank must be below num_replicas={replicas}; got {number} ({who}). Ranks count from 0."
            raise SettingError(msg)
        return cls((number, replicas))

    def now(self) -> tuple[int, int]:
        """Return (rank, num_replicas), which without arguments or a process group are those of one process."""
        return self.given or _in_group() or (0, 1)

    def compare(self, entries: dict[str, Any], who: str) -> None:
        """Raise if another rank of the process group begins with other entries: table, chain, seed, position.

        Nobody waits for anybody: who comes first leaves its entries in the store of the group, and the others compare
        theirs with it, as far as both have them. So the order in which ranks go about their own collectives does
        not matter. Samplers are told apart by the order in which a rank begins them. Nothing is compared where ranks
        are not those of the group, since then not every process need have this sampler.

        Raises
        ------
        RanksError
            On the ranks that differ from the one that came first, or were given the number of another.
        """
        group = _in_group()
        if group is None or group[1] == 1 or self.now()[1] != group[1]:
            return
        store = _store_of_group()
        if store is None:
            return
        try:
            number = store.add(f"batchwright/begun by {group[0]}", 1)
        except RuntimeError:  # A stand-in that keeps nothing; where a real one is lost, training says so itself.
            return
        _require_own_number(store, f"batchwright/sampler {number}", self.now(), group[0], who)
        mine = json.dumps({"rank": group[0], **entries})
        first = json.loads(store.compare_set(f"batchwright/sampler {number}", "", mine))
        both = [(key, value, first[key]) for key, value in entries.items() if key in first]
        wrong = [f"{key}={value!r} for {other!r}" for key, value, other in both if value != other]
        if wrong:
            differ = f"{len(wrong)} of {len(entries)} entries differ on rank {group[0]} from rank {first['rank']}"
            msg = (
                "All ranks must begin with the same table, chain, seed and position, and begin their samplers in the "
                f"same order; {differ}: {', '.join(wrong)} ({who}). Build the sampler from the same table and settings "
                "on every rank, and load the same state, or none, on all of them."
            )
            raise RanksError(msg)


def _in_group() -> tuple[int, int] | None:
    """Return (rank, num_replicas) of the process group, if there is one."""
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        return torch.distributed.get_rank(), torch.distributed.get_world_size()
    return None


def _require_own_number(store: Any, key: str, ranks: tuple[int, int], process: int, who: str) -> None:
    """Raise if another process of the group has the same rank, by which both would be trained on the same batches."""
    first = int(store.compare_set(f"{key} of rank {ranks[0]}", "", str(process)))
    if first != process:
        msg = (
            f"Every process must have a rank of its own; rank={ranks[0]} of {ranks[1]} is that of processes {first} "
            f"and {process} ({who}). Leave num_replicas and rank away, or count processes over all machines."
        )
        raise RanksError(msg)


def _store_of_group() -> Any:
    """Return the store of the process group; there is none with MPI, nor where tests only pretend to have a group."""
    from torch.distributed import distributed_c10d  # noqa: PLC0415 - a torch without process groups has no such module.

    try:
        return distributed_c10d._get_default_store()  # noqa: SLF001 - torch has no public name for it.
    except ValueError:
        return None
