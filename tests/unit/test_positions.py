"""Where a sampler stands: epochs, passes and saved positions."""

import copy
import itertools

import numpy as np
import pytest
from samplers import epoch_of, make_sampler

from batchwright.errors import StateError
from refusals import refused


def test_plain_loops_never_replay_an_epoch() -> None:
    """Passes that run out, and passes that are left early, each move on to the next epoch."""
    sampler = make_sampler()
    assert list(sampler) == epoch_of(0)
    assert list(itertools.islice(sampler, 3)) == epoch_of(1)[:3]
    assert list(sampler) == epoch_of(2)
    assert sampler.epoch == 3


def test_the_epoch_can_be_read_during_a_pass() -> None:
    """`epoch` is that of the running pass, and of the next one when it has run out."""
    sampler = make_sampler()
    running = iter(sampler)
    assert [sampler.epoch for _ in running] == [0] * 10
    assert sampler.epoch == 1


def test_iterators_do_nothing_until_used() -> None:
    """Making iterators, as loaders do, moves nothing; two of them can run side by side."""
    sampler = make_sampler()
    first, _, second = iter(sampler), iter(sampler), iter(sampler)
    assert sampler.state_dict() == make_sampler().state_dict()
    assert [next(first), next(second), next(first)] == [epoch_of(0)[0], epoch_of(1)[0], epoch_of(0)[1]]


def test_set_epoch_is_idempotent() -> None:
    """Setting an epoch twice is setting it once; a loop that sets it gets just that epoch."""
    sampler = make_sampler()
    for epoch in (4, 4, 2, 0, 0):
        sampler.set_epoch(epoch)
        sampler.set_epoch(epoch)
        assert list(sampler) == epoch_of(epoch)


def test_set_epoch_keeps_a_position_of_that_epoch() -> None:
    """Trainers set the epoch after loading a state: the same one keeps the position, another starts anew."""
    state = make_sampler().state_at(epoch=2, step=7)
    for epoch, rest in ((2, epoch_of(2)[7:]), (3, epoch_of(3))):
        sampler = make_sampler()
        sampler.load_state_dict(state)
        sampler.set_epoch(epoch)
        assert list(sampler) == rest


def test_seek() -> None:
    """The trainer's own count is enough to resume; the end of an epoch is the start of the next."""
    sampler = make_sampler()
    sampler.seek(epoch=5, step=8)
    assert list(sampler) == epoch_of(5)[8:]
    sampler.seek(epoch=5, step=10)
    assert sampler.epoch == 6
    assert list(sampler) == epoch_of(6)


def test_a_state_by_the_trainers_count() -> None:
    """It is the state of a run that stands there, whatever the sampler itself has delivered, and of plain values."""
    sampler = make_sampler()
    running = iter(sampler)
    assert [next(running) for _ in range(4)] == epoch_of(0)[:4]
    state = sampler.state_at(np.int64(5), np.int64(8))
    assert {type(value) for value in state.values()} == {int, str}
    assert next(running) == epoch_of(0)[4]
    resumed = make_sampler()
    resumed.load_state_dict(state)
    assert resumed.state_dict() == state
    assert list(resumed) == epoch_of(5)[8:]


def test_a_finished_state_starts_the_next_epoch() -> None:
    """After the last batch the sampler's state is the next epoch; an iterator's has nothing left in this one."""
    sampler = make_sampler()
    running = iter(sampler)
    for _ in range(10):
        next(running)
    state = running.state_dict()
    resumed, other = make_sampler(), make_sampler()
    resumed.load_state_dict(state)
    assert list(resumed) == epoch_of(1)
    iterator = iter(other)
    iterator.load_state_dict(state)
    assert list(iterator) == []
    assert list(other) == epoch_of(1)


def test_a_state_in_the_iterator_wins_over_one_in_the_sampler() -> None:
    """Stateful loaders load both; the pass continues, and the next one is the next epoch."""
    sampler = make_sampler()
    sampler.load_state_dict(sampler.state_at(epoch=0, step=4))
    iterator = iter(sampler)
    iterator.load_state_dict(sampler.state_at(epoch=0, step=6))
    assert list(iterator) == epoch_of(0)[6:]
    assert list(sampler) == epoch_of(1)


def test_a_later_set_epoch_wins_over_a_state_in_the_iterator() -> None:
    """Another epoch set before the first batch is delivered from its start."""
    sampler = make_sampler()
    iterator = iter(sampler)
    iterator.load_state_dict(sampler.state_at(epoch=0, step=6))
    sampler.set_epoch(3)
    assert list(iterator) == epoch_of(3)


def test_setting_the_same_epoch_keeps_a_state_in_the_iterator() -> None:
    """Trainers set the epoch once more after the loader has restored its iterator."""
    sampler = make_sampler()
    iterator = iter(sampler)
    iterator.load_state_dict(sampler.state_at(epoch=2, step=6))
    sampler.set_epoch(2)
    assert list(iterator) == epoch_of(2)[6:]


def test_a_running_iterator_can_load_a_state() -> None:
    """Loading in the middle of a pass leaves what it was; the position counts from the state on."""
    sampler = make_sampler()
    running = iter(sampler)
    next(running)
    running.load_state_dict(sampler.state_at(epoch=0, step=7))
    assert running.state_dict()["step"] == 7
    assert list(running) == epoch_of(0)[7:]


