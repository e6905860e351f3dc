"""Laws 9 and 11 together: one run on any numbers of ranks in turn is the run of one process."""

from itertools import islice, zip_longest
from typing import Any

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from batchwright import PipelineSampler
from strategies import with_chain

# Number of ranks, rounds until they stop, and whether the trainer's own count says where they begin, or a state.
LEGS = st.lists(st.tuples(st.integers(1, 5), st.integers(0, 4), st.booleans()), min_size=2, max_size=8)


@given(with_chain(4), st.integers(1, 9), LEGS, st.booleans())
def test_one_run_on_any_numbers_of_ranks(
    chain: tuple[pd.DataFrame, list[Any]], parts_of_table: int, legs: list[tuple[int, int, bool]], even: bool
) -> None:
    """Each leg begins where the one before stopped, so every batch is delivered once; only last rounds are filled."""
    size = max(1, len(chain[0]) // parts_of_table)
    settings = {"batch_size": size, "drop_last": False, "even_batches": even}
    alone = PipelineSampler(*chain, **settings)
    epoch, step, state = 0, 0, None
    for world, rounds, by_count in legs:
        delivered = []
        for rank in range(world):
            sampler = PipelineSampler(*chain, num_replicas=world, rank=rank, **settings)
            if by_count:
                sampler.seek(epoch, step)
            else:
                sampler.load_state_dict(state)
            delivered.append(list(islice(sampler, rounds)))
        turns = [batch for turn in zip_longest(*delivered) for batch in turn if batch is not None]
        stop = min(step + world * rounds, alone.num_batches)
        assert turns[: stop - step] == [alone.batch(at, epoch) for at in range(step, stop)]
        filled = turns[stop - step :]
        assert len(filled) == (-(stop - step) % world if even else 0)
        assert all(len(batch) == size for batch in filled)
        # Of the last rank, which may have had a batch less than the others.
        state = sampler.state_dict()
        epoch, step = (epoch, stop) if stop < alone.num_batches else (epoch + 1, 0)
