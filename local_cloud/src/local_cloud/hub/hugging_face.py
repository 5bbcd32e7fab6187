"""The Hugging Face Hub: its model API and its downloads."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlencode

from werkzeug import Response

from local_cloud.hub import views
from local_cloud.hub.accounts import accounts, token_of
from local_cloud.hub.model_list import TRUE, expanded, listed
from local_cloud.hub.permissions import (
    Refusal,
    caller,
    check_licence,
    check_visible,
    json_answer,
)
from local_cloud.hub.repositories import is_lfs
from local_cloud.web import raw_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from werkzeug import Request

    from local_cloud.hub.blobs import Blobs
    from local_cloud.hub.downloads import Downloads
    from local_cloud.hub.repositories import Commit, Repositories, Repository

_REPO = r"/api/models/(?P<repo>[^/]+/[^/]+)"
_REVISION = r"/(?P<revision>[^/]+)"
_PAGE = 1000  # entries; the hub's own page of a tree
_EXPANDED_PAGE = 50
_LIST_PAGE = 1000


class HuggingFaceApi:
    """The route that answers the Hugging Face part of the hub.

    Requests for repositories that are not held here are left to the next route.
    """

    def __init__(self, repositories: Repositories, blobs: Blobs, downloads: Downloads) -> None:
        self._repositories = repositories
        self._blobs = blobs
        self._downloads = downloads
        table: list[tuple[str, Callable[..., Response]]] = [
            (rf"{_REPO}/tree{_REVISION}(?:/(?P<folder>.*))?", self._tree),
            (rf"{_REPO}/paths-info{_REVISION}", self._paths_info),
            (rf"{_REPO}/commits{_REVISION}", self._commits),
            (rf"{_REPO}/safetensors-metadata/(?P<path>.+)", self._safetensors_metadata),
            (rf"{_REPO}/refs", self._refs),
            (rf"{_REPO}/auth-check", self._auth_check),
            (rf"{_REPO}(?:/revision{_REVISION})?", self._model),
            (rf"/(?P<repo>[^/]+/[^/]+)/resolve{_REVISION}/(?P<path>.+)", self._resolve),
        ]
        self._table = [(re.compile(pattern), handler) for pattern, handler in table]

    def route(self, request: Request) -> Response | None:
        """Answer requests for what this hub holds."""
        path = raw_path(request)
        try:
            if path == "/api/whoami-v2":
                return self._whoami(request)
            if path == "/api/models":
                return self._models(request)
            for pattern, handler in self._table:
                if match := pattern.fullmatch(path):
                    found = {name: unquote(text or "") for name, text in match.groupdict().items()}
                    named = found.pop("repo")
                    repository = self._repositories.get(named)
                    if repository is None:
                        return self._elsewhere(request, path, named)
                    check_visible(request, repository)
                    return handler(request, repository, **found)
        except Refusal as refusal:
            return refusal.response()
        return None

    def _elsewhere(self, request: Request, path: str, named: str) -> Response | None:
        """Redirect to a repository whose id is written with other capitals, as the hub does."""
        spelled = self._repositories.spelled(named)
        if not spelled:
            return None
        query = f"?{request.query_string.decode()}" if request.query_string else ""
        target = path.replace(f"/{named}", f"/{spelled}", 1) + query
        return Response(status=307, headers={"Location": target, "Content-Length": "0"})

    def _whoami(self, request: Request) -> Response | None:
        token = token_of(request)
        if not token:
            raise Refusal(401, "", "Invalid username or password.")
        account = accounts().get(token)
        if account is None:
            return None
        access_token = {"displayName": account.about, "role": "read"}
        return json_answer(
            {
                "type": "user",
                "id": account.name,
                "name": account.name,
                "fullname": account.name,
                "isPro": False,
                "orgs": [],
                "auth": {"type": "access_token", "accessToken": access_token},
            }
        )

    def _models(self, request: Request) -> Response:
        found = listed(request, caller(request), self._repositories, self._blobs)
        return _page(request, found, _LIST_PAGE)

    def _model(self, request: Request, repository: Repository, revision: str) -> Response:
        commit = _commit(repository, revision or "main")
        blobs = request.args.get("blobs") in TRUE
        described = views.model(repository, commit, self._blobs, files_metadata=blobs)
        if expand := expanded(request):
            described = views.expanded(described, expand)
        return json_answer(described)

    def _tree(
        self, request: Request, repository: Repository, revision: str, folder: str
    ) -> Response:
        commit = _commit(repository, revision)
        recursive = request.args.get("recursive") in TRUE
        expand = request.args.get("expand") in TRUE
        entries = views.entries(commit, folder.strip("/"), recursive=recursive, expand=expand)
        if folder and not entries:
            raise Refusal(404, "EntryNotFound", f"{folder} does not exist on “{revision}”")
        return _page(request, entries, _EXPANDED_PAGE if expand else _PAGE)

    def _paths_info(self, request: Request, repository: Repository, revision: str) -> Response:
        commit = _commit(repository, revision)
        body = request.get_data(as_text=True)
        if body.startswith("{"):
            paths = json.loads(body).get("paths", [])
        else:
            paths = parse_qs(body).get("paths", [])
        folders = {
            entry["path"]: entry
            for entry in views.entries(commit, "", recursive=True, expand=False)
        }
        return json_answer([folders[path] for path in paths if path in folders])

    def _commits(self, request: Request, repository: Repository, revision: str) -> Response:
        history = repository.history(_commit(repository, revision))
        return _page(request, [views.commit_entry(commit) for commit in history], _EXPANDED_PAGE)

    def _safetensors_metadata(
        self, request: Request, repository: Repository, path: str
    ) -> Response:
        check_licence(request, repository)
        metadata = views.safetensors_metadata(_commit(repository, "main"), path, self._blobs)
        if metadata is None:
            raise Refusal(404, "EntryNotFound", "Entry not found")
        return json_answer(metadata)

    def _refs(self, request: Request, repository: Repository) -> Response:
        del request
        return json_answer(views.refs(repository))

    def _auth_check(self, request: Request, repository: Repository) -> Response:
        check_licence(request, repository)
        return json_answer({})

    def _resolve(
        self, request: Request, repository: Repository, revision: str, path: str
    ) -> Response:
        check_licence(request, repository)
        commit = _commit(repository, revision)
        blob = commit.files.get(path)
        headers = {"X-Repo-Commit": commit.sha}
        if blob is None:
            response = Refusal(404, "EntryNotFound", "Entry not found").response()
        elif is_lfs(path, blob.size):
            name = path.rpartition("/")[2]
            headers |= {
                "X-Linked-Etag": f'"{blob.sha256}"',
                "X-Linked-Size": str(blob.size),
                "Accept-Ranges": "bytes",
                "Location": self._downloads.signed_url(request, blob.sha256, file_name=name),
                "Content-Length": "0",
            }
            response = Response(status=302)
        else:
            file = self._blobs.path(blob.sha256)
            response = self._downloads.answer(request, file, etag=blob.git_sha1)
        response.headers.update(headers)
        return response


def not_found(request: Request, reason: str) -> Response:
    """Answer for a repository that neither this hub nor the real one can give."""
    del request
    return Refusal(404, "RepoNotFound", reason).response()


def _commit(repository: Repository, revision: str) -> Commit:
    commit = repository.commit(revision)
    if commit is None:
        raise Refusal(404, "RevisionNotFound", f"Invalid rev id: {revision}")
    return commit


def _page(request: Request, entries: list[dict[str, Any]], largest: int) -> Response:
    """Return one page and, in the header ``Link``, the address of the next."""
    start = max(0, request.args.get("cursor", 0, type=int))
    size = min(largest, max(1, request.args.get("limit", largest, type=int)))
    headers = {}
    if start + size < len(entries):
        query = urlencode(
            {**request.args.to_dict(flat=False), "cursor": [str(start + size)]}, doseq=True
        )
        url = f"{request.host_url.rstrip('/')}{raw_path(request)}?{query}"
        headers["Link"] = f'<{url}>; rel="next"'
    return json_answer(entries[start : start + size], headers=headers)
