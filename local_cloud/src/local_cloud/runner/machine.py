"""What this machine has to run models with."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# Taken over from the local cloud's own environment; everything else of it stays out.
_KEPT = (
    "CUDA_VISIBLE_DEVICES",
    "DYLD_LIBRARY_PATH",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "LD_LIBRARY_PATH",
    "NO_PROXY",
    "PYTHONPATH",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_FILE",
    "VIRTUAL_ENV",
)


@dataclass(frozen=True)
class Machine:
    """Programs and libraries of this machine.

    Attributes
    ----------
    path
        Folders that programs are looked for in, separated as in the variable PATH.
    python
        The interpreter of the local cloud.
    llama_cpp
        Whether llama.cpp can be imported (package ``xllamacpp``).
    gpu
        Whether there is an NVIDIA GPU.
    images
        Names of images that are made on this machine, with the program (and its first arguments)
        that runs in place of each.

    """

    path: str
    python: str
    llama_cpp: bool
    gpu: bool
    images: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @classmethod
    def here(cls, images: Mapping[str, Sequence[str]] | None = None) -> Machine:
        """Return what there is on this machine, and these images."""
        own = str(Path(sys.executable).parent)  # programs of an environment that is not activated
        path = os.pathsep.join([own, os.environ.get("PATH", os.defpath)])
        return cls(
            path=path,
            python=sys.executable,
            llama_cpp=importlib.util.find_spec("xllamacpp") is not None,
            gpu=shutil.which("nvidia-smi", path=path) is not None,
            images=images or {},
        )

    def find(self, program: str) -> str | None:
        """Return the path of a program, if there is one of this name."""
        return shutil.which(program, path=self.path)

    def environment(self) -> dict[str, str]:
        """Return what each process gets from this machine."""
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        return {**kept, "PATH": self.path, "LANG": os.environ.get("LANG", "C.UTF-8")}
