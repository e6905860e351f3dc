"""Stages of somebody's own: one as the documentation has it, and one for any column."""

from batchwright import Draft, Stage


class OnlyMarker(Stage):
    """A filter with settings in plain attributes: rows of one marker."""

    by = "marker"

    def __init__(self, marker: str) -> None:
        self.marker = marker

    def apply(self, draft: Draft) -> Draft:
        """Keep the marker."""
        return draft.filter(draft.index.pool("marker", self.marker))


class Keep(Stage):
    """A filter: rows of one label of a column."""

    def __init__(self, by: str, label: str) -> None:
        self.by, self.label = by, label

    def apply(self, draft: Draft) -> Draft:
        """Keep the label."""
        return draft.filter(draft.index.pool(self.by, self.label))
