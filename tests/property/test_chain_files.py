"""Chains come back from a file as they are, and the text of a file is canonical."""

import json
from contextlib import suppress
from datetime import timedelta
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from batchwright import (
    ChainFileError,
    ConditionBalancer,
    Drawer,
    ExperimentSelector,
    Pipeline,
    PipelineSampler,
    TemporalEnricher,
)
from batchwright.chainfile import dump_chain, load_chain
from strategies import with_chain

WITHOUT_YAML = pytest.mark.skipif(find_spec("yaml") is None, reason="PyYAML is missing")
FORMATS = ["json", pytest.param("yaml", marks=WITHOUT_YAML)]

# Text that a reader of YAML may take for something else is as common as any other.
TRAPS = [
    "no",
    "1",
    "1e5",
    "0x1",
    "1_000",
    "12:30",
    "2026-03-01",
    "null",
    "~",
    "",
    "$pairs",
    "$a",
    "<<",
    "=",
    "a: b",
    "# a",
    "\x85",
    "a\u2028\n",
]
TEXTS = st.sampled_from(TRAPS) | st.text(max_size=5)
PLAIN_LABELS = st.one_of(
    TEXTS,
    st.integers(-(2**70), 2**70),
    st.booleans(),
    st.floats(allow_nan=False),
    st.dates(),
    st.datetimes(pd.Timestamp("1700-01-01"), pd.Timestamp("2200-01-01")).map(pd.Timestamp),
)
LABELS = PLAIN_LABELS | st.lists(PLAIN_LABELS, max_size=3).map(tuple)
NUMBERS = st.floats(1e-300, 1e300) | st.integers(1, 10**9)


def round_trip(chain: Pipeline, form: Any) -> Pipeline:
    text = dump_chain(chain, form)
    back = load_chain(text)
    assert dump_chain(back, form) == text
    return back


@pytest.mark.parametrize("form", FORMATS)
@given(case=with_chain())
def test_a_chain_comes_back(form: Any, case: Any) -> None:
    """Any chain of the library equals the one that is loaded from its text, whose text is the same."""
    chain = Pipeline(case[1])
    back = round_trip(chain, form)
    assert back == chain
    assert repr(back) == repr(chain)
    assert back.fingerprint == chain.fingerprint


@pytest.mark.parametrize("form", FORMATS)
@given(given_weights=st.dictionaries(LABELS, NUMBERS, min_size=1, max_size=4), columns=st.lists(TEXTS, min_size=1))
def test_labels_of_any_kind_come_back(form: Any, given_weights: Any, columns: Any) -> None:
    """Text that looks like something else, numbers, truth values, dates and tuples of them stay what they are."""
    assume("" not in columns)
    chain = Pipeline(
        [ExperimentSelector(columns, given_weights), ConditionBalancer(columns[0], given_weights), Drawer()]
    )
    assert repr(round_trip(chain, form)) == repr(chain)


@pytest.mark.parametrize("form", FORMATS)
@given(width=st.timedeltas(timedelta(0)) | st.integers(0, 2**63 - 1).map(lambda n: np.timedelta64(n, "ns")) | NUMBERS)
def test_half_widths_come_back(form: Any, width: Any) -> None:
    """Numbers and durations come back to the last digit, down to nanoseconds."""
    assume(not isinstance(width, timedelta) or width < timedelta(days=106751))
    chain = Pipeline([TemporalEnricher("when", width), Drawer()])
    assert repr(round_trip(chain, form)) == repr(chain)


@given(case=with_chain())
def test_a_loaded_chain_continues_positions(case: Any) -> None:
    """A position that was saved with a chain made in Python is resumed with the same chain out of a file."""
    table, chain = case
    sampler = PipelineSampler(table, chain, 3, num_batches=4)
    loaded = PipelineSampler(table, load_chain(dump_chain(Pipeline(chain))), 3, num_batches=4)
    assert loaded.state_dict() == sampler.state_dict()
    assert list(loaded) == list(sampler)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats() | TEXTS | st.sampled_from(["kind", "by", "Drawer"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            TEXTS | st.sampled_from(["kind", "by", "weights", "stages", "batchwright"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@given(
    kind=st.sampled_from(["ExperimentSelector", "LeakMixer", "ConditionBalancer", "TemporalEnricher"]), data=st.data()
)
def test_whatever_a_file_holds_there_is_a_chain_or_a_refusal(kind: str, data: st.DataObject) -> None:
    """Settings of any shape make a stage that comes back, or are refused; nothing else is raised."""
    names = ["by", "weights", "fraction", "ratio", "scope", "half_width", "global_fraction", "other"]
    settings = data.draw(st.dictionaries(st.sampled_from(names), PLAIN, max_size=3))
    text = json.dumps({"batchwright": 1, "stages": [{"kind": kind, **settings}, {"kind": "Drawer"}]})
    chain = None
    with suppress(ChainFileError):
        chain = load_chain(text)
    if chain is not None:
        assert repr(load_chain(dump_chain(chain))) == repr(chain)
