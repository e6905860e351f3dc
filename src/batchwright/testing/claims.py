"""`Claims`: what a sampler promises, and so what is checked."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any, Literal

import attrs

from batchwright._checks import check_flag, check_fraction, check_integer, check_weights
from batchwright.columns import as_columns
from batchwright.errors import SettingError
from batchwright.stages.base import to_columns

__all__ = ["Claims"]

_WHO = "Claims"


def _flag(_: Any, attribute: Any, value: Any) -> None:
    check_flag(value, attribute.name, _WHO)


def _columns(value: Any) -> Any:
    return None if value is None else to_columns(value)


def _strata(value: Any) -> Any:
    return value if value is None or value == () else to_columns(value)


def _size(value: Any) -> int | None:
    return None if value is None else check_integer(value, "batch_size", _WHO, 1, "Pass the rows of a batch.")


def _labels(value: Any) -> int | None:
    return None if value is None else check_integer(value, "labels_per_batch", _WHO, 1, "Pass the labels of a batch.")


def _ratio(value: Any) -> dict[Hashable, float] | None:
    return None if value is None else check_weights(value, "ratio", _WHO)


def _leak(value: Any) -> float:
    fraction = check_fraction(value, "leak", _WHO)
    if fraction >= 0.5:
        msg = (
            f"leak must be below 0.5, so that the group of a batch can be told from its rows; got {value} ({_WHO}). "
            "Claim the other properties only."
        )
        raise SettingError(msg)
    return fraction


def _coverage(value: Any) -> float | None:
    return None if value is None else check_fraction(value, "coverage", _WHO)


def _kind_of_ranks(_: Any, __: Any, value: Any) -> None:
    if value not in (None, "steps", "rows"):
        msg = (
            f"ranks must be one of 'steps', 'rows' and None; got {value!r} ({_WHO}). Pass 'rows' for ranks that share "
            "no row, 'steps' for ranks that deliver the batches of one process in turn."
        )
        raise SettingError(msg)


def _flag_field() -> Any:
    return attrs.field(default=False, validator=_flag)


@attrs.frozen(kw_only=True)
class Claims:
    """What a sampler promises. A claim that is not made is not checked.

    "An epoch" is what one pass delivers: after ``set_epoch(e)`` where `set_epoch` is claimed, else the e-th pass of a
    plain loop.

    Parameters
    ----------
    indices
        Every batch is a list, not empty, of Python ints in ``[0, rows)``.
    batch_size
        Every batch has so many rows.
    short_last
        With it, the last batch of an epoch may have fewer.
    length
        ``len(sampler)`` is the number of batches of every epoch, on every rank.
    seeded
        The same seed and epoch give the same batches, another seed gives others; as told in one process.
    unrelated_seeds
        Neighbouring seeds and epochs have batches of their own; (0, 1) is not (1, 0).
    new_epochs
        The passes of a plain loop have other batches, at least half of them and not only another order, without
        `set_epoch`; also with worker processes.
    set_epoch
        ``set_epoch(e)``, of the sampler or of its `sampler` attribute, decides the epoch, whatever came before.
    workers
        A `DataLoader` delivers the same batches with worker processes as without, in every epoch.
    peeking
        Looking changes nothing: ``len``, ``repr``, an iterator thrown away, `state_dict`; `batch` where `random_access`
        is claimed.
    random_access
        ``sampler.batch(step, epoch=e)`` is the batch that iteration delivers there.
    ranks
        ``"steps"``: the ranks' batches in turn are the single-process epoch (then, at most, a filled last round).
        ``"rows"``: no row is delivered by two ranks of an epoch, and all but a round of its rows by any.
    equal_ranks
        All ranks deliver the same number of batches.
    resume
        After any number of batches, of the first epoch or the second, `state_dict` and `load_state_dict` continue with
        the very next one. Neither going on nor loading changes a state.
    stateful_loader
        So does torchdata's `StatefulDataLoader`, with and without workers.
    elastic
        A state may be loaded on another number of ranks; the epoch is still delivered once, in order.
    group
        Column or columns: a batch is of one group ...
    leak
        ... but for exactly ``floor(batch_size * leak)`` rows from other groups; below 0.5. From which of them is not
        checked.
    balance
        Column or columns: the rows of a batch's group have their labels in equal counts, within one, and rounded up as
        often as the target says, in each group: the more batches there are of a group, the finer it is told.
    ratio
        With it, in counts of this ratio.
    labels_per_batch
        With it, they are so many of the labels that there are, any of them: so many rows of each of some classes.
    even_draw
        Of n rows to draw q from, each comes floor(q/n) or ceil(q/n) times in a batch: no repeat while rows suffice.
    coverage
        The part of all rows that every epoch delivers at least, in [0, 1].
    uniform_within
        Column or columns: rows that agree in them come equally often. ``()``: all rows do. Told of samplers that draw
        the rows of a batch one by one and batches independently; blocks of rows, say, come less evenly.
    isolated
        The global random states of Python, NumPy and torch are neither read nor moved, by passes nor by looks.
    copies
        A pickled or deep-copied sampler delivers the same batches, from the epoch in which it was copied.
    hosts
        What trainers look for is there, and what misleads them is not: ``.sampler.set_epoch``, a true `batch_size`, no
        `drop_last`, no `generator`, a ``__dict__``, a new iterator each time.

    Raises
    ------
    SettingError, SettingTypeError
        For a value that cannot be claimed.

    Examples
    --------
    >>> Claims(batch_size=8, length=True).made
    ('batch_size', 'length')
    >>> Claims.every(batch_size=8, group="donor").made[:4]
    ('indices', 'batch_size', 'length', 'seeded')
    """

    indices: bool = _flag_field()
    batch_size: int | None = attrs.field(default=None, converter=_size)
    short_last: bool = _flag_field()
    length: bool = _flag_field()
    seeded: bool = _flag_field()
    unrelated_seeds: bool = _flag_field()
    new_epochs: bool = _flag_field()
    set_epoch: bool = _flag_field()
    workers: bool = _flag_field()
    peeking: bool = _flag_field()
    random_access: bool = _flag_field()
    ranks: Literal["steps", "rows"] | None = attrs.field(default=None, validator=_kind_of_ranks)
    equal_ranks: bool = _flag_field()
    resume: bool = _flag_field()
    stateful_loader: bool = _flag_field()
    elastic: bool = _flag_field()
    group: Any = attrs.field(default=None, converter=_columns)
    leak: float = attrs.field(default=0.0, converter=_leak)
    balance: Any = attrs.field(default=None, converter=_columns)
    ratio: Mapping[Hashable, float] | None = attrs.field(default=None, converter=_ratio)
    labels_per_batch: int | None = attrs.field(default=None, converter=_labels)
    even_draw: bool = _flag_field()
    coverage: float | None = attrs.field(default=None, converter=_coverage)
    uniform_within: Any = attrs.field(default=None, converter=_strata)
    isolated: bool = _flag_field()
    copies: bool = _flag_field()
    hosts: bool = _flag_field()

    def __attrs_post_init__(self) -> None:
        for name, needs in (
            ("leak", "group"),
            ("ratio", "balance"),
            ("labels_per_batch", "balance"),
            ("short_last", "batch_size"),
        ):
            if name in self.made and needs not in self.made:
                msg = f"{name} must be claimed together with {needs}; got {name} alone ({_WHO}). Claim {needs} too."
                raise SettingError(msg)

    @classmethod
    def every(cls, **settings: Any) -> Claims:
        """Return all claims that need no setting, ranks in steps, and the given ones; ``False`` leaves one out."""
        flags = {
            field.name: True for field in attrs.fields(cls) if field.default is False and field.name != "short_last"
        }
        return cls(**{**flags, "ranks": "steps", **settings})

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the claims name, each once."""
        given = [by for by in (self.group, self.balance, self.uniform_within) if by is not None]
        return tuple(dict.fromkeys(name for by in given for name in as_columns(by)))

    @property
    def made(self) -> tuple[str, ...]:
        """The names of the claims that are made."""
        return tuple(name for name, value in attrs.asdict(self).items() if value is not None and value != 0)
