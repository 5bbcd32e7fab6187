"""The sample hub: a Hugging Face Hub and an Ollama registry on one port of this machine."""

from local_cloud.hub.server import Hub

__all__ = ["Hub"]
