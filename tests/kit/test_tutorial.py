"""The page about the kit is a test file, as it stands."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "testing.md"


def test_the_page_is_a_test_file(pytester: pytest.Pytester) -> None:
    """All blocks of the page together pass as a file of tests, with the failures that the page declares."""
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    pytester.makepyfile("\n\n".join(blocks))
    result = pytester.runpytest_inprocess("-p", "no:cacheprovider", "-W", "ignore::DeprecationWarning")
    result.assert_outcomes(passed=7, xfailed=3)


def test_the_users_file_is_short() -> None:
    """A test file for one's own sampler takes at most ten lines."""
    (block,) = [b for b in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL) if "def test_shuffled" in b]
    assert sum(bool(line) for line in block.splitlines()) <= 10
