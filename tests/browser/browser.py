"""A page in headless Chromium: what a script finds in it, what the console says, and a picture."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from html import unescape
from pathlib import Path
from typing import Any

__all__ = ["CHROMIUM", "console", "look", "picture"]

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

# Nothing is asked of a network, nor of a graphics card, and nothing is kept.
_QUIET = ("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking")
_QUIET += ("disable-component-update", "disable-sync", "enable-logging=stderr", "hide-scrollbars")

# Errors of the page's own script would not stop what looks at it.
_EAR = "<script>window.faults = []; addEventListener('error', (event) => faults.push(event.message));</script>"


def _run(page: str, *arguments: str, dark: bool = False) -> subprocess.CompletedProcess[str]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.html"
        path.write_text(page, encoding="utf-8")
        scheme = f"--blink-settings=preferredColorScheme={0 if dark else 1}"
        command = [
            str(CHROMIUM),
            *(f"--{option}" for option in _QUIET),
            f"--user-data-dir={folder}/profile",
            scheme,
            *arguments,
            path.as_uri(),
        ]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)  # noqa: S603 - ours.


def look(page: str, script: str, *, dark: bool = False) -> Any:
    """Return what a JavaScript expression gives once the page stands, with ``faults``, the errors up to then."""
    probe = (
        f"<script>addEventListener('load', () => {{ const found = {script}; const pre = document.createElement('pre');"
        "pre.id = 'found'; pre.textContent = JSON.stringify({ found, faults }); document.body.append(pre); });</script>"
    )
    dom = _run(page.replace("<head>", f"<head>{_EAR}{probe}", 1), "--dump-dom", dark=dark).stdout
    found = re.search(r'<pre id="found">(.*?)</pre>', dom, re.DOTALL)
    assert found, "the script did not come to its end"
    told = json.loads(unescape(found[1]))
    assert told["faults"] == []
    return told["found"]


def console(page: str) -> list[str]:
    """Return all that the browser writes to its console while the page is opened."""
    return [line for line in _run(page, "--dump-dom").stderr.splitlines() if ":CONSOLE" in line]


def picture(page: str, path: Path, *, dark: bool = False) -> None:
    """Write a picture of the page."""
    _run(page, f"--screenshot={path}", "--window-size=1000,4200", dark=dark)
