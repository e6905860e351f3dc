"""A stage of somebody's own, as the documentation has it."""

from batchwright import Draft, Stage


class OnlyMarker(Stage):
    """A filter with settings in plain attributes: rows of one marker."""

    by = "marker"

    def __init__(self, marker: str) -> None:
        self.marker = marker

    def apply(self, draft: Draft) -> Draft:
        """Keep the marker."""
        return draft.filter(draft.index.pool("marker", self.marker))
