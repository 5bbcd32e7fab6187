"""Tokens of the sample hub and what their owners may read.

They are made up, stand in ``accounts.json`` for everyone to read, and open nothing but the
samples on this machine.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from werkzeug import Request


@dataclass(frozen=True, slots=True)
class Account:
    """The owner of a token.

    Attributes
    ----------
    licence
        Whether the licences of gated models are accepted, asked for, or neither.
    private
        Whether private models may be read.
    """

    name: str
    about: str
    licence: Literal["accepted", "waiting", "none"]
    private: bool


@cache
def accounts() -> Mapping[str, Account]:
    """Return the accounts by their tokens."""
    text = resources.files(__package__).joinpath("accounts.json").read_text()
    return {token: Account(**data) for token, data in json.loads(text).items()}


def token_of(request: Request) -> str:
    """Return the bearer token of a request, or an empty string."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
