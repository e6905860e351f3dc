"""Samplers over stages of one's own, and what is said of wrong ones."""

from itertools import combinations

import pytest
from samplers import TABLE, make_sampler

from batchwright import Choice, ConditionBalancer, Draft, Drawer, ExperimentSelector, LeakMixer, PipelineSampler, Stage
from batchwright.errors import ChainError
from own import OnlyMarker


class TwoExperiments(Stage):
    """A random stage of a user's own: two experiments a batch, half of the rows each."""

    by = "experiment"

    def apply(self, draft: Draft) -> Choice:
        """Choose a pair and split the batch between the two."""
        pairs = list(combinations(draft.groups("experiment"), 2))

        def halves(k: int) -> Draft | Choice:
            chosen = draft.select(pairs[k][0] | pairs[k][1])
            return chosen.split(lambda share: [(share.pool & group, 1) for group in pairs[k]])

        return Choice([1] * len(pairs), halves)


def labels(column: str, batch: list[int]) -> list[str]:
    return [TABLE[column][row] for row in batch]


def test_a_filter_of_ones_own_holds_for_leaked_rows_too() -> None:
    """A filter shrinks the universe, so the leak obeys it, and the epoch counts only what is left."""
    sampler = make_sampler(stages=[OnlyMarker("DAPI"), ExperimentSelector(), LeakMixer(0.3), Drawer()])
    assert len(sampler) == TABLE["marker"].count("DAPI") // 10
    for batch in sampler:
        assert set(labels("marker", batch)) == {"DAPI"}
        assert len(set(labels("experiment", batch))) > 1


def test_a_random_stage_of_ones_own() -> None:
    """Two experiments a batch, five rows each; a leak comes from neither of them."""
    for batch in make_sampler(stages=[TwoExperiments(), Drawer()]):
        names = labels("experiment", batch)
        assert sorted(names.count(name) for name in set(names)) == [5, 5]
    for batch in make_sampler(stages=[TwoExperiments(), LeakMixer(0.2), Drawer()]):
        names = labels("experiment", batch)
        assert sorted(names.count(name) for name in set(names))[-2:] == [4, 4]


def test_no_leak_comes_from_the_selected_group() -> None:
    """A label that rounding leaves without rows is still of the selected group, so it cannot leak back in."""
    table = {"experiment": ["a", "a", "a", "b"], "condition": ["x", "y", "z", "x"]}
    chain = [ExperimentSelector(weights={"a": 1, "b": 0}), ConditionBalancer(), LeakMixer(0.5), Drawer()]
    sampler = PipelineSampler(table, chain, batch_size=2, num_batches=20)
    assert all(sorted(table["experiment"][row] for row in batch) == ["a", "b"] for batch in sampler)


def test_a_stage_that_loses_rows_is_refused() -> None:
    """A stage whose shares do not add up to the batch is named when the sampler is built."""

    class Half(Stage):
        def apply(self, draft: Draft) -> Draft:
            return Draft.start(draft.index, draft.batch_size // 2)

    with pytest.raises(ChainError, match=r"sum to batch_size=10; got 5 \(after stage 1, Half\(\)\)"):
        make_sampler(stages=[Half(), Drawer()])


def test_a_stage_that_another_process_would_not_recognise_is_named(caplog: pytest.LogCaptureFixture) -> None:
    """A setting whose text has an address is warned of when the sampler is built, not by a state that is refused."""

    class Where(OnlyMarker):
        def apply(self, draft: Draft) -> Draft:
            return draft

    make_sampler(stages=[Where("DAPI"), Drawer()])
    assert caplog.messages == []
    make_sampler(stages=[Where(labels), Drawer()])
    (said,) = caplog.messages
    assert "A stage must have the same repr in every process" in said
    assert "1 of 2 show an address in memory ('Where(marker=<function labels at 0x" in said


def test_an_error_in_a_stage_names_the_stage() -> None:
    """An error of a user's own stage says where in the chain it happened."""

    class Broken(Stage):
        def apply(self, draft: Draft) -> Draft:
            raise KeyError(draft.batch_size)

    with pytest.raises(KeyError) as caught:
        make_sampler(stages=[ExperimentSelector(), Broken(), Drawer()])
    assert caught.value.__notes__ == ["in stage 2 of 2, Broken()"]
