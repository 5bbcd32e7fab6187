"""Quotas of CPU, memory and requests that do not allow a deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain import google_apis, gpus, quotas
from llm_widgets.domain.failures.known_failure import Groups, KnownFailure, Rank, said
from llm_widgets.domain.failures.remedies import Advice, RemedyKind

if TYPE_CHECKING:
    from llm_widgets.domain.failures.context import Context

_PAGE = "{quota_page}"
_COMMAND = (
    f"gcloud beta quotas preferences create --service={google_apis.RUN} --project={{project}} "
    "--quota-id={quota} --preferred-value={quota_value} --dimensions=region={region} "
    "--email={email}"
)


def request(text: str, page: str = _PAGE) -> Advice:
    """Advise to request a quota, whose id is the value ``quota``."""
    parameters = {"quota": "{quota}", "region": "{region}", "value": "{quota_value}"}
    return Advice(RemedyKind.REQUEST_QUOTA, text, parameters, command=_COMMAND, url=page)


LOWER = Advice(
    RemedyKind.REDEPLOY,
    "Set maximum instances to {most} and deploy again.",
    {"max_instances": "{most}"},
)
_SMALLER = Advice(
    RemedyKind.CHOOSE,
    "Use another GPU with less CPU and memory beside it: {other_gpus_text}.",
    {"accelerators": "{other_gpus}"},
    needs=("is_large",),
)
LOOK = Advice(RemedyKind.OPEN_LINK, "Look at the quotas of Cloud Run in the project.", url=_PAGE)


def without_none(groups: Groups, context: Context) -> Groups:
    """Return the values; a limit of no instances, which nothing runs with, as ``none``."""
    values = dict(groups)
    if values.get("most") == "0":
        values["none"] = values.pop("most")
    if any(gpu.most_cpu < context.cpu for gpu in gpus.GPUS):
        values["is_large"] = "yes"
    return values


def _in_units(groups: Groups, context: Context) -> Groups:
    """Return the values with amounts as people say them; requests take the quota's own unit."""
    values = without_none(groups, context)
    values["quota_value"] = values["requested"]
    amounts = {"requested": values["quota"], "allowed": values["quota"]}
    amounts |= {"memory_requested": quotas.MEMORY, "memory_allowed": quotas.MEMORY}
    told = {
        name: quotas.amount(quota, int(values[name]))
        for name, quota in amounts.items()
        if name in values
    }
    return {**values, **told}


_MOST = r"Max instances must be set to (?P<most>\d{1,6}) or fewer.{0,900}?"
_CPU_LINE = (
    r"(?P<quota>CpuAllocPerProjectRegion) requested: (?P<requested>\d{1,18}) "
    r"allowed: (?P<allowed>\d{1,18})"
)
_MEMORY_LINE = (
    r"(?P<quota>MemAllocPerProjectRegion) requested: (?P<requested>\d{1,18}) "
    r"allowed: (?P<allowed>\d{1,18})"
)
_AND_MEMORY = (
    r".{0,200}?MemAllocPerProjectRegion requested: (?P<memory_requested>\d{1,18}) "
    r"allowed: (?P<memory_allowed>\d{1,18})"
)

FAILURES: tuple[KnownFailure, ...] = (
    KnownFailure(
        id="cpu-and-memory-quota",
        rank=Rank.REFUSED,
        signs=(
            said(_MOST + _CPU_LINE + _AND_MEMORY),
            said(_CPU_LINE + _AND_MEMORY),
        ),
        causes=(
            (
                "All instances together would take {requested} and {memory_requested}, and the "
                "quotas of the project in this region are {allowed} and {memory_allowed}."
            ),
        ),
        advice=(
            LOWER,
            request("Request a higher quota for CPU in {region}: {quota}; memory needs one too."),
            _SMALLER,
            LOOK,
        ),
        source="googlecodelabs/feedback#1856",
        derive=_in_units,
    ),
    KnownFailure(
        id="cpu-quota",
        rank=Rank.REFUSED,
        signs=(said(_MOST + _CPU_LINE), said(_CPU_LINE)),
        causes=(
            (
                "All instances together would take {requested}, and the quota of the project in "
                "this region is {allowed}."
            ),
        ),
        advice=(
            LOWER,
            request("Request a higher quota for CPU in {region}: {quota}."),
            _SMALLER,
            LOOK,
        ),
        source="googlecodelabs/feedback#1856",
        derive=_in_units,
    ),
    KnownFailure(
        id="memory-quota",
        rank=Rank.REFUSED,
        signs=(said(_MOST + _MEMORY_LINE), said(_MEMORY_LINE)),
        causes=(
            (
                "All instances together would take {requested} of memory, and the quota of the "
                "project in this region is {allowed}."
            ),
        ),
        advice=(
            LOWER,
            request("Request a higher quota for memory in {region}: {quota}."),
            _SMALLER,
            LOOK,
        ),
        source="googlecodelabs/feedback#2311",
        derive=_in_units,
    ),
    KnownFailure(
        id="max-instances",
        rank=Rank.REFUSED,
        signs=(
            said(r"Max instances must be set to (?P<most>\d{1,6}) or fewer"),
            said(r"maxScale may not exceed (?P<most>\d{1,6})"),
        ),
        causes=(
            "In this region the project's quotas allow the service at most {most} instances.",
            "In this region the project's quotas do not allow an instance of this size.",
        ),
        advice=(LOWER, _SMALLER, LOOK),
        source="googlecodelabs/feedback#1210",
        derive=without_none,
    ),
)
