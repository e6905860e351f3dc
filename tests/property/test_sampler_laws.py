"""Laws 8 to 11: a batch has an address, and neither rank nor history, block or resume changes what stands there."""

import copy
import itertools
import pickle
from typing import Any

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from batchwright import PipelineSampler
from batchwright.stream import keys_of, uniforms
from strategies import with_chain

CHAINS = with_chain(4)
WORLDS = st.integers(1, 4)


def make_sampler(chain: tuple[pd.DataFrame, list[Any]], **settings: Any) -> PipelineSampler:
    return PipelineSampler(*chain, **{"batch_size": 3, "num_batches": 7, **settings})


def every_batch(chain: tuple[pd.DataFrame, list[Any]], epoch: int, steps: int, **settings: Any) -> list[list[int]]:
    """Return batches one by one, each from a sampler of its own: the obvious way to ask for an address."""
    return [make_sampler(chain, **{**settings, "num_batches": steps}).batch(step, epoch) for step in range(steps)]


@given(CHAINS, st.integers(0, 2**64 - 1), st.integers(0, 5))
def test_iteration_delivers_the_addressed_batches(chain: tuple[pd.DataFrame, list[Any]], seed: int, epoch: int) -> None:
    """Laws 8 and 10: `batch` and iteration agree in every step, and asking changes nothing."""
    sampler = make_sampler(chain, seed=seed)
    sampler.set_epoch(epoch)
    before = sampler.state_dict()
    asked = [sampler.batch(step) for step in range(7)]
    assert sampler.state_dict() == before
    assert list(sampler) == asked == every_batch(chain, epoch, 7, seed=seed)


@given(CHAINS, st.lists(st.tuples(st.integers(0, 5), st.integers(1, 5), st.integers(0, 7)), min_size=1, max_size=4))
def test_epochs_are_the_same_in_any_order(
    chain: tuple[pd.DataFrame, list[Any]], runs: list[tuple[int, int, int]]
) -> None:
    """Law 8: whatever epochs came before, each in a row or not, walked through or left early, an epoch is the same."""
    sampler, other = make_sampler(chain), make_sampler(chain)
    for first, count, taken in runs:
        for epoch in range(first, first + count):
            sampler.set_epoch(epoch)
            assert list(itertools.islice(sampler, taken)) == [other.batch(step, epoch) for step in range(taken)]


@given(CHAINS, WORLDS, st.booleans(), st.booleans())
def test_ranks_interleave_to_one_process(
    chain: tuple[pd.DataFrame, list[Any]], world: int, even: bool, drop_last: bool
) -> None:
    """Law 9: the ranks' batches in turn are the single-process sequence; every rank delivers its `len`."""
    size = max(1, len(chain[0]) // 4)
    settings = {"batch_size": size, "num_batches": None, "drop_last": drop_last, "even_batches": even}
    whole = list(make_sampler(chain, num_replicas=1, **settings))
    parts = []
    for rank in range(world):
        sampler = make_sampler(chain, num_replicas=world, rank=rank, **settings)
        parts.append(list(sampler))
        assert len(parts[-1]) == len(sampler)
    turns = [batch for turn in itertools.zip_longest(*parts) for batch in turn if batch is not None]
    assert turns[: len(whole)] == whole
    if even:
        assert len(turns) == -(-len(whole) // world) * world
        assert all(len(batch) == size for batch in turns[len(whole) :])
    else:
        assert len(turns) == len(whole)


def place(state: dict[str, Any]) -> tuple[int, int]:
    """Return epoch and step of a state; the end of an epoch of seven steps is the start of the next one."""
    return (state["epoch"] + 1, 0) if state["step"] == 7 else (state["epoch"], state["step"])


@given(CHAINS, st.lists(st.tuples(WORLDS, st.integers(1, 3)), min_size=1, max_size=5), st.booleans())
def test_a_resumed_run_continues_with_the_next_batch(
    chain: tuple[pd.DataFrame, list[Any]], legs: list[tuple[int, int]], even: bool
) -> None:
    """Law 11: over legs of any world size, saved and loaded between, the epoch is delivered once, in order."""
    seen: list[list[int]] = []
    state: dict[str, Any] | None = None
    for world, rounds in legs:
        parts, states = [], []
        for rank in range(world):
            sampler = make_sampler(chain, num_replicas=world, rank=rank, even_batches=even)
            sampler.load_state_dict(pickle.loads(pickle.dumps(state)))  # noqa: S301 - a state of our own.
            parts.append(list(itertools.islice(sampler, rounds)))
            states.append(sampler.state_dict())
        # Every rank did its part of the same rounds, so every rank saves the same position.
        assert len({place(saved) for saved in states}) == 1
        seen += [batch for turn in itertools.zip_longest(*parts) for batch in turn if batch is not None]
        state = states[0]
        if len(seen) >= 7:
            break
    assert seen[:7] == every_batch(chain, 0, 7)[: len(seen)]


@given(CHAINS, st.integers(0, 6))
def test_iterators_resume_too(chain: tuple[pd.DataFrame, list[Any]], done: int) -> None:
    """Law 11 for the iterator's own state, and for copies of a sampler in mid-epoch."""
    sampler = make_sampler(chain)
    running = iter(sampler)
    for _ in range(done):
        next(running)
    fresh = iter(make_sampler(chain))
    fresh.load_state_dict(running.state_dict())
    pickled = pickle.loads(pickle.dumps(sampler))  # noqa: S301 - a sampler of our own.
    copied = copy.deepcopy(sampler)
    rest = list(running)
    assert rest == list(fresh) == every_batch(chain, 0, 7)[done:]
    assert rest == list(pickled) == list(copied)


@given(st.integers(0, 3), st.integers(0, 3))
def test_seed_and_epoch_do_not_add_up(seed: int, epoch: int) -> None:
    """Law 8: (seed, epoch + 1) and (seed + 1, epoch) share no random numbers."""
    one = uniforms(keys_of(seed, range(epoch + 1, epoch + 2), range(4))[0], range(9))
    other = uniforms(keys_of(seed + 1, range(epoch, epoch + 1), range(4))[0], range(9))
    assert not set(one.ravel()) & set(other.ravel())


@given(st.integers(0, 99), st.integers(1, 9), st.integers(1, 5), st.integers(1, 12))
def test_numbers_depend_on_their_address_only(start: int, every: int, count: int, width: int) -> None:
    """A step has the same random numbers alone, in a block, and in the stride of any rank."""
    steps = range(start, start + every * count, every)
    block = uniforms(keys_of(1, range(2, 3), steps)[0], range(12))[:, 12 - width :]
    alone = [uniforms(keys_of(1, range(2, 3), range(step, step + 1))[0], range(12 - width, 12))[0] for step in steps]
    assert (block == alone).all()
