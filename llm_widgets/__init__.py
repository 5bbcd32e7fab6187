"""Cloud Run LLM Manager: import, deploy and use open LLMs on Google Cloud Run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ipywidgets import Widget

    from llm_widgets.manager import Manager

__all__ = ["Manager", "app"]


def app() -> Widget:
    """Make the page; the last line of a notebook's cell shows it."""
    from llm_widgets.page.shell import build  # noqa: PLC0415 - only the page needs widgets

    return build()


def __getattr__(name: str) -> Any:
    if name == "Manager":
        from llm_widgets.manager import Manager  # noqa: PLC0415 - the page does not need it

        return Manager
    raise AttributeError(name)
