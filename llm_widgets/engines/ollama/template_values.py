"""Values for the templates of catalogues that follow from what Ollama is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.engines.ollama import recipe, variables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.domain.failures.context import Context


def template_values(context: Context) -> Iterator[tuple[str, str]]:
    """Yield the model and the folder that Ollama should be told, where it is told others."""
    if variables.MODEL.told(context) != context.model_id:
        yield "right_model", context.model_id
    folder = variables.FOLDER.told(context)
    if context.mount_path and folder.rstrip("/") != context.mount_path.rstrip("/"):
        yield "told_folder", folder or "its own folder"
        yield "right_folder", context.mount_path
    # Its cache is as long as the context of all requests at once.
    yield "context_takes_memory", "yes"
    parallel = variables.PARALLEL.told(context)
    if parallel.isdecimal() and int(parallel[:6]) > 1:
        yield "requests", parallel
        yield "fewer_requests", str(int(parallel[:6]) // 2)
        yield "requests_name", f"{variables.PARALLEL.name}={int(parallel[:6]) // 2}"
    if variables.CACHE_TYPE.told(context) == variables.CACHE_TYPE.default:
        yield (
            "small_cache",
            f"{variables.FLASH_ATTENTION.name}=1;{variables.CACHE_TYPE.name}=q8_0",
        )
    yield "cache_variables", "HOME=/tmp"
    if context.image != recipe.IMAGE:
        # The pinned one is the last whose CUDA runs with driver 535 (ollama/ollama#16449).
        yield "cuda_image", recipe.IMAGE
