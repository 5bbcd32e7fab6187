"""Whoever may write into a bucket names objects as they like: it costs that bucket alone little."""

from __future__ import annotations

import http.client
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from llm_widgets.domain import storage_use
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.domain.storage_use import StoredObject
from llm_widgets.gcp.storage import buckets, usage
from llm_widgets.manager import tidying
from tests.contract.product import PROJECT, REGION, Product, running

if TYPE_CHECKING:
    from collections.abc import Iterator

NOW = datetime.now(UTC)


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        made = running(tmp_path_factory.mktemp("strangers"), environment)
        product = next(made)
        for name in ("hostile", "innocent"):
            buckets.create_bucket(product.clients, PROJECT, name, REGION)
        yield product
        yield from made


def sent(product: Product, method: str, path: str, body: bytes = b"") -> str:
    """Send a request whose path stays as it is written."""
    parts = urlsplit(product.cloud.url)
    line = http.client.HTTPConnection(parts.hostname or "", parts.port)
    product.clients.session.get(product.cloud.url)  # renews the token
    token = product.clients.credentials.token
    line.request(method, path, body, {"Authorization": f"Bearer {token}"})
    answer = line.getresponse()
    text = answer.read().decode()
    line.close()
    assert answer.status == http.client.OK, text
    return text


def upload(product: Product, path: str, part: bytes) -> None:
    """Begin an upload, and send a part of it."""
    opened = sent(product, "POST", f"{path}?uploads")
    upload_id = opened.partition("<UploadId>")[2].partition("<")[0]
    sent(product, "PUT", f"{path}?partNumber=1&uploadId={upload_id}", part)


def test_an_upload_whose_name_climbs_is_looked_for_in_its_bucket(product: Product) -> None:
    upload(product, "/hostile/..%2Finnocent%2Fx", b"x" * 11)
    assert usage.unfinished(product.clients, "hostile") == (11, True)


def test_any_number_of_uploads_is_measured_to_a_limit_and_told_as_the_least(
    product: Product,
) -> None:
    buckets.create_bucket(product.clients, PROJECT, "many", REGION)
    for number in range(4):
        upload(product, f"/many/{number}", b"x" * 11)
    assert usage.unfinished(product.clients, "many", most=4) == (44, True)
    assert usage.unfinished(product.clients, "many", most=3) == (33, False)
    assert usage.unfinished(product.clients, "many", seconds=-1) == (None, False)


def test_an_upload_of_an_odd_name_is_that_buckets_trouble_alone(product: Product) -> None:
    sent(product, "POST", "/hostile/x%01y?uploads")
    told = tidying.read_all(product.clients, PROJECT, ["hostile", "innocent"])
    assert [each.unfinished for each in told] == [None, 0]
    assert [len(each.problems) for each in told] == [1, 0]


def test_names_of_many_folders_take_no_time() -> None:
    models = [
        ModelRecord(f"a/{each}", "huggingface", ModelStatus.READY, prefix=f"huggingface/a/{each}/1")
        for each in range(1000)
    ]
    names = [f"huggingface/a/999/1/{'b/' * 480}{each}" for each in range(500)]
    live = [StoredObject(name, 1, "", 1, NOW) for name in (*names, *names, "//x", "/y", "z")]
    begun = time.process_time()
    assert storage_use.loose_folders(live, models, ["huggingface"]) == {}
    assert time.process_time() - begun < 5
