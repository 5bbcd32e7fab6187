"""Cloud Run LLM Manager: import, deploy and use open LLMs on Google Cloud Run."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipywidgets import Widget


def app() -> Widget:
    """Make the page; the last line of a notebook's cell shows it."""
    from llm_widgets.views.app import build  # noqa: PLC0415 - only the page needs widgets

    return build()
