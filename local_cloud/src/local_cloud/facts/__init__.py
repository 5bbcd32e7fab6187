"""Facts about Google Cloud as data, each with its source and the date it was read.

They are not taken from any program that is tried against the local cloud: what such a program
believes is tested here, and not repeated.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any


@cache
def facts(name: str) -> dict[str, Any]:
    """Return a file of facts: ``"cloud_run"``, ``"catalog"`` or ``"roles"``."""
    text = resources.files(__name__).joinpath(f"{name}.json").read_text("utf-8")
    found: dict[str, Any] = json.loads(text)
    return found
