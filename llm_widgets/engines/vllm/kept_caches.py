"""Why what vLLM compiles and measures is not kept from one instance to the next.

``VLLM_CACHE_ROOT`` holds compiled graphs and startup plans, ``TRITON_CACHE_DIR`` kernels. Taking
them over saves 30 to 100 seconds of a start in public reports. The bucket would be the only place
that outlives an instance, and it is not safe there:

- What is compiled is loaded as code. Whoever may write the cache decides what runs in every
  instance with the service's rights; a service may only read its bucket, and that is to stay so.
- Several instances start at once and write the same files. Cloud Storage FUSE has no locks between
  instances: the last one to close a file wins.
- It is keyed by the version of vLLM, the model, the GPU, the arguments and most variables of vLLM.
  A change of any of them compiles anew and leaves the old files to be paid for.

Who trusts what was compiled builds an image that has it: reading it needs no right to write, and
the image is as old as the configuration.

Sources: vLLM's pages on ``torch.compile`` and faster startup, 0.33; ``compilation/backends.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.errors import Fix, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.domain.services import Deployment

_FOLDERS = ("VLLM_CACHE_ROOT", "TRITON_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR")


def problems(deployment: Deployment) -> Iterator[InvalidInputError]:
    """Yield an error for a cache below the bucket's mount, which is read-only."""
    mount = deployment.mount_path.rstrip("/")
    for name in _FOLDERS:
        folder = deployment.environment.get(name, "")
        if mount and f"{folder.rstrip('/')}/".startswith(f"{mount}/"):
            yield InvalidInputError(
                f"{name} can't be below {mount}: the bucket is mounted read-only.",
                field="environment",
                cause="vLLM would fail when it writes what it has compiled.",
                fix=Fix(text=f"Remove {name}, or build an image that has the cache in it."),
            )
