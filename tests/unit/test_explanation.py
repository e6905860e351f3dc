"""`Plan.explain`: the text line by line, HTML and plain values of the same, and what is said where not all is seen."""

import json
from html.parser import HTMLParser
from typing import Any

import numpy as np

from batchwright import (
    ConditionBalancer,
    Drawer,
    ExperimentSelector,
    LeakMixer,
    MetadataIndex,
    Pipeline,
    Plan,
    Stage,
    TemporalEnricher,
)
from own import Keep

TABLE = {"experiment": [*"aaaaab"], "condition": [*"xxxyyx"]}


def make_plan(*stages: Any, table: dict[str, Any] = TABLE, batch_size: int = 2, order_by: str | None = None) -> Plan:
    index = MetadataIndex.from_table(table, by=["experiment", "condition"], order_by=order_by)
    return Plan(Pipeline([*stages, Drawer()]), index, batch_size)


class Tables(HTMLParser):
    """Gathers the text of a page, and checks that every tag is closed."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(page)
        assert not self.open

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        assert not attrs  # No style of its own.
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def test_the_text_tells_all() -> None:
    """Head, stages, labels, the table as a whole, and findings, in columns."""
    chain = [ExperimentSelector(weights={"a": 3, "b": 1}), LeakMixer(0.5), ConditionBalancer()]
    explanation = make_plan(*chain, batch_size=4).explain()
    text = """\
Batches of 4 rows out of 6, in 3 cells of experiment, condition

stage                                                                situations  shares    rows  of a pool of
1 ExperimentSelector(by='experiment', weights={'a': 3.0, 'b': 1.0})           2       1       4        1 to 5
2 LeakMixer(fraction=0.5)                                                     2       2       2        1 to 5
3 ConditionBalancer(by='condition', ratio=None, scope='primary')              2  2 to 3  1 to 2        1 to 5
4 Drawer()                                                                       2 to 3  1 to 2        1 to 5

experiment  rows of a batch  rows kept
a                         2          5
b                         2          1

condition  rows of a batch  rows kept
x                     3.05          4
y                     0.95          2

the table
rows that repeat in a batch              1
rows in no batch                         0
as varied as so many rows, all alike  3.32

"""
    assert str(explanation) == text + "\n\n".join(map(str, explanation.findings))
    assert [finding.severity for finding in explanation.findings] == ["warning", "warning"]


def test_html_holds_the_same_text() -> None:
    """What a notebook shows is what is printed, with labels escaped and no style of its own."""
    table = {"experiment": ["&c", "&c", "<b>a"], "condition": [*"xyx"]}
    explanation = make_plan(ExperimentSelector(), ConditionBalancer(), table=table).explain()
    found = "".join(Tables(explanation._repr_html_()).text)
    assert found.replace(" ", "") == "".join(str(explanation).split()).replace("\n", "")


def test_plain_values_go_through_json() -> None:
    """All numbers, with labels as text."""
    values = (
        make_plan(Keep("condition", "x"), ExperimentSelector(by=["experiment", "condition"]), batch_size=3)
        .explain()
        .to_dict()
    )
    assert json.loads(json.dumps(values)) == values
    assert values["rows"] == 6
    assert values["rows_kept"] == 4
    assert values["whole"] is True
    assert values["expected_rows"] == {"condition": {"x": 3.0, "y": 0.0}, "experiment": {"a": 2.25, "b": 0.75}}
    assert values["repeats"] == 0.5
    assert values["rows_unreached"] == 0
    assert [stage["situations"] for stage in values["stages"]] == [1, 2]
    assert values["stages"][1]["pools"] == [1, 3]
    assert [finding["severity"] for finding in values["findings"]] == ["warning"]


def test_filters_show_in_the_head() -> None:
    """How many rows the filters keep, and the ordered column."""
    table = {**TABLE, "hours": range(6)}
    text = str(make_plan(Keep("condition", "y"), TemporalEnricher("hours", 0), table=table, order_by="hours").explain())
    assert text.startswith(
        "Batches of 2 rows out of 2 that the filters keep of 6, in 3 cells of experiment, condition, "
        "in the order of hours\n"
    )


def test_many_labels_are_cut_short() -> None:
    """The labels that come most often, and those that come least, with the number of those between."""
    table = {"experiment": np.repeat(np.arange(20), np.arange(1, 21)), "condition": np.zeros(210, dtype=int)}
    lines = str(make_plan(ExperimentSelector(), table=table, batch_size=1).explain()).splitlines()
    first = lines.index(next(line for line in lines if line.startswith("experiment")))
    assert [line.split()[0] for line in lines[first + 1 : first + 14]] == [*map(str, range(19, 11, -1)), "...", *"3210"]
    assert "... 8 more" in lines


def test_what_is_not_gone_through_is_said() -> None:
    """Windows over many times are counted, not listed; labels that they decide are left out, and the text says so."""
    table = {"experiment": np.arange(600) % 300, "condition": np.arange(600) // 300, "hours": np.arange(600)}
    plan = make_plan(
        ExperimentSelector(), TemporalEnricher("hours", 0.1, 0.25), ConditionLast(), table=table, order_by="hours"
    )
    plan.breadth = 1 << 14  # As of a table of very many ranges: 64 drafts at once.
    explanation = plan.explain()
    text = str(explanation)
    assert "300, 64 seen" in text
    assert "over 256, 64 seen" in text
    assert "too many to go through here  see Plan.expected_rows" in text
    assert explanation.to_dict()["expected_rows"] == {"experiment": None, "condition": None}
    assert explanation.to_dict()["stages"][1]["situations"] is None


class ConditionLast(Stage):
    """Reads a column and changes nothing, which it does not promise."""

    by = "condition"

    def apply(self, draft: Any) -> Any:
        """Return the draft as it is."""
        return draft


def test_a_plan_is_shown_by_name_and_size() -> None:
    """In a session by one line, in a notebook by its explanation."""
    plan = make_plan(ExperimentSelector())
    assert repr(plan) == "Plan(ExperimentSelector, Drawer: batches of 2 out of 6 rows)"
    assert plan._repr_html_() == plan.explain()._repr_html_()
    assert (
        repr(plan.explain())
        == "Explanation(Batches of 2 rows out of 6, in 3 cells of experiment, condition; 1 findings)"
    )


def test_a_chain_without_stages_is_explained() -> None:
    """A drawer alone takes the batch from the whole table."""
    text = str(make_plan(batch_size=6).explain())
    assert "1 Drawer()                   1     6             6" in text
