"""Ollama: serves a model from a folder of manifests and blobs of its own in the bucket."""