def test_a_position_is_used_once() -> None:
    """The pass after a resumed one begins at the start of the next epoch, also if it was left early."""
    sampler = make_sampler()
    sampler.seek(0, 4)
    assert list(itertools.islice(sampler, 2)) == epoch_of(0)[4:6]
    assert list(sampler) == epoch_of(1)


def test_an_epoch_left_early_can_be_set_again() -> None:
    """Setting the epoch that was left early asks for it once more, from its start."""
    sampler = make_sampler()
    next(iter(sampler))
    sampler.set_epoch(0)
    assert list(sampler) == epoch_of(0)


def test_an_older_pass_that_ends_moves_nothing() -> None:
    """Only the pass that was begun last says where the sampler stands."""
    sampler = make_sampler()
    old = iter(sampler)
    next(old)
    sampler.set_epoch(0)
    new = iter(sampler)
    next(new)
    assert len(list(old)) == 9
    assert (sampler.epoch, sampler.state_dict()["step"]) == (0, 1)


@pytest.mark.parametrize("even", [True, False])
@pytest.mark.parametrize("rank", [0, 1, 2])
def test_every_rank_goes_through_every_epoch(rank: int, even: bool) -> None:
    """Ten steps on three ranks: whatever a rank's part, it ends with the epoch and begins the next one."""
    sampler = make_sampler(num_replicas=3, rank=rank, even_batches=even)
    for epoch in range(3):
        running = iter(sampler)
        assert [next(running) for _ in range(len(sampler))][:3] == epoch_of(epoch)[rank::3][:3]
        assert running.state_dict()["step"] <= 10
        assert list(running) == []
        assert (sampler.state_dict()["epoch"], sampler.state_dict()["step"]) == (epoch + 1, 0)


@pytest.mark.parametrize("auto_epoch", [False, True])
def test_a_finished_sampler_and_its_copy_go_on_alike(auto_epoch: bool) -> None:
    """They deliver a whole epoch: the next one, or the same where it stays until it is set."""
    sampler = make_sampler(auto_epoch=auto_epoch)
    assert list(sampler) == epoch_of(0)
    copied = copy.deepcopy(sampler)
    for one in (copied, sampler):
        assert list(one) == epoch_of(int(auto_epoch))
        one.set_epoch(7)
        assert list(one) == epoch_of(7)
    state, resumed = sampler.state_dict(), make_sampler(auto_epoch=auto_epoch)
    resumed.load_state_dict(state)
    assert list(resumed) == epoch_of(8)


def test_seek_goes_on_behind_the_end_of_an_epoch() -> None:
    """Also where the epoch stays until it is set."""
    sampler = make_sampler(auto_epoch=False)
    sampler.seek(epoch=np.int64(5), step=10)
    assert list(sampler) == epoch_of(6)


def test_a_short_last_batch_has_the_numbers_of_its_address() -> None:
    """The last, smaller batch is the same alone, in its epoch, and on any rank."""
    settings = {"batch_size": 30, "drop_last": False}
    last = list(make_sampler(**settings))[-1]
    assert len(last) == 10
    assert make_sampler(**settings).batch(3, 0) == last
    assert list(make_sampler(**settings, num_replicas=2, rank=1))[-1] == last


def test_nothing_saved_is_tolerated() -> None:
    """A checkpoint made without a state loads None; that changes nothing."""
    sampler = make_sampler()
    sampler.load_state_dict(None)
    iterator = iter(sampler)
    iterator.load_state_dict(None)
    assert list(iterator) == epoch_of(0)


def test_states_are_fresh_plain_values() -> None:
    """A state is a dict of its own, of text and integers."""
    sampler = make_sampler()
    state = sampler.state_dict()
    state["step"] = 99
    assert sampler.state_dict()["step"] == 0
    assert {type(value) for value in state.values()} == {int, str}


def test_every_entry_of_a_state_is_checked() -> None:
    """Whichever entry is altered or missing, the state is refused."""
    sampler = make_sampler()
    state = sampler.state_at(epoch=1, step=2)
    for key, value in state.items():
        altered = value + 1 if isinstance(value, int) else value[::-1]
        for wrong in ({**state, key: altered}, {**state, key: None}, {k: v for k, v in state.items() if k != key}):
            with pytest.raises(StateError):
                sampler.load_state_dict(wrong)
    with refused(StateError, "A state must be one that a sampler wrote; of its 4 entries 0 are among 'epoch', 'step'"):
        sampler.load_state_dict({"epoch": 1, "step": 2})


def test_a_refused_state_changes_nothing() -> None:
    """A state of another seed raises, and the sampler stays where it was."""
    sampler = make_sampler()
    sampler.seek(1, 2)
    with pytest.raises(ValueError, match="seed=7 for 0"):
        sampler.load_state_dict(make_sampler(seed=7).state_dict())
    assert list(sampler) == epoch_of(1)[2:]


def test_num_batches_sets_the_epoch() -> None:
    """An epoch may have any number of full batches, also of a table smaller than one."""
    sampler = make_sampler(batch_size=150, num_batches=4)
    assert [len(batch) for batch in sampler] == [150] * 4
    assert make_sampler(num_batches=25).batch(24, 0)
