"""The Hugging Face Hub's list of models: what is searched, in which order, and what is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_cloud.hub import views
from local_cloud.hub.permissions import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from werkzeug import Request

    from local_cloud.hub.accounts import Account
    from local_cloud.hub.blobs import Blobs
    from local_cloud.hub.repositories import Repositories

TRUE = {"1", "true", "True"}

_SORT_KEYS = {"createdAt", "downloads", "lastModified", "likes", "trendingScore"}
# What a list can be asked to expand, as the API named it on 2026-10-09 when it refused another
# value. A single model has further ones.
_EXPANDABLE = frozenset(
    (
        *("author", "baseModels", "cardData", "config", "createdAt", "disabled", "downloads"),
        *("downloadsAllTime", "evalResults", "gated", "gguf", "inference"),
        *("inferenceProviderMapping", "lastModified", "library_name", "likes", "mask_token"),
        *("model-index", "pipeline_tag", "private", "resourceGroup", "safetensors", "sha"),
        *("siblings", "spaces", "tags", "transformersInfo", "trendingScore", "widgetData"),
        "xetEnabled",
    )
)
_FULL_ONLY = (
    *("baseModels", "cardData", "config", "gguf", "safetensors", "sha", "siblings"),
    "usedStorage",
)


def listed(
    request: Request, account: Account | None, repositories: Repositories, blobs: Blobs
) -> list[dict[str, Any]]:
    """Return the models that a request asks for, those of all pages.

    Raises
    ------
    Refusal
        It asks for an order, or for a property, that a list does not have.
    """
    args = request.args
    sort, expand = args.get("sort", ""), expanded(request)
    if sort and sort not in _SORT_KEYS:
        raise Refusal(400, "", "Invalid sort parameter")
    if unknown := sorted(set(expand) - _EXPANDABLE):
        allowed = ", ".join(sorted(_EXPANDABLE))
        raise Refusal(400, "", f"Invalid expand value {unknown[0]!r}: one of {allowed}")
    found = [
        entry for entry in _visible(account, repositories, blobs) if _is_wanted(request, entry)
    ]
    if sort:
        found.sort(key=lambda entry: entry[sort], reverse=True)
    if expand:
        return [views.expanded(entry, expand) for entry in found]
    if args.get("full") in TRUE:
        return found
    hidden = {name for name in _FULL_ONLY if args.get(name) not in TRUE}
    return [{key: entry[key] for key in entry if key not in hidden} for entry in found]


def expanded(request: Request) -> list[str]:
    """Return the properties that a request asks for; it may write them in two ways."""
    return request.args.getlist("expand") + request.args.getlist("expand[]")


def _visible(
    account: Account | None, repositories: Repositories, blobs: Blobs
) -> Iterator[dict[str, Any]]:
    for repo_id in repositories.ids():
        repository = repositories.get(repo_id)
        if repository is None or (repository.private and not (account and account.private)):
            continue
        commit = repository.commits[repository.branches["main"]]
        yield views.model(repository, commit, blobs, files_metadata=False)


def _is_wanted(request: Request, entry: dict[str, Any]) -> bool:
    args = request.args
    gated = args.get("gated")
    return (
        args.get("search", "").lower() in entry["id"].lower()
        and args.get("author") in (None, entry["author"])
        and args.get("pipeline_tag") in (None, entry["pipeline_tag"])
        and (gated is None or (gated in TRUE) == bool(entry["gated"]))
        and set(args.getlist("filter")) <= {*entry["tags"], entry["pipeline_tag"]}
    )
