"""The front of each deployed service: who may call it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from werkzeug.wrappers import Request, Response

from local_cloud.google.run_templates import FROM_EVERYWHERE
from local_cloud.issuer import ANONYMOUS

if TYPE_CHECKING:
    from google.cloud import run_v2

    from local_cloud.access import Access
    from local_cloud.faults import Faults
    from local_cloud.google.run_services import Services
    from local_cloud.tokens import Tokens
    from local_cloud.visiting import Visits

_PAGE = """<html><head>
<meta http-equiv="content-type" content="text/html;charset=utf-8">
<title>{code} {title}</title>
</head>
<body text=#000000 bgcolor=#ffffff>
<h1>Error: {title}</h1>
<h2>Your client does not have permission to get URL <code>{path}</code> from this server.</h2>
<h2></h2>
</body></html>
"""

# Answered by 404, says https://docs.cloud.google.com/run/docs/securing/ingress.
_NOT_FOUND = """<html><head>
<meta http-equiv="content-type" content="text/html;charset=utf-8">
<title>404 Page not found</title>
</head>
<body text=#000000 bgcolor=#ffffff>
<h1>Error: Page not found</h1>
<h2>The requested URL was not found on this server.</h2>
<h2></h2>
</body></html>
"""


class Front:
    """Decides whether a request may reach a service, as Cloud Run's front end does.

    Parameters
    ----------
    access
        Decides on ``run.routes.invoke``.
    tokens
        Verifies ID tokens, whose audience must be the service.
    services
        Knows each service's addresses.
    faults
        Says whether ingress settings are enforced.
    visits
        Stand before the services with Identity-Aware Proxy.

    """

    def __init__(
        self, access: Access, tokens: Tokens, services: Services, faults: Faults, visits: Visits
    ) -> None:
        self._access = access
        self._tokens = tokens
        self._services = services
        self._faults = faults
        self._visits = visits

    def refusal(self, request: Request, service_name: str) -> Response | None:
        """Return the answer to a request that may not pass, or None."""
        service = self._services.find(service_name)
        if service is None:
            return None
        if self._faults.enforce_ingress and service.ingress != FROM_EVERYWHERE:
            # Whoever calls does so from outside of the project's networks.
            return Response(_NOT_FOUND, 404, content_type="text/html; charset=UTF-8")
        if service.iap_enabled:
            return self._visits.refusal(request, service)
        return None if service.invoker_iam_disabled else self._not_invoked(request, service)

    def _not_invoked(self, request: Request, service: run_v2.Service) -> Response | None:
        """Return the answer to a request of a caller who may not call the service, or None."""
        header = request.headers.get("X-Serverless-Authorization") or request.headers.get(
            "Authorization", ""
        )
        scheme, _, token = header.partition(" ")
        caller = ANONYMOUS
        if scheme.lower() == "bearer" and token:
            audiences = {*service.urls, *service.custom_audiences}
            found = self._tokens.id_token_caller(token.strip(), audiences)
            caller = found or ANONYMOUS
        if self._access.granted(caller, ["run.routes.invoke"], service.name):
            return None
        if token and caller == ANONYMOUS:
            return _page(request, 401, "Unauthorized", 'Bearer error="invalid_token"')
        return _page(request, 403, "Forbidden", "")


def _page(request: Request, code: int, title: str, challenge: str) -> Response:
    path = request.path.replace("&", "&amp;").replace("<", "&lt;")
    text = _PAGE.format(code=code, title=title, path=path)
    headers = {"WWW-Authenticate": challenge} if challenge else {}
    return Response(text, code, headers, content_type="text/html; charset=UTF-8")
