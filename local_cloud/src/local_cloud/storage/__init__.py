"""Cloud Storage on this machine: the JSON API and the XML API over plain files."""

from local_cloud.storage.routes import Storage

__all__ = ["Storage"]
