"""The Hub's list of models: searched, read page by page, each entry checked for itself.

Not by ``HfApi.list_models``: it asks again and again where the hub asks to wait, and follows a
next page to any host with the token.
"""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlencode

import requests
from msgspec import Meta, Struct
from requests.utils import parse_header_links

from llm_widgets.domain import memory
from llm_widgets.domain.found_models import FoundModel
from llm_widgets.domain.loading import QUANTIZED_FROM
from llm_widgets.errors import Fix, HubError, InvalidInputError, NotFoundError
from llm_widgets.exchanges import redirects
from llm_widgets.hubs import documents, facts, failures, http
from llm_widgets.hubs.huggingface.failures import HUB, Asked, explained
from llm_widgets.hubs.huggingface.repository import ID, QUANTIZED, file_url

if TYPE_CHECKING:
    from llm_widgets.domain.found_models import Search

SAFETENSORS, GGUF = "safetensors", "gguf"
"""Tags of repositories with weights of these formats."""

_LARGEST_PAGE = 16 << 20  # bytes; an entry's configuration may hold a chat template of 100 KB
_LARGEST_CONFIG = 4 << 20  # bytes
_PAGE = 100  # entries that are asked for at once
_MOST_PAGES = 10
_SORTS = {
    "downloads": "downloads",
    "likes": "likes",
    "trending": "trendingScore",
    "changed": "lastModified",
    "created": "createdAt",
}
_EXPANDED = (
    *("config", "downloads", "gated", "gguf", "lastModified", "library_name", "pipeline_tag"),
    *("safetensors", "tags"),
)
# Bytes of one element by safetensors' names; of others nothing is known.
_WIDTHS = {
    **dict.fromkeys(("F64", "I64", "U64"), 8),
    **dict.fromkeys(("F32", "I32", "U32"), 4),
    **dict.fromkeys(("F16", "BF16", "I16", "U16"), 2),
    **dict.fromkeys(("F8_E4M3", "F8_E5M2", "F8_E8M0", "I8", "U8", "BOOL"), 1),
}
_INTEGERS = frozenset(("I64", "U64", "I32", "U32", "I16", "U16", "I8", "U8", "BOOL"))
# An element of these is one parameter.
_UNPACKED = frozenset(("F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"))
# Integers may hold several parameters each. Whether the hub counts those, or the elements that are
# stored, differs: `parse-safetensors-metadata.ts` of huggingface.js multiplies packed tensors of
# GPTQ, AWQ, MXFP4 and compressed-tensors; nvidia/Qwen3.8-27B-NVFP4 was counted as stored on
# 2026-10-09. So where integers are more than positions and masks, nothing is known.
_MOST_INTEGERS = 0.01  # of all elements

_Text = Annotated[str, Meta(pattern=documents.TEXT, max_length=1000)]
_Count = Annotated[int, Meta(ge=0, le=1 << 53)]


class _Weights(Struct, frozen=True):
    parameters: dict[str, _Count] | None = None
    total: _Count | None = None


class _Gguf(Struct, frozen=True):
    """What the hub reads of one GGUF file of the repository.

    ``total`` counts the elements of its tensors, whatever their type: 999,885,952 in
    ggml-org/gemma-3-1b-it-GGUF, a model of as many parameters.
    """

    total: _Count | None = None


class _Quantization(Struct, frozen=True):
    quant_method: _Text | None = None


class _Config(Struct, frozen=True):
    quantization_config: _Quantization | None = None


class _Entry(Struct, frozen=True, rename={"last_modified": "lastModified"}):
    """A model in the list. What is of another type is told by no hub: the entry is left out."""

    id: Annotated[str, Meta(pattern=ID, max_length=200)]
    gated: bool | _Text | None = None
    downloads: _Count | None = None
    pipeline_tag: _Text | None = None
    last_modified: datetime | None = None
    tags: tuple[_Text, ...] | None = None
    safetensors: _Weights | None = None
    gguf: _Gguf | None = None
    config: _Config | None = None


def search(
    wanted: Search, *, source: str, endpoint: str, format_: str, token: str = ""
) -> tuple[FoundModel, ...]:
    """Return the models of a format that a search finds, in the hub's order.

    Parameters
    ----------
    source
        Id of the hub by which they are imported.
    format_
        :data:`SAFETENSORS` or :data:`GGUF`.

    Raises
    ------
    ManagerError
        The hub is away, refuses, asks to wait, or its answer is no list.
    """
    found: list[FoundModel] = []
    url = _address(wanted, endpoint, format_)
    deadline = time.monotonic() + http.SECONDS  # of all pages together
    with http.session() as session:
        for _ in range(_MOST_PAGES):
            given = _page(session, url, token, deadline - time.monotonic())
            more = models_of(given.body, source=source, format_=format_)
            found += more
            url = next_page(given.header("Link"), endpoint)
            if len(found) >= wanted.limit or not more or not url:
                break
    return tuple(found[: wanted.limit])


def models_of(body: bytes, *, source: str, format_: str) -> list[FoundModel]:
    """Read one page of the list; an entry that is no model is left out, and spoils no search.

    Raises
    ------
    HubError
        It is no list.
    """
    listed = documents.parsed(body, name=f"{HUB}'s list of models")
    if not isinstance(listed, list):
        raise HubError(f"{HUB}'s answer is not a list of models.", cause="It is not a JSON array.")
    found = []
    for each in listed:
        with suppress(HubError):
            entry = documents.checked(each, _Entry, wrong="It is not a model.")
            found.append(_model(entry, source, format_))
    return found


