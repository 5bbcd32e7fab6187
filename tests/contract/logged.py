"""Entries written into the log of the service ``engine`` as Cloud Logging takes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.contract.product import PROJECT, REGION, Product

if TYPE_CHECKING:
    from datetime import datetime


def write(product: Product, *told: tuple[str, datetime, dict[str, Any]]) -> None:
    """Write into the service's log: an id, a time, and the rest of the entry."""
    resource = {
        "type": "cloud_run_revision",
        "labels": {"service_name": "engine", "location": REGION, "project_id": PROJECT},
    }
    written = [
        {
            "logName": f"projects/{PROJECT}/logs/run.googleapis.com%2Fvarlog%2Fsystem",
            "resource": resource,
            "insertId": name,
            "timestamp": when.isoformat(),
            **rest,
        }
        for name, when, rest in told
    ]
    url = product.clients.url("logging.googleapis.com")
    answer = product.clients.session.post(f"{url}/v2/entries:write", json={"entries": written})
    assert answer.ok, answer.text
