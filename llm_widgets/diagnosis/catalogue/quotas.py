"""Quotas of CPU, memory and requests that do not allow a deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.diagnosis.failure import Groups, Kind, Rank, said
from llm_widgets.diagnosis.remedies import Advice, RemedyKind
from llm_widgets.diagnosis.template_values import number
from llm_widgets.domain import google_apis
from llm_widgets.domain.units import GIB

if TYPE_CHECKING:
    from llm_widgets.diagnosis.context import Context

_MILLI_CPU = 1000
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
    "Set the most instances to {most} and deploy it again.",
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
    """Leave out a limit of no instances: it can't be deployed with."""
    values = dict(groups)
    if values.get("most") == "0":
        values["none"] = values.pop("most")
    if context.cpu > 8:  # noqa: PLR2004 - what an L4 has at most
        values["is_large"] = "yes"
    return values


def _cpu(groups: Groups, context: Context) -> Groups:
    values = without_none(groups, context)
    values["quota_value"] = values["requested"]
    values["requested"] = number(int(values["requested"]) / _MILLI_CPU)
    values["allowed"] = number(int(values["allowed"]) / _MILLI_CPU)
    return values


def _memory(groups: Groups, context: Context) -> Groups:
    values = without_none(groups, context)
    values["quota_value"] = values["requested"]
    values["requested"] = number(int(values["requested"]) / GIB)
    values["allowed"] = number(int(values["allowed"]) / GIB)
    return values


def _cpu_and_memory(groups: Groups, context: Context) -> Groups:
    cpu = _cpu(groups, context)
    return {
        **cpu,
        "memory_requested": number(int(groups["memory_requested"]) / GIB),
        "memory_allowed": number(int(groups["memory_allowed"]) / GIB),
    }


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

KINDS: tuple[Kind, ...] = (
    Kind(
        id="cpu-and-memory-quota",
        rank=Rank.REFUSED,
        signs=(
            said(_MOST + _CPU_LINE + _AND_MEMORY),
            said(_CPU_LINE + _AND_MEMORY),
        ),
        causes=(
            (
                "All instances together would take {requested} vCPU and {memory_requested} GiB, "
                "and the quotas of the project in this region are {allowed} vCPU and "
                "{memory_allowed} GiB."
            ),
        ),
        advice=(
            LOWER,
            request("Request a higher quota for CPU in {region}: {quota}; memory needs one too."),
            _SMALLER,
            LOOK,
        ),
        source="googlecodelabs/feedback#1856",
        derive=_cpu_and_memory,
    ),
    Kind(
        id="cpu-quota",
        rank=Rank.REFUSED,
        signs=(said(_MOST + _CPU_LINE), said(_CPU_LINE)),
        causes=(
            (
                "All instances together would take {requested} vCPU, and the quota of the project "
                "in this region is {allowed} vCPU."
            ),
        ),
        advice=(
            LOWER,
            request("Request a higher quota for CPU in {region}: {quota}."),
            _SMALLER,
            LOOK,
        ),
        source="googlecodelabs/feedback#1856",
        derive=_cpu,
    ),
    Kind(
        id="memory-quota",
        rank=Rank.REFUSED,
        signs=(said(_MOST + _MEMORY_LINE), said(_MEMORY_LINE)),
        causes=(
            (
                "All instances together would take {requested} GiB of memory, and the quota of the "
                "project in this region is {allowed} GiB."
            ),
        ),
        advice=(
            LOWER,
            request("Request a higher quota for memory in {region}: {quota}."),
            _SMALLER,
            LOOK,
        ),
        source="googlecodelabs/feedback#2311",
        derive=_memory,
    ),
    Kind(
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
    Kind(
        id="rate-quota",
        rank=Rank.REFUSED,
        signs=(said(r"Quota exceeded for quota metric '(?P<metric>[^']{1,80})'"),),
        causes=("The project sends Google too many requests: its quota “{metric}” is used up.",),
        advice=(
            Advice(RemedyKind.REDEPLOY, "Deploy it again in a minute."),
            LOOK,
        ),
        source="Google APIs: RATE_LIMIT_EXCEEDED of Service Usage",
        derive=without_none,
    ),
)
