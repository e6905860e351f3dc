"""The code of a how-to page: what a page prints is what its test runs."""

import re
import sys
from pathlib import Path
from types import ModuleType

PAGES = Path(__file__).parents[2] / "docs" / "hosts"
_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def recipe(host: str, folder: Path = PAGES) -> ModuleType:
    """Return a module with all that the Python blocks of a page define, run in order."""
    module = ModuleType(f"recipe_{host}")
    sys.modules[module.__name__] = module  # What a page defines can then be pickled.
    page = folder / f"{host}.md"
    for block in _BLOCK.findall(page.read_text()):
        exec(compile(block, str(page), "exec"), vars(module))  # noqa: S102 - our own pages.
    return module
