"""Ollama's registry, and the GGUF models of Hugging Face that are served in its form."""
