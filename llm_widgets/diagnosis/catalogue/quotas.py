"""Quotas that do not allow a deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.diagnosis.kinds import Groups, Kind, Rank, anywhere, said
from llm_widgets.diagnosis.remedies import Advice, RemedyKind
from llm_widgets.diagnosis.values import number

if TYPE_CHECKING:
    from llm_widgets.diagnosis.context import Context

_GIB = 2**30
_MILLI_CPU = 1000
_PAGE = "{quota_page}"
_GPU_PAGE = "https://g.co/cloudrun/gpu-quota"
_COMMAND = (
    "gcloud beta quotas preferences create --service=run.googleapis.com --project={project} "
    "--quota-id={quota} --preferred-value={quota_value} --dimensions=region={region} "
    "--email={email}"
)


def _request(text: str, page: str = _PAGE) -> Advice:
    parameters = {"quota": "{quota}", "region": "{region}", "value": "{quota_value}"}
    return Advice(RemedyKind.REQUEST_QUOTA, text, parameters, command=_COMMAND, url=page)


_LOWER = Advice(
    RemedyKind.REDEPLOY,
    "Deploy it with at most {most} instances.",
    {"max_instances": "{most}"},
)
_REGIONS = Advice(
    RemedyKind.CHOOSE,
    "Use another region that has this GPU: {gpu_regions_text}.",
    {"regions": "{gpu_regions}"},
)
_SMALLER = Advice(
    RemedyKind.CHOOSE,
    "Use another GPU with less CPU and memory beside it: {other_gpus_text}.",
    {"accelerators": "{other_gpus}"},
    needs=("is_large",),
)
_CONSOLE = Advice(
    RemedyKind.OPEN_LINK, "Look at the quotas of Cloud Run in the project.", url=_PAGE
)


def _most(groups: Groups, context: Context) -> Groups:
    """Leave out a limit of no instances: it can't be deployed with."""
    values = dict(groups)
    if values.get("most") == "0":
        values["none"] = values.pop("most")
    if context.cpu > 8:  # noqa: PLR2004 - what an L4 has at most
        values["is_large"] = "yes"
    return values


def _gpu(groups: Groups, context: Context) -> Groups:
    values = _most(groups, context)
    if "requested" in values:
        # The error counts GPUs; the quotas of all but the L4 count thousandths.
        whole = 1 if "NvidiaL4" in values.get("quota", "") else 1000
        values["quota_value"] = str(int(values["requested"]) * whole)
    return values


def _cpu(groups: Groups, context: Context) -> Groups:
    values = _most(groups, context)
    values["quota_value"] = values["requested"]
    values["requested"] = number(int(values["requested"]) / _MILLI_CPU)
    values["allowed"] = number(int(values["allowed"]) / _MILLI_CPU)
    return values


def _memory(groups: Groups, context: Context) -> Groups:
    values = _most(groups, context)
    values["quota_value"] = values["requested"]
    values["requested"] = number(int(values["requested"]) / _GIB)
    values["allowed"] = number(int(values["allowed"]) / _GIB)
    return values


