"""Every block of Python in the README and the docs runs as printed, page by page."""

import re
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
HOSTS = sorted((ROOT / "docs" / "hosts").glob("*.md"))  # Their blocks run in the hosts themselves.
PAGES = [ROOT / "README.md", *sorted({*(ROOT / "docs").rglob("*.md")} - {*HOSTS})]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_blocks_run(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks of a page run in order, in one module; sessions with prompts are run as doctests besides."""
    # A module that can be found, so that what a page defines can be pickled.
    module = ModuleType("page")
    monkeypatch.setitem(sys.modules, "page", module)
    for block in BLOCK.findall(page.read_text()):
        exec(compile(block, page.name, "exec"), vars(module))  # noqa: S102 - our own pages.


def test_links_lead_somewhere() -> None:
    """Every relative link of a page names a file that exists."""
    for page in [*PAGES, *HOSTS]:
        for target in re.findall(r"\]\((?!http)([^)#]+)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
