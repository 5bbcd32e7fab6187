"""What refusals of an Ollama registry mean, and what to do about each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.errors import Fix, GatedModelError, HubError, ManagerError, NotFoundError
from llm_widgets.hubs.failures import FORBIDDEN, NOT_FOUND, UNAUTHORIZED, general

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_widgets.hubs.ollama.names import Name

_TOO_OLD = 412


def explained(status: int, headers: Mapping[str, str], name: Name, said: str) -> ManagerError:
    """Return what a refusal means.

    Parameters
    ----------
    said
        The registry's own message, or empty.
    """
    if status == NOT_FOUND:
        return NotFoundError(
            f"There is no model {name.id} at {name.host}.",
            cause=said,
            fix=Fix(text="Check the name and the tag on the model's page.", url=name.page),
        )
    if status == _TOO_OLD:
        return HubError(
            f"{name.id} needs a newer Ollama than this product deploys.",
            cause=said,
            fix=Fix(text="Choose an older model or tag.", url=name.page),
        )
    if status in {UNAUTHORIZED, FORBIDDEN}:
        return GatedModelError(
            f"{name.id} is private or gated, and Ollama's registry protocol takes no token here.",
            cause=said,
            fix=Fix(text="Import it from Hugging Face, or choose a public model.", url=name.page),
        )
    return general(status, headers, hub=name.host, said=said)
