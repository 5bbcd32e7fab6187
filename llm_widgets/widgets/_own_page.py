"""The page of our own server: it has the code of all components, and widgets come as states."""

from __future__ import annotations

import os
from typing import Any

import ipywidgets as w

from llm_widgets.config import OWN_PAGE_VARIABLE

STATES_TYPE = "application/vnd.llm-widgets.state+json"
"""MIME type of the part of an output that holds the states of all widgets."""


def is_own_page() -> bool:
    """Return whether this kernel runs for our own page, and not for JupyterLab or the like.

    Asked for each widget that is made: a process may have imported this before it knows.
    """
    return bool(os.environ.get(OWN_PAGE_VARIABLE))


def states() -> dict[str, Any]:
    """Return the state of every widget by its model's id, as the page makes its models of it.

    What has its default is left out, where the browser knows the default: for the widgets of
    ipywidgets itself.
    """
    return {
        model_id: widget._get_embed_state(  # noqa: SLF001 - how ipywidgets embeds states, too
            drop_defaults=str(widget._model_module).startswith("@jupyter-widgets/")  # noqa: SLF001
        )
        for model_id, widget in w.widget._instances.copy().items()  # noqa: SLF001 - kept nowhere else
    }
