"""What a page has shown: also what is gone again before a test can look."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

_SCRIPT = Path(__file__).with_suffix(".js")


def add_witness(context: BrowserContext) -> None:
    """Have the pages of a context keep what they have shown."""
    context.add_init_script(path=_SCRIPT)


def has_shown(page: Page, text: str) -> None:
    """Wait until a page has shown a text since it was opened, be it still there or not."""
    page.wait_for_function("text => window.hasShown(text)", arg=text)
