"""Quotas of GPUs that do not allow a deployment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.diagnosis.catalogue.quotas import LOOK, LOWER, request, without_none
from llm_widgets.domain import gpus, links
from llm_widgets.domain.failures.known_failure import Groups, KnownFailure, Rank, anywhere, said
from llm_widgets.domain.failures.remedies import Advice, RemedyKind

if TYPE_CHECKING:
    from llm_widgets.domain.failures.context import Context


_REGIONS = Advice(
    RemedyKind.CHOOSE,
    "Use another region that has this GPU: {gpu_regions_text}.",
    {"regions": "{gpu_regions}"},
)


def _gpu(groups: Groups, context: Context) -> Groups:
    values = without_none(groups, context)
    if "requested" in values:
        # The error counts GPUs; the quotas of some count thousandths.
        gpu = gpus.by_quota(values.get("quota", ""))
        values["quota_value"] = str(int(values["requested"]) * (gpu.quota_unit if gpu else 1))
    return values


def _redundant(groups: Groups, context: Context) -> Groups:
    gpu = gpus.by_accelerator(context.accelerator)
    values = _gpu(groups, context)
    return {**values, "quota": gpu.quota_id(redundant=True)} if gpu else values


FAILURES: tuple[KnownFailure, ...] = (
    KnownFailure(
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
                "Deploy without zonal redundancy: its quota is granted automatically with the "
                "first GPU.",
                {"zonal_redundancy": "false"},
            ),
            request(
                "Request the quota with zonal redundancy: {quota} in {region}.", links.GPU_QUOTA
            ),
        ),
        source="hashicorp/terraform-provider-google#21999",
        derive=_redundant,
    ),
    KnownFailure(
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
            request("Request the quota {quota} in {region}.", links.GPU_QUOTA),
            _REGIONS,
            Advice(
                RemedyKind.OPEN_LINK,
                "Request a quota for GPUs of Cloud Run.",
                url=links.GPU_QUOTA,
                fallback=True,
            ),
        ),
        source="hashicorp/terraform-provider-google#21999",
        derive=_gpu,
    ),
    KnownFailure(
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
            LOWER,
            request("Request a higher quota: {quota} in {region}.", links.GPU_QUOTA),
            _REGIONS,
            LOOK,
        ),
        source="googlecodelabs/feedback#1522",
        derive=_gpu,
    ),
    KnownFailure(
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
                "Delete a service that has a GPU, or wait some minutes until an old revision "
                "is gone, then deploy again.",
            ),
            Advice(RemedyKind.OPEN_LINK, "Request a quota for more GPUs.", url=links.GPU_QUOTA),
            _REGIONS,
        ),
        source="Cloud Run API: condition of a revision that found no GPU free",
        derive=_gpu,
    ),
)
