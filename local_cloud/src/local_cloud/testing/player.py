"""Plays facts against a local cloud by plain HTTP: no client library judges itself."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import requests

from local_cloud.testing.facts import Fact, at, differences, filled

if TYPE_CHECKING:
    from collections.abc import Mapping

PATIENCE = 60
"""Seconds that an operation of the local cloud may take, with all cores busy."""


class Player:
    """Plays facts in their order, and keeps what later ones need.

    Parameters
    ----------
    url
        Where the APIs are.
    tokens
        Access token of each caller of facts.
    variables
        What stands for the variables of facts.

    """

    def __init__(self, url: str, tokens: Mapping[str, str], variables: Mapping[str, str]) -> None:
        self._url = url
        self._tokens = tokens
        self.variables = dict(variables)

    def call(
        self, method: str, path: str, body: Any = None, caller: str = "owner"
    ) -> tuple[int, Any]:
        """Return status and body of an answer."""
        answer = requests.request(
            method,
            self._url + filled(path, self.variables),
            json=filled(body, self.variables),
            headers={"Authorization": f"Bearer {self._tokens[caller]}"},
            timeout=PATIENCE,
        )
        is_json = "json" in answer.headers.get("Content-Type", "")
        return answer.status_code, answer.json() if is_json else answer.text or None

    def play(self, fact: Fact) -> tuple[int, Any]:
        """Return what the local cloud answers to a fact's call."""
        deadline = time.monotonic() + PATIENCE
        status, found = self.call(fact.method, fact.path, fact.body, fact.caller)
        while any(at(found, path) != value for path, value in fact.until.items()):
            assert time.monotonic() < deadline, f"{fact.id}: still {found}"
            time.sleep(0.05)
            status, found = self.call(fact.method, fact.path, fact.body, fact.caller)
        self.variables |= {name: str(at(found, path)) for name, path in fact.keep.items()}
        return status, found

    def judged(self, fact: Fact) -> dict[str, str]:
        """Play a fact, and return by path in what the local cloud differs from it."""
        status, answer = self.play(fact)
        if status != fact.status:
            return {"status": f"{status} in place of {fact.status}: {answer}"}
        return differences(fact, filled(fact.real, self.variables), answer)
