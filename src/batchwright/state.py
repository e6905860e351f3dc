"""`Position` and `Identity`: where a sampler stands, and whose position that is."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

import attrs

from batchwright._checks import some_of
from batchwright.errors import StateError

__all__ = ["Identity", "Position"]

_VERSION = 3  # Of version 1, states had no checksum; of version 2, batches had other random numbers.


@attrs.frozen
class Position:
    """A place in training: so many steps of an epoch are done, counted over all ranks."""

    epoch: int
    step: int


@attrs.frozen
class Identity:
    """What a saved position belongs to.

    Parameters
    ----------
    table, chain
        Fingerprints of the table and of the chain (stages, batch size and steps of an epoch).
    seed
        The seed.
    """

    table: str
    chain: str
    seed: int

    def write(self, position: Position) -> dict[str, Any]:
        """Return a state: a fresh dict of plain values."""
        entries = {"version": _VERSION, **attrs.asdict(position), **attrs.asdict(self)}
        return {**entries, "checksum": blake2b(repr(sorted(entries.items())).encode(), digest_size=8).hexdigest()}

    def read(self, state: dict[str, Any]) -> Position:
        """Return the position in a state.

        Raises
        ------
        StateError
            If it belongs to something else, was altered, or is none of ours.
        """
        if not isinstance(state, dict):
            msg = f"A state must be a dict; got {type(state).__name__} (load_state_dict). Pass what state_dict gave."
            raise StateError(msg)
        expected = {"version": _VERSION, **attrs.asdict(self)}
        if not expected.keys() & state.keys():
            msg = (
                f"A state must be one that a sampler wrote; of its {len(expected)} entries 0 are among "
                f"{some_of(state) or 'none'} (load_state_dict). Pass what state_dict gave, or use `seek`."
            )
            raise StateError(msg)
        wrong = [key for key, value in expected.items() if state.get(key) != value]
        wrong += [key for key in ("epoch", "step") if type(state.get(key)) is not int or state[key] < 0]
        if wrong:
            found = ", ".join(f"{key}={state.get(key)!r} for {expected.get(key, 'a count')!r}" for key in wrong)
            msg = (
                "A state must come from the same version, table, chain (stages, batch size, steps of an epoch) and "
                f"seed; {len(wrong)} entries differ: {found} (load_state_dict). Build the sampler as it was, or start "
                "without the state."
            )
            raise StateError(msg)
        position = Position(state["epoch"], state["step"])
        checksum = self.write(position)["checksum"]
        if state.get("checksum") != checksum:
            msg = (
                f"A state must be as it was saved; its checksum is {state.get('checksum')!r} for {checksum!r} "
                "(load_state_dict). It was altered: load another one, or use `seek`."
            )
            raise StateError(msg)
        return position
