"""Prices of Cloud Run, from the catalogue of Cloud Billing."""

from __future__ import annotations

import re
import threading
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from llm_widgets.domain import gpus, prices
from llm_widgets.domain.prices import PriceList
from llm_widgets.errors import ManagerError
from llm_widgets.gcp.client import lazy
from llm_widgets.gcp.client.failures import explained

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llm_widgets.gcp.client.clients import Clients

SERVICE = "services/152E-C115-5142"
"""Cloud Run in the catalogue."""

KEPT = timedelta(hours=12)
"""How long prices that were read are told."""

_LARGEST_PAGE = 5000  # SKUs, as the API allows
_CURRENCY = "USD"
_NANO = Decimal("1e-9")
_WORD = re.compile(r"[a-z0-9]+")
_SECONDS = {"s": 1, "GiBy.s": 1, "min": 60, "GiBy.min": 60, "h": 3600, "GiBy.h": 3600}
"""Seconds in a unit of usage."""
# Of other products than a service that is billed by instance.
_OTHERS = {"job", "jobs", "worker", "pools", "functions", "commitment", "request"}
_WITHOUT = {"no", "without"}
_WORDS = {
    prices.CPU: {"services", "cpu", "instance", "based"},
    prices.MEMORY: {"services", "memory", "instance", "based"},
    **{
        each.accelerator: {*_WORD.findall(each.short_label.lower()), "gpu", "zonal", "redundancy"}
        for each in gpus.GPUS
    },
}
"""Words that a description has, by what it describes."""


def listed(clients: Clients, project: str = "") -> PriceList:
    """Return the prices of Cloud Run, read at most every 12 hours.

    Where the catalogue can't be read they are those of the dated table, with the reason; the
    next call tries again.
    """
    return clients.kept("prices", _Kept).of(clients, project)


class _Kept:
    """The prices that were read last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: PriceList | None = None

    def of(self, clients: Clients, project: str) -> PriceList:
        """Return them, read again where they are old."""
        with self._lock:
            now = datetime.now(UTC)
            read_at = self._found.read_at if self._found else None
            if self._found is None or read_at is None or now - read_at >= KEPT:
                try:
                    found = read(clients, project)
                except ManagerError as error:
                    return PriceList(reason=str(error))
                self._found = found
            return self._found


def read(clients: Clients, project: str = "") -> PriceList:
    """Read the prices of Cloud Run in US dollars.

    Raises
    ------
    ManagerError
        The catalogue is not to be had: the API is not enabled, or does not answer.
    """
    request: Any = {"parent": SERVICE, "currency_code": _CURRENCY, "page_size": _LARGEST_PAGE}
    with explained("read the prices of Cloud Run", clients=clients, project=project):
        skus = [lazy.billing_v1.Sku.pb(sku) for sku in clients.catalog.list_skus(request=request)]
    return PriceList(of_skus(skus), datetime.now(UTC))


def of_skus(skus: Iterable[Any]) -> dict[tuple[str, str], Decimal]:
    """Find the prices that are told of exactly once, by region and by what they are of.

    Parameters
    ----------
    skus
        Messages ``Sku`` of the catalogue.
    """
    found: dict[tuple[str, str], list[Decimal | None]] = defaultdict(list)
    for sku in skus:
        of = _described(sku)
        for region in sku.service_regions if of else ():
            found[region, of].append(_second(sku))
    return {key: told[0] for key, told in found.items() if len(told) == 1 and told[0]}


def _described(sku: Any) -> str:
    """Return what a SKU is the price of; empty for none that is looked for.

    Descriptions are for people: words are doubled, small and capital letters differ, and some
    name a tier in place of a region. So words decide what it is, and ``service_regions`` where.
    """
    words = set(_WORD.findall(sku.description.lower()))
    if words & _OTHERS or sku.category.usage_type not in ("", "OnDemand"):
        return ""
    of = next((each for each, wanted in _WORDS.items() if wanted <= words), "")
    if of in ("", prices.CPU, prices.MEMORY):
        return of
    return prices.gpu(of, redundant=not words & _WITHOUT)


def _second(sku: Any) -> Decimal | None:
    """Return the price a second beyond what is free; ``None`` for one that can't be read."""
    if not sku.pricing_info:
        return None
    expression = sku.pricing_info[-1].pricing_expression
    seconds = _SECONDS.get(expression.usage_unit)
    if seconds is None or not expression.tiered_rates:
        return None
    price = expression.tiered_rates[-1].unit_price
    if price.currency_code != _CURRENCY:
        return None
    # A price of nothing, or less, is none: it would be told as a service that is free.
    found = (Decimal(price.units) + Decimal(price.nanos) * _NANO) / seconds
    return found if found > 0 else None
