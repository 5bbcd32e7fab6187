"""What instances cost, in US dollars: an hour, a day, and for as long as they were billed."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from llm_widgets.domain import prices
from llm_widgets.domain.prices import TABLE, Basis, Price
from llm_widgets.domain.services import InstanceSize

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llm_widgets.domain.prices import PriceList
    from llm_widgets.domain.services import Deployment, ServiceSummary

_HOUR = 3600  # seconds
_HOURS_A_DAY = 24


@dataclass(frozen=True, slots=True)
class Cost:
    """What a deployment costs.

    Attributes
    ----------
    hour
        Of one instance that is awake.
    least_day
        Of the instances that always run, used or not.
    basis
        What the prices are taken from.
    """

    hour: Decimal
    least_day: Decimal
    basis: Basis


def of_instance(listed: PriceList, region: str, size: InstanceSize) -> Price | None:
    """Compute what an instance costs an hour; ``None`` where a price is not known."""
    if size.by_request:
        return None
    parts = [(prices.CPU, size.cpu), (prices.MEMORY, size.memory_gib)]
    if size.accelerator:
        parts.append((prices.gpu(size.accelerator, redundant=size.redundant), 1))
    second, bases = Decimal(0), []
    for of, amount in parts:
        found = listed.second(region, of)
        if found is None:
            return None
        second += found.amount * Decimal(str(amount))
        bases.append(found.basis)
    return Price(second * _HOUR, prices.least_sure(*bases))


def of_service(listed: PriceList, service: ServiceSummary) -> Price | None:
    """Compute what an instance of a service costs an hour; ``None`` where that is not known."""
    return of_instance(listed, service.region, service.size) if service.size else None


def of_deployment(deployment: Deployment, listed: PriceList = TABLE) -> Cost | None:
    """Compute what a deployment costs; ``None`` where a price is not known."""
    size = InstanceSize(
        deployment.accelerator,
        deployment.cpu,
        deployment.memory_gib,
        redundant=deployment.zonal_redundancy,
    )
    found = of_instance(listed, deployment.region, size)
    if found is None:
        return None
    return Cost(found.amount, found.amount * _HOURS_A_DAY * deployment.min_instances, found.basis)


def of_usage(
    listed: PriceList, region: str, usage: Iterable[tuple[InstanceSize | None, float]]
) -> tuple[Price | None, bool]:
    """Compute what instances have cost that were billed for some time, to the cent.

    Parameters
    ----------
    usage
        What instances had, ``None`` where that is not known, and the seconds they were billed for.

    Returns
    -------
    Price or None, bool
        What is known of it, ``None`` for nothing, and whether that is all.
    """
    total, bases, is_all = Decimal(0), [], True
    for size, seconds in usage:
        if not seconds:
            continue
        hour = of_instance(listed, region, size) if size else None
        if hour is None:
            is_all = False
            continue
        total += hour.amount * Decimal(str(seconds)) / _HOUR
        bases.append(hour.basis)
    if not bases:
        return (Price(Decimal(0), Basis.LIST) if is_all else None), is_all
    return Price(prices.cents(total), prices.least_sure(*bases)), is_all
