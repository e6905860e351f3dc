"""The table that is saved."""

import os

import pytest

TABLE = {"plate": ["b", "a", "b", "c", "a", "b"], "hours": [2.0, 1.0, 0.5, None, 2.0, 2.0]}


needs_fallocate = pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="the system gives no room beforehand")
