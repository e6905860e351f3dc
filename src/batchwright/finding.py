"""`Finding`: something to know of a chain over a table before it is used."""

from __future__ import annotations

from typing import Literal

import attrs

__all__ = ["Finding", "Severity"]

Severity = Literal["error", "warning", "note"]


@attrs.frozen
class Finding:
    """Something to know of a chain over a table before it is used.

    Parameters
    ----------
    severity
        ``"error"`` where a stage never does what it is asked, ``"warning"`` where in some batches or for some rows it
        cannot, ``"note"`` for what is meant but easily overlooked.
    message
        The rule, the number, and who.
    way_out
        What to do about it.

    Examples
    --------
    >>> print(Finding("note", "1 of 3 groups is never selected: 'c'.", "Filter it out."))
    note: 1 of 3 groups is never selected: 'c'. Filter it out.
    """

    severity: Severity
    message: str
    way_out: str

    @property
    def text(self) -> str:
        """Message and way out."""
        return f"{self.message} {self.way_out}"

    def __str__(self) -> str:
        return f"{self.severity}: {self.text}"
