"""The Ollama that services are deployed with."""

from __future__ import annotations

VERSION = "0.24.0"
"""The last release of Ollama whose CUDA runs on the drivers of all of Cloud Run's GPUs: newer ones
fail on driver 535 with "device kernel image is invalid"."""
