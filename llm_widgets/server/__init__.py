"""Serves the page: Voilà with our template, headers and kernel handling."""

from llm_widgets.server.launcher import launch

__all__ = ["launch"]
