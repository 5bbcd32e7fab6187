"""Cloud Storage on this machine: the JSON API and the XML API over plain files."""

from llm_widgets.local.storage.routes import Storage

__all__ = ["Storage"]
