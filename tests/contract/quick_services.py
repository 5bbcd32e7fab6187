"""Services that are up in a moment: they mount the small model, and serve none."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from llm_widgets.domain.services import StartupProbe
from llm_widgets.errors import NotFoundError
from llm_widgets.gcp.iam import bucket_readers
from llm_widgets.gcp.run import rollout, services
from llm_widgets.serving import codec, recipes
from tests.contract.product import PROJECT, REGION
from tests.contract.served_model import BUCKET, RECORD

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.product import Product


@contextmanager
def deployed(product: Product, *names: str) -> Iterator[None]:
    """Deploy what mounts the small model, under some names; what is left goes afterwards."""
    account = product.clients.projects.get_project(name=f"projects/{PROJECT}").name
    number = account.rsplit("/", 1)[1]
    runs_as = f"{number}-compute@developer.gserviceaccount.com"
    bucket_readers.grant_reader(
        product.clients, BUCKET, f"serviceAccount:{runs_as}", project=PROJECT
    )
    offered = recipes.defaults(
        RECORD, project=PROJECT, region=REGION, bucket=BUCKET, service_account=runs_as
    )
    server = ("/bin/sh", "-c", "exec python3 -m http.server $PORT --bind 127.0.0.1")
    offered = replace(offered, command=server, probe=StartupProbe("/", period=1, timeout=1))
    started = [
        services.create_from(product.clients, codec.document(replace(offered, name=name)))
        for name in names
    ]
    for operation in started:
        list(rollout.follow(product.clients, operation, period=0.1))
    try:
        yield
    finally:
        for name in names:
            with suppress(NotFoundError):  # the test has deleted it
                gone = services.delete(
                    product.clients, f"projects/{PROJECT}/locations/{REGION}/services/{name}"
                )
                list(rollout.follow(product.clients, gone, period=0.1))
