"""What a process imports before kernels that show the page are forked from it."""

from __future__ import annotations

from importlib import import_module

from llm_widgets.gcp.client import lazy

# What a kernel of the page imports in its first seconds. Nothing of it starts a thread or opens a
# connection: neither would be there in a fork.
_MODULES = (
    "anywidget",
    "ipywidgets",
    "llm_widgets.page.shell",
)


def prepare() -> None:
    """Import the page and Google's clients."""
    for name in _MODULES:
        import_module(name)
    for name in lazy.__all__:
        getattr(lazy, name)
