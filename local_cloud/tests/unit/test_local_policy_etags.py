"""Policies are changed by read, modify and write: what counts as the etag that was read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from local_cloud.access import Access
from local_cloud.errors import ApiError
from local_cloud.faults import Faults
from local_cloud.store import Store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUCKET = "projects/_/buckets/b"


@pytest.fixture
def access(tmp_path: Path) -> Iterator[Access]:
    store = Store(tmp_path / "state.db")
    yield Access(store, Faults(store))
    store.close()


def test_an_etag_may_come_back_in_either_alphabet_of_base64(access: Access) -> None:
    stale = access.set_policy(BUCKET, {})["etag"]
    for _ in range(40):  # most etags have no character in which the alphabets differ
        etag = access.set_policy(BUCKET, {})["etag"]
        access.set_policy(BUCKET, {"etag": etag.replace("+", "-").replace("/", "_")})
    with pytest.raises(ApiError, match="concurrent policy changes"):
        access.set_policy(BUCKET, {"etag": stale})