def next_page(link: str, endpoint: str) -> str:
    """Return the address of the next page, by the header ``Link``; empty for none.

    Raises
    ------
    HubError
        It is at another host: the token does not belong there.
    """
    links = parse_header_links(link) if link else []
    url = next((str(each["url"]) for each in links if each.get("rel") == "next"), "")
    try:
        is_here = not url or redirects.origin(url) == redirects.origin(endpoint)
    except ValueError:
        is_here = False
    if not is_here:
        raise HubError(
            f"{HUB}'s list of models has its next page at another host.", cause=url[:300]
        )
    return url


def memory_facts(model: FoundModel, *, endpoint: str, token: str = "") -> dict[str, Any]:
    """Read what the memory of a model of safetensors is computed from: one request.

    The weights are those that the list counts, its layers those of ``config.json``.

    Parameters
    ----------
    model
        With a size.

    Raises
    ------
    ManagerError
        Its configuration can't be read, as that of a gated model.
    """
    with http.session() as session:
        url = file_url(endpoint, model.id, "main", "config.json")
        answer = http.get(session, url, limit=_LARGEST_CONFIG, token=token)
    if answer.status != requests.codes.ok:
        refusal = failures.Refusal(answer.status, answer.headers, answer.body)
        if refusal.code == "EntryNotFound":
            raise NotFoundError(f"{model.id} has no config.json.")
        raise explained(refusal, Asked(endpoint, model.id, has_token=bool(token)))
    config = documents.parsed(answer.body, name=f"config.json of {model.id}")
    if not isinstance(config, dict):
        raise HubError(f"config.json of {model.id} is not a JSON object.")
    found = facts.from_config(config)
    if model.base:
        found[QUANTIZED_FROM] = model.base
    tensors = [
        memory.Tensor(f"all of {dtype}", dtype, (count,), _WIDTHS[dtype] * count)
        for dtype, count in model.elements
    ]
    return found | facts.memory_of_safetensors(config, tensors)


def _address(wanted: Search, endpoint: str, format_: str) -> str:
    if wanted.sort not in _SORTS:
        raise InvalidInputError(
            f"Models can't be sorted by {wanted.sort!r}: use {', '.join(_SORTS)}.", field="sort"
        )
    query = [
        ("filter", format_),
        ("sort", _SORTS[wanted.sort]),
        ("limit", str(min(wanted.limit, _PAGE))),
        *(("expand", name) for name in _EXPANDED),
    ]
    if text := wanted.text.strip():
        query.append(("search", text))
    if wanted.task:
        query.append(("pipeline_tag", wanted.task))
    if wanted.quantized_from:
        query.append(("filter", f"{QUANTIZED}{wanted.quantized_from}"))
    return f"{endpoint}/api/models?{urlencode(query)}"


def _page(session: requests.Session, url: str, token: str, seconds: float) -> failures.Refusal:
    answer = http.get(session, url, limit=_LARGEST_PAGE, token=token, seconds=seconds)
    given = failures.Refusal(answer.status, answer.headers, answer.body)
    if answer.status != requests.codes.ok:
        raise _refused(given, has_token=bool(token))
    failures.refuse_page(given, hub=HUB)
    return given


def _refused(refusal: failures.Refusal, *, has_token: bool) -> Exception:
    if refusal.status == failures.UNAUTHORIZED and has_token:
        return InvalidInputError(
            f"{HUB} does not accept this token.",
            field="token",
            cause=refusal.said,
            fix=Fix(text="Enter another one, or search without."),
        )
    return failures.general(refusal, hub=HUB)


def _model(entry: _Entry, source: str, format_: str) -> FoundModel:
    counts = (entry.safetensors.parameters if entry.safetensors else None) or {}
    is_weights = format_ == SAFETENSORS
    total = entry.gguf.total or None if entry.gguf else None
    return FoundModel(
        source,
        entry.id,
        size=_size(counts) if is_weights else None,
        parameters=_parameters(counts) if is_weights else total,
        license=_after("license:", entry),
        gated=None if entry.gated is None else bool(entry.gated),
        downloads=entry.downloads,
        task=entry.pipeline_tag or "",
        changed=entry.last_modified,
        quantization=_quantization(entry),
        base=_after(QUANTIZED, entry),
        elements=tuple(sorted(counts.items())) if is_weights else (),
    )


def _size(counts: dict[str, int]) -> int | None:
    if not counts or not counts.keys() <= _WIDTHS.keys() or _is_packed(counts):
        return None
    return sum(_WIDTHS[dtype] * count for dtype, count in counts.items())


def _parameters(counts: dict[str, int]) -> int | None:
    if not counts or not counts.keys() <= _UNPACKED | _INTEGERS or _is_packed(counts):
        return None
    return sum(count for dtype, count in counts.items() if dtype in _UNPACKED)


def _is_packed(counts: dict[str, int]) -> bool:
    integers = sum(count for dtype, count in counts.items() if dtype in _INTEGERS)
    return integers > _MOST_INTEGERS * sum(counts.values())


def _quantization(entry: _Entry) -> str:
    told = entry.config.quantization_config if entry.config else None
    return (told.quant_method if told else None) or ""


def _after(start: str, entry: _Entry) -> str:
    """Return what follows a word in the first tag that begins with it; empty for none."""
    named = (tag.removeprefix(start) for tag in entry.tags or () if tag.startswith(start))
    return next(named, "")
