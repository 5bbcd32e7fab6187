"""What was changed of IAM and has not reached everywhere yet, as on Google Cloud.

A policy that was set can be read back at once, and what it grants or takes away has an effect only
later. An account that was made is unknown at first. How long both take is a switch.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local_cloud.faults import Faults
    from local_cloud.store import Store

_KIND = "spreading-policy"


class Spreading:
    """Tells what has an effect by now.

    Parameters
    ----------
    store
        Holds what is under way (kind ``spreading-policy``), by names of resources.
    faults
        Says how long it takes.

    """

    def __init__(self, store: Store, faults: Faults) -> None:
        self._store = store
        self._faults = faults

    def changed(self, name: str, before: list[Any], after: list[Any]) -> None:
        """Note that the bindings of a resource were changed; in time, they have their effect."""
        seconds = self._faults.grant_seconds
        if not seconds:
            self.forget(name)
            return
        now = time.time()
        record = self._store.get(_KIND, name) or {"states": []}
        coming = [state for state in record["states"] if state["at"] > now]
        states = [
            {"at": 0, "bindings": self.effective(name, before)},
            *coming,
            {"at": now + seconds, "bindings": after},
        ]
        self._store.put(_KIND, name, {"states": states})

    def forget(self, name: str) -> None:
        """Let the policy of a resource have its effect at once."""
        self._store.delete(_KIND, name)

    def effective(self, name: str, bindings: list[Any]) -> list[Any]:
        """Return the bindings that have an effect now, given those of the policy."""
        record = self._store.get(_KIND, name) if self._faults.grant_seconds else None
        if record is None:
            return bindings
        now = time.time()
        past: list[list[Any]] = [s["bindings"] for s in record["states"] if s["at"] <= now]
        return past[-1]

    def known_from(self) -> float:
        """Return when an account that is made now will be known, in seconds of the epoch."""
        return time.time() + self._faults.account_seconds

    def knows(self, account: dict[str, Any]) -> bool:
        """Return whether an account, as it is kept, was made long enough ago to be known."""
        since: float = account.get("known_from", 0)
        return not self._faults.account_seconds or time.time() >= since
