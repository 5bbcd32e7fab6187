"""Cloud Billing v1: the catalogue of prices, of which there is Cloud Run's part."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from google.cloud import billing_v1

from local_cloud.errors import ApiError
from local_cloud.facts import facts
from local_cloud.google.permissions import Need
from local_cloud.google.records import page_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from local_cloud.issuer import Caller

LARGEST_PAGE = 5000
_NANOS = 10**9


@dataclass(frozen=True)
class _Currency:
    """Its code, and units of it for a US dollar."""

    code: str
    rate: Decimal


def rule(_name: str, _request: Any) -> Need:
    """Return what a call needs: nothing but an account, and the API in its project."""
    return Need("", "")


class Catalog:
    """Answers CloudCatalogClient."""

    def __init__(self) -> None:
        self._facts = facts("catalog")

    def list_services(
        self,
        request: Any,
        caller: Caller,  # noqa: ARG002 - a handler
    ) -> billing_v1.ListServicesResponse:
        """Return the services whose prices are here."""
        told = self._facts["service"]
        service = billing_v1.Service(service_id=told["name"].rpartition("/")[2], **told)
        page, token = page_of([service], request, default=LARGEST_PAGE, most=LARGEST_PAGE)
        return billing_v1.ListServicesResponse(services=page, next_page_token=token)

    def list_skus(
        self,
        request: Any,
        caller: Caller,  # noqa: ARG002 - a handler
    ) -> billing_v1.ListSkusResponse:
        """Return a page of the prices of a service, in the currency that was asked for."""
        if request.parent != self._facts["service"]["name"]:
            raise ApiError("NOT_FOUND", f"Service {request.parent} does not exist.")
        if "start_time" in request or "end_time" in request:
            raise ApiError("UNIMPLEMENTED", "Prices of the past are not known here.")
        currency = request.currency_code or "USD"
        rates: dict[str, str] = self._facts["currencies"]["rates"]
        if currency not in rates:
            raise ApiError("INVALID_ARGUMENT", f"Currency code {currency} is not supported.")
        rate = Decimal(rates[currency])
        skus = [
            self._sku(told, description, regions, factor, _Currency(currency, rate))
            for told, description, regions, factor in self._priced()
        ]
        page, token = page_of(skus, request, default=LARGEST_PAGE, most=LARGEST_PAGE)
        return billing_v1.ListSkusResponse(skus=page, next_page_token=token)

    def _priced(self) -> Iterator[tuple[Mapping[str, Any], str, list[str], Decimal]]:
        """Yield what has a price: its facts, its description, where, and how much dearer."""
        told, places = self._facts["skus"], facts("cloud_run")
        doubled, dearer = told["doubled_word"]["region"], Decimal(told["tier_2"]["factor"])
        for tier, regions in places["tiers"]["regions"].items():
            factor = dearer if tier == "2" else Decimal(1)
            for each in told["by_tier"]:
                yield each, each["description"].format(tier=tier), list(regions), factor
            for region in regions:
                named = f"in {region}" if region == doubled else region
                gpus = places["gpus"]["accelerators"].items()
                of_gpus = (
                    each
                    for accelerator, where in gpus
                    if region in where["regions"]
                    for each in told["by_gpu"][accelerator]
                )
                for each in (*told["by_region"], *of_gpus):
                    yield each, each["description"].format(region=named), [region], factor

    def _sku(
        self,
        told: Mapping[str, Any],
        description: str,
        regions: list[str],
        factor: Decimal,
        currency: _Currency,
    ) -> billing_v1.Sku:
        service = self._facts["service"]["name"]
        sku_id = _id(description)
        price = Decimal(told["price"]) * factor * currency.rate
        free = told.get("free_until", 0)
        tiers = [_tier(0, Decimal(0), currency.code)] if free else []
        return billing_v1.Sku(
            name=f"{service}/skus/{sku_id}",
            sku_id=sku_id,
            description=description,
            category=billing_v1.Category(
                service_display_name=self._facts["service"]["display_name"],
                resource_family="ApplicationServices",
                resource_group=told["group"],
                usage_type="OnDemand",
            ),
            service_regions=regions,
            pricing_info=[
                billing_v1.PricingInfo(
                    effective_time=datetime.fromisoformat(self._facts["skus"]["date"]).replace(
                        tzinfo=UTC
                    ),
                    pricing_expression=billing_v1.PricingExpression(
                        usage_unit=told["unit"],
                        base_unit=told["unit"].replace("GiBy", "By"),
                        display_quantity=1,
                        tiered_rates=[*tiers, _tier(free, price, currency.code)],
                    ),
                    currency_conversion_rate=float(currency.rate),
                )
            ],
            service_provider_name="Google",
        )


def _tier(start: int, price: Decimal, currency: str) -> billing_v1.PricingExpression.TierRate:
    units, part = divmod(price, 1)
    return billing_v1.PricingExpression.TierRate(
        start_usage_amount=start,
        unit_price={
            "currency_code": currency,
            "units": int(units),
            "nanos": round(part * _NANOS),
        },
    )


def _id(description: str) -> str:
    """Return the id of a SKU, in the form that the catalogue has: ``1A2B-3C4D-5E6F``."""
    digest = hashlib.sha256(description.encode()).hexdigest().upper()
    return "-".join(digest[at : at + 4] for at in (0, 4, 8))
