"""Whether two indices are the same."""

from typing import Any

import numpy as np

from batchwright import MetadataIndex
from batchwright.blocks import Blocks


def arrays(index: MetadataIndex) -> list[Any]:
    """Return all that an index holds."""
    order = [index.order.starts, index.order.rows] if isinstance(index.order, Blocks) else [index.order]
    line = index.timeline
    times = [] if line is None else [type(line), line.times, line.starts, getattr(line, "keys", None)]
    return [index.columns, index.labels, index.cells, index.offsets, type(index.order), *order, *times]


def assert_same(made: MetadataIndex, expected: MetadataIndex) -> None:
    """Compare everything, and the fingerprints."""
    assert made.fingerprint == expected.fingerprint
    for one, other in zip(arrays(made), arrays(expected), strict=True):
        assert one.tobytes() == other.tobytes() if isinstance(one, np.ndarray) else one == other
        assert getattr(one, "dtype", None) == getattr(other, "dtype", None)
