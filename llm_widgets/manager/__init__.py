"""The use cases, each once: page, command line and Python call the same functions.

Functions take clients and values, refuse with a :class:`llm_widgets.errors.ManagerError`, and know
no widget. :class:`Manager` is their face for Python.
"""

from llm_widgets.manager.calls.deployments import PartlyDoneWarning
from llm_widgets.manager.manager import Manager

__all__ = ["Manager", "PartlyDoneWarning"]
