"""Who may read which repository, and how the hub says no."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from werkzeug import Response

from local_cloud.hub.accounts import Account, accounts, token_of

if TYPE_CHECKING:
    from werkzeug import Request

    from local_cloud.hub.repositories import Repository


def json_answer(
    value: object, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    """Make an answer of JSON."""
    return Response(
        json.dumps(value, ensure_ascii=False),
        status,
        headers,
        content_type="application/json; charset=utf-8",
    )


class Refusal(Exception):  # noqa: N818 - an answer, not a failure of the program
    """An error as the hub answers it: status, ``X-Error-Code`` and ``X-Error-Message``."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    def response(self) -> Response:
        """Make the answer."""
        # A header takes neither line ends nor letters beyond Latin-1.
        plain = " ".join(self.message.encode("latin-1", "replace").decode("latin-1").split())
        headers = {"X-Error-Message": plain}
        if self.code:
            headers["X-Error-Code"] = self.code
        return json_answer({"error": self.message}, self.status, headers)


def caller(request: Request) -> Account | None:
    """Return the owner of the request's token, ``None`` for a request without one."""
    if "Authorization" not in request.headers:
        return None
    account = accounts().get(token_of(request))
    if account is None:
        raise Refusal(401, "", "Invalid credentials in Authorization header")
    return account


def check_visible(request: Request, repository: Repository) -> None:
    """Refuse who may not know that the repository exists, or whose token is none."""
    account = caller(request)
    if repository.private and not (account and account.private):
        # The hub does not tell a private repository from one that does not exist.
        if account is None:
            raise Refusal(401, "RepoNotFound", "Invalid username or password.")
        raise Refusal(404, "RepoNotFound", "Repository not found")
    if repository.disabled:
        raise Refusal(403, "", "Access to this resource is disabled.")


def check_licence(request: Request, repository: Repository) -> None:
    """Refuse who may not read the files of a gated repository."""
    account = caller(request)
    if not repository.gated or (account and account.licence == "accepted"):
        return
    restricted = f"Access to model {repository.id} is restricted"
    if account is None:
        raise Refusal(
            401,
            "GatedRepo",
            f"{restricted}. You must have access to it and be authenticated to access it. "
            "Please log in.",
        )
    if account.licence == "waiting":
        raise Refusal(
            403,
            "GatedRepo",
            f"Your request to access model {repository.id} is awaiting a review from the repo "
            "authors.",
        )
    raise Refusal(
        403,
        "GatedRepo",
        f"{restricted} and you are not in the authorized list. Visit "
        f"{request.host_url}{repository.id} to ask for access.",
    )
