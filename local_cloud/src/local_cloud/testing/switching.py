"""Changes the switches for faults of a local cloud that is another process."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def switch(url: str, data: Path, **switches: Any) -> None:
    """Set the switches of a local cloud; all are put right that are not given.

    Parameters
    ----------
    url
        Base address of its Google APIs.
    data
        Its data folder.

    Raises
    ------
    urllib.error.HTTPError
        There is no such switch.
    """
    name, _, value = (data / "switches.header").read_text("utf-8").strip().partition(": ")
    request = urllib.request.Request(  # noqa: S310 - the caller's own local cloud
        f"{url}/_local/faults", json.dumps(switches).encode(), {name: value}, method="PUT"
    )
    urllib.request.urlopen(request, timeout=60).close()  # noqa: S310 - as above
