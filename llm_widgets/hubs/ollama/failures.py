"""What refusals of an Ollama registry mean, and what to do about each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llm_widgets.errors import Fix, GatedModelError, HubError, ManagerError, NotFoundError
from llm_widgets.hubs.failures import FORBIDDEN, NOT_FOUND, UNAUTHORIZED, general
from llm_widgets.hubs.huggingface.addresses import SHORT_HOST

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llm_widgets.hubs.failures import Refusal
    from llm_widgets.hubs.ollama.names import Name

_TOO_OLD = frozenset({412, 426})
_GONE = 410
_REFUSED = frozenset({400, 422})
_SHARDED = re.compile(r"shard|split|multi-?(?:part|file)|several files", re.IGNORECASE)
_NO_TAG = re.compile(r"quantization|\btag\b", re.IGNORECASE)
_NO_GGUF = re.compile(
    r"not (?:a )?GGUF|no GGUF|not compatible|llama\.cpp|unsupported.{0,20}architecture",
    re.IGNORECASE,
)
_PAID = re.compile(r"subscription|payment|upgrade (?:to|for|your plan)", re.IGNORECASE)
_PAYMENT = 402
_UNKNOWN = frozenset({"MANIFEST_UNKNOWN", "NAME_UNKNOWN", "BLOB_UNKNOWN"})
_CLOSED = frozenset({"UNAUTHORIZED", "DENIED"})


def explained(refusal: Refusal, name: Name, others: tuple[str, ...] = ()) -> ManagerError:
    """Return what a refusal means: by its code, and by its words where it has none.

    Parameters
    ----------
    others
        Quantizations that the repository has, as far as they are known.
    """
    status, said, code = refusal.status, refusal.said, refusal.code
    if refusal.is_page and status in {FORBIDDEN, NOT_FOUND} and name.host != SHORT_HOST:
        return general(refusal, hub=name.host)
    if status in {NOT_FOUND, _GONE} or code in _UNKNOWN:
        return NotFoundError(
            f"There is no model {name.id} at {name.host}.",
            cause=said,
            fix=_other(name, others, "Check the name and the tag on the model's page."),
        )
    if status in _TOO_OLD:
        return HubError(
            f"{name.id} needs a newer Ollama than this product deploys.",
            cause=said,
            fix=Fix(text="Choose an older model or tag.", url=name.page),
        )
    if status in {UNAUTHORIZED, _PAYMENT, FORBIDDEN} or code in _CLOSED:
        return _closed(refusal, name)
    if status in _REFUSED:
        return _refused(said, name, others) or general(refusal, hub=name.host)
    return general(refusal, hub=name.host)


def sharded(name: Name, others: tuple[str, ...], cause: str = "") -> HubError:
    """Return the error of a model in several GGUF files."""
    return HubError(
        f"{name.id} is in several GGUF files, which Ollama does not load.",
        cause=cause,
        fix=_other(
            name,
            others,
            "Choose a quantization in one file, or put the files together with "
            "llama-gguf-split --merge and upload the result.",
        ),
    )


def no_such_tag(name: Name, others: tuple[str, ...], cause: str = "") -> NotFoundError:
    """Return the error of a quantization that a repository does not have."""
    short = f"{name.host}/{name.namespace}/{name.model}"
    return NotFoundError(
        f"{short} has several quantizations: say which."
        if name.tag == "latest" and others
        else f"{short} has no quantization {name.tag}.",
        cause=cause,
        field="model_id",
        fix=_other(name, others, "Take one from the files on the model's page."),
    )


def whole_names(name: Name, files: Sequence[str]) -> Fix:
    """Advise the names of files where a quantization does not tell which is meant."""
    short = f"{name.host}/{name.namespace}/{name.model}"
    some = " or ".join(f"{short}:{path}" for path in files[:3])
    return Fix(text=f"Enter the name of the file for the quantization: {some}.", url=name.page)


def _closed(refusal: Refusal, name: Name) -> ManagerError:
    """Word a model that not everybody may read."""
    found = general(refusal, hub=name.host)
    if isinstance(found, GatedModelError):  # by its place
        return found
    if refusal.status == _PAYMENT or (refusal.status == FORBIDDEN and _PAID.search(refusal.said)):
        return GatedModelError(
            f"{name.id} is given to paying accounts only.",
            cause=refusal.said,
            fix=Fix(text="Choose another model.", url=name.page),
        )
    if name.host == SHORT_HOST:
        return GatedModelError(
            f"{name.id} is private or gated.",
            cause="No token was given." if refusal.status == UNAUTHORIZED else refusal.said,
            field="token",
            fix=Fix(
                text="Enter a Hugging Face token of an account that may read it; where it is "
                "gated, accept its licence on the model's page first.",
                url=name.page,
            ),
        )
    return GatedModelError(
        f"{name.id} is private, and Ollama's registry takes no token.",
        cause=refusal.said,
        fix=Fix(text="Choose a public model.", url=name.page),
    )


def _refused(said: str, name: Name, others: tuple[str, ...]) -> ManagerError | None:
    if _SHARDED.search(said):
        return sharded(name, others, said)
    if _NO_GGUF.search(said):
        return HubError(
            f"{name.host}/{name.namespace}/{name.model} has no GGUF files that Ollama loads.",
            cause=said,
            fix=Fix(
                text="Choose Hugging Face as the source to serve it with vLLM, or a repository "
                "with GGUF files.",
                url=name.page,
            ),
        )
    if name.host == SHORT_HOST and _NO_TAG.search(said):
        return no_such_tag(name, others, said)
    return None


def _other(name: Name, others: tuple[str, ...], else_: str) -> Fix:
    """Advise quantizations that there are, else something general."""
    if not others or name.host != SHORT_HOST:
        return Fix(text=else_, url=name.page)
    some = ", ".join(f"{name.host}/{name.namespace}/{name.model}:{tag}" for tag in others[:3])
    more = f" It has {len(others)} in total." if len(others) > 3 else ""  # noqa: PLR2004 - those that are named
    return Fix(text=f"Enter one that it has: {some}.{more}", url=name.page)