def _cpu_and_memory(groups: Groups, context: Context) -> Groups:
    cpu = _cpu(groups, context)
    return {
        **cpu,
        "memory_requested": number(int(groups["memory_requested"]) / _GIB),
        "memory_allowed": number(int(groups["memory_allowed"]) / _GIB),
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
        id="gpu-quota-redundancy",
        rank=Rank.REFUSED,
        signs=(said(r"You do not have quota for using GPUs with zonal redundancy"),),
        causes=(
            "The project {project} has no quota for GPUs with zonal redundancy in {region}.",
            "The project has no quota for GPUs with zonal redundancy in this region.",
        ),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy it without zonal redundancy: its quota is granted by itself with the "
                "first GPU.",
                {"zonal_redundancy": "false"},
            ),
            _request("Request the quota with zonal redundancy: {quota} in {region}.", _GPU_PAGE),
        ),
        source="hashicorp/terraform-provider-google#21999",
        derive=_gpu,
    ),
    Kind(
        id="gpu-quota-none",
        rank=Rank.REFUSED,
        signs=(
            said(r"You do not have quota for using GPUs without zonal redundancy"),
            said(r"You do not have quota for using GPUs"),
        ),
        causes=(
            (
                "The project {project} has no quota for {gpu} in {region}; trial accounts and new "
                "billing accounts get none."
            ),
            (
                "The project has no quota for GPUs in this region; trial accounts and new billing "
                "accounts get none."
            ),
        ),
        advice=(
            _request("Request the quota {quota} in {region}.", _GPU_PAGE),
            _REGIONS,
            Advice(RemedyKind.OPEN_LINK, "Request a quota for GPUs of Cloud Run.", url=_GPU_PAGE),
        ),
        source="hashicorp/terraform-provider-google#21999",
        derive=_gpu,
    ),
    Kind(
        id="gpu-quota",
        rank=Rank.REFUSED,
        signs=(
            said(
                r"Max instances must be set to (?P<most>\d{1,6}) or fewer in order to set GPU "
                r"requirements.{0,900}?(?P<quota>Nvidia\w{1,80}PerProjectRegion) requested: "
                r"(?P<requested>\d{1,9}) allowed: (?P<allowed>\d{1,9})"
            ),
            said(
                r"Max instances must be set to (?P<most>\d{1,6}) or fewer in order to set GPU "
                r"requirements"
            ),
        ),
        causes=(
            (
                "The service may grow to {requested} instances with a GPU each, and the quota of "
                "the project in this region is {allowed}."
            ),
            (
                "The service may grow to more instances with a GPU than the quota of the project "
                "in this region: {most}."
            ),
            "The quota of the project in this region has no GPU left for the service.",
        ),
        advice=(
            _LOWER,
            _request("Request a higher quota: {quota} in {region}.", _GPU_PAGE),
            _REGIONS,
            _CONSOLE,
        ),
        source="googlecodelabs/feedback#1522",
        derive=_gpu,
    ),
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
            _LOWER,
            _request("Request a higher quota for CPU in {region}: {quota}; memory needs one too."),
            _SMALLER,
            _CONSOLE,
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
            _LOWER,
            _request("Request a higher quota for CPU in {region}: {quota}."),
            _SMALLER,
            _CONSOLE,
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
            _LOWER,
            _request("Request a higher quota for memory in {region}: {quota}."),
            _SMALLER,
            _CONSOLE,
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
        advice=(_LOWER, _SMALLER, _CONSOLE),
        source="googlecodelabs/feedback#1210",
        derive=_most,
    ),
    Kind(
        id="gpus-in-use",
        rank=Rank.MISSING,
        signs=(anywhere(r"Quota exceeded for total allowable count of GPUs"),),
        causes=(
            (
                "All GPUs of the project's quota in {region} are in use by other services, or by "
                "the revision that this one replaces."
            ),
            (
                "All GPUs of the project's quota in this region are in use by other services, or "
                "by the revision that this one replaces."
            ),
        ),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Delete a service that has a GPU, or wait some minutes until an old revision is "
                "gone, then deploy it again.",
            ),
            Advice(RemedyKind.OPEN_LINK, "Request a quota for more GPUs.", url=_GPU_PAGE),
            _REGIONS,
        ),
        source="Cloud Run API: condition of a revision that found no GPU free",
        derive=_gpu,
    ),
    Kind(
        id="rate-quota",
        rank=Rank.REFUSED,
        signs=(said(r"Quota exceeded for quota metric '(?P<metric>[^']{1,80})'"),),
        causes=("The project sends Google too many requests: its quota “{metric}” is used up.",),
        advice=(
            Advice(RemedyKind.REDEPLOY, "Deploy it again in a minute."),
            _CONSOLE,
        ),
        source="Google APIs: RATE_LIMIT_EXCEEDED of Service Usage",
        derive=_most,
    ),
)
