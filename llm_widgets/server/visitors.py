"""Who is visiting: a browser that has shown the page's token, and is known by a cookie since."""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from jupyter_server.auth.identity import IdentityProvider, User
from traitlets import Int, Unicode

if TYPE_CHECKING:
    from tornado.httputil import HTTPServerRequest

NOBODY = "nobody"
"""Who asks for a file without a cookie where no token is needed. No kernel is theirs."""

_BEARER = re.compile(r"(?:token|bearer) +(\S+)", re.IGNORECASE)  # as Jupyter's clients send it


class Asked(Protocol):
    """A request that is being answered.

    Attributes
    ----------
    request
        The request.
    admits_browsers
        Whether a browser that comes for the first time is given its cookie here.
    """

    request: HTTPServerRequest
    admits_browsers: bool

    def get_query_argument(self, name: str, default: str) -> str:
        """Return a part of the address."""

    def get_signed_cookie(self, name: str) -> bytes | None:
        """Return a cookie of ours."""

    def set_signed_cookie(
        self, name: str, value: str, expires_days: float | None, *, httponly: bool
    ) -> None:
        """Set a cookie."""


@dataclass
class Visitor(User):
    """A person, as far as known, and the browser that they use.

    Attributes
    ----------
    browser
        Random id of the browser, kept in its cookie; empty if it has none.
    """

    browser: str = ""

    @property
    def key(self) -> str:
        """What kernels belong to."""
        return f"{self.username} {self.browser}"


def new_token() -> str:
    """Return a random token for the page's address."""
    return secrets.token_hex(24)  # as long as Jupyter's


class BrowserIdentityProvider(IdentityProvider):
    """Lets in every browser that has shown the token once; without a token, every browser.

    The cookie is signed with a key of this process: it ends with the server.
    """

    page_token = Unicode(config=True, help="The token; empty if none is needed.")
    page_port = Int(config=True, help="Port of the page: browsers share cookies between ports.")

    @property
    def auth_enabled(self) -> bool:
        """Nobody is let in without being asked."""
        return True

    @property
    def login_available(self) -> bool:
        """There is no login form."""
        return False

    def get_handlers(self) -> list[tuple[str, object]]:
        """No pages for login and logout."""
        return []

    async def get_user(self, handler: Asked) -> Visitor | None:  # type: ignore[override] # ours only
        """Return the visitor, or ``None`` for one who may not come in."""
        name = await self.person(handler)
        if name is None:
            return None
        browser = self._known_browser(handler)
        if not browser:
            if not self.admits(handler):
                return None
            browser = self._new_browser(handler) if handler.admits_browsers else ""
        name = name or browser or NOBODY
        return Visitor(username=name, name=name, display_name=name, browser=browser)

    async def person(self, _handler: Asked) -> str | None:
        """Return who asks, empty if that is not known; ``None`` refuses them."""
        return ""

    def admits(self, handler: Asked) -> bool:
        """Whether a browser without a cookie is let in: it shows the token, or there is none."""
        if not self.page_token:
            return True
        shown = handler.get_query_argument("token", "")
        if not shown:
            match = _BEARER.fullmatch(handler.request.headers.get("Authorization", ""))
            shown = match[1] if match else ""
        return hmac.compare_digest(shown.encode(), self.page_token.encode())

    def _cookie(self) -> str:
        return f"llm-widgets-{self.page_port}"

    def _known_browser(self, handler: Asked) -> str:
        value = handler.get_signed_cookie(self._cookie())
        return value.decode("ascii") if value else ""

    def _new_browser(self, handler: Asked) -> str:
        browser = secrets.token_hex(16)
        handler.set_signed_cookie(self._cookie(), browser, expires_days=None, httponly=True)
        return browser
