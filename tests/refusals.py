"""What a refusal must be: of the very class, and a message of four beats."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pandas as pd
import pytest

# What a message calls the type of text: pandas has one of its own since 3.
TEXT = str(pd.Series(["1"]).dtype)


@contextmanager
def refused(error: type[Exception], text: str) -> Iterator[None]:
    """Expect this very class, and a message of the text, in which ... is anything, and a sentence as the way out."""
    beats = re.escape(text).replace(re.escape("..."), ".*")
    with pytest.raises(error, match=rf"(?m)^(?=.*\. [A-Z][a-z]+ .*[^A-Z]\.$){beats}") as raised:
        yield
    assert raised.type is error
