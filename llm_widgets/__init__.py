"""Cloud Run LLM Manager: import, deploy and use open LLMs on Google Cloud Run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ipywidgets import Widget

    from llm_widgets.manager import Manager
    from llm_widgets.manager.estimating import estimate

__all__ = ["Manager", "app", "estimate"]


def app() -> Widget:
    """Make the page; the last line of a notebook's cell shows it.

    Raises
    ------
    ManagerError
        What the page needs is not installed.
    """
    from llm_widgets import installation  # noqa: PLC0415 - only the page needs this and widgets

    installation.check_page()
    from llm_widgets.page.shell import build  # noqa: PLC0415 - the same

    return build()


def __getattr__(name: str) -> Any:
    if name == "Manager":
        from llm_widgets.manager import Manager  # noqa: PLC0415 - the page does not need it

        return Manager
    if name == "estimate":
        from llm_widgets.manager.estimating import estimate  # noqa: PLC0415 - the same

        return estimate
    raise AttributeError(name)


def __dir__() -> list[str]:
    return __all__
