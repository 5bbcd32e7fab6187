"""Requests that Cloud Run does not take as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain import gpus
from llm_widgets.domain.failures.known_failure import Groups, KnownFailure, Rank, reason, said
from llm_widgets.domain.failures.remedies import Advice, RemedyKind
from llm_widgets.domain.units import GIB, quantity, rounded_text

if TYPE_CHECKING:
    from llm_widgets.domain.failures.context import Context


def _window(groups: Groups, context: Context) -> Groups:
    """Return the memory in the window that is nearest to what was asked for."""
    least, most = quantity(groups["least"]) / GIB, quantity(groups["most"]) / GIB
    asked = context.memory_gib
    values = {
        "cpu": rounded_text(float(groups["cpu"])),
        "least": rounded_text(least),
        "most": rounded_text(most),
    }
    if asked and 0 < least <= most:
        values["allowed_memory"] = rounded_text(min(max(asked, least), most))
    return values


def _accelerator(groups: Groups, context: Context) -> Groups:
    here = gpus.in_region(context.region)
    if not here:
        return groups
    names = {
        "region_gpus": ",".join(gpu.accelerator for gpu in here),
        "region_gpus_text": " or ".join(gpu.label for gpu in here),
    }
    return {**groups, **names}


_LIMITS_MEMORY = "Cloud Run API: INVALID_ARGUMENT of template.containers.resources.limits.memory"

FAILURES: tuple[KnownFailure, ...] = (
    KnownFailure(
        id="name-taken",
        rank=Rank.REFUSED,
        signs=(
            said(r"Resource '(?P<name>[\w./-]{1,200})' already exists"),
            reason("ALREADY_EXISTS"),
        ),
        causes=(
            "There is a service with the name {name} in this region already.",
            "There is a service of this name in this region already.",
        ),
        advice=(
            Advice(RemedyKind.NONE, "Choose another name, or edit the service that is there."),
        ),
        source="Cloud Run API: ALREADY_EXISTS of CreateService",
    ),
    KnownFailure(
        id="changed-meanwhile",
        rank=Rank.REFUSED,
        signs=(
            said(r"Conflict for resource '(?P<name>[\w./-]{1,200})'"),
            reason("ABORTED"),
        ),
        causes=(
            "Someone changed the service {name} since you opened it.",
            "Someone changed the service since you opened it.",
        ),
        advice=(
            Advice(RemedyKind.NONE, "Reload the service, look at what changed, and try again."),
        ),
        source="Cloud Run API: ABORTED of UpdateService with an etag",
    ),
    KnownFailure(
        id="memory-window",
        rank=Rank.REFUSED,
        signs=(
            said(
                r"For (?P<cpu>\d{1,3}(?:\.\d{1,3})?) CPU, memory must be between "
                r"(?P<least>\d{1,6}(?:\.\d{1,3})?(?-i:[GM]i)) and "
                r"(?P<most>\d{1,6}(?:\.\d{1,3})?(?-i:[GM]i))"
            ),
        ),
        causes=("With {cpu} vCPU, Cloud Run gives an instance {least} to {most} GiB of memory.",),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with {allowed_memory} GiB of memory.",
                {"memory_gib": "{allowed_memory}"},
            ),
            Advice(RemedyKind.NONE, "Change the CPU or the memory.", fallback=True),
        ),
        source=_LIMITS_MEMORY,
        derive=_window,
    ),
    KnownFailure(
        id="memory-too-small",
        rank=Rank.REFUSED,
        signs=(said(r"Total memory < 512 Mi is not supported with gen2"),),
        causes=("An instance needs at least 512 MiB of memory.",),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with {more_memory} GiB of memory.",
                {"memory_gib": "{more_memory}", "cpu": "{more_memory_cpu}"},
            ),
            Advice(RemedyKind.NONE, "Give it more memory.", fallback=True),
        ),
        source=_LIMITS_MEMORY,
    ),
    KnownFailure(
        id="cpu-invalid",
        rank=Rank.REFUSED,
        signs=(
            said(
                r"Invalid value specified for (?:container )?cpu\. Must be "
                r"(?P<allowed>[^;\"]{1,120}?)(?: \(|\. |\.$|$)"
            ),
        ),
        causes=("Cloud Run does not give an instance this number of vCPUs; it must be {allowed}.",),
        advice=(Advice(RemedyKind.NONE, "Change the CPU."),),
        source="Cloud Run API: INVALID_ARGUMENT of template.containers.resources.limits.cpu",
    ),
    KnownFailure(
        id="gpu-too-little-beside",
        rank=Rank.REFUSED,
        signs=(
            said(
                r"A container with (?P<gpu_name>nvidia-[\w-]{1,40}) must have at least "
                r"(?P<least_cpu>\d{1,3}) CPU and (?P<least_memory>\d{1,4})Gi"
            ),
            said(r"gpu.{0,60}?requires a minimum (?:of )?(?P<least_cpu>\d{1,3}) (?:--)?cpu"),
        ),
        causes=(
            (
                "With this GPU, an instance needs at least {least_cpu} vCPU and {least_memory} GiB "
                "of memory."
            ),
            "With this GPU, an instance needs at least {least_cpu} vCPU.",
        ),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with {least_cpu} vCPU and {least_memory} GiB.",
                {"cpu": "{least_cpu}", "memory_gib": "{least_memory}"},
            ),
            Advice(RemedyKind.NONE, "Raise CPU and memory.", fallback=True),
        ),
        source="gcloud SDK: help of --gpu of run deploy",
    ),
    KnownFailure(
        id="gpu-not-in-region",
        rank=Rank.REFUSED,
        signs=(
            said(r"Unsupported accelerator '(?P<wanted>[\w-]{1,60})'"),
            said(
                r"(?:accelerator|gpu)s?\b.{0,80}?\b(?:not supported|not available|unavailable)"
                r".{0,40}?\b(?:region|location)\b"
            ),
        ),
        causes=(
            "Cloud Run has no {wanted}.",
            "There is no {gpu} in {region}.",
            "This region does not have this GPU.",
        ),
        advice=(
            Advice(
                RemedyKind.CHOOSE,
                "Use another region: {gpu_regions_text}.",
                {"regions": "{gpu_regions}"},
            ),
            Advice(
                RemedyKind.CHOOSE,
                "Use a GPU that {region} has: {region_gpus_text}.",
                {"accelerators": "{region_gpus}"},
            ),
            Advice(
                RemedyKind.NONE, "Choose a region that has the GPU, or another GPU.", fallback=True
            ),
        ),
        source="Cloud Run API: INVALID_ARGUMENT of template.node_selector (wording not confirmed)",
        derive=_accelerator,
    ),
    KnownFailure(
        id="gpu-cpu-idle",
        rank=Rank.REFUSED,
        signs=(said(r"CPU must always be allocated when a GPU"),),
        causes=("A service with a GPU is billed by instance: its CPU can't be idle.",),
        advice=(Advice(RemedyKind.NONE, "Take “CPU only during requests” out of the service."),),
        source="Cloud Run documentation: GPU services use instance-based billing",
    ),
    KnownFailure(
        id="reserved-variable",
        rank=Rank.REFUSED,
        signs=(
            said(r"reserved env names were provided: (?P<names>[A-Z_]{1,40}(?:, [A-Z_]{1,40})*)"),
        ),
        causes=("Cloud Run sets these variables itself and does not take them: {names}.",),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy without {names}.",
                {"remove_environment": "{names}"},
            ),
        ),
        source="Cloud Run documentation: container contract, reserved environment variables",
    ),
    KnownFailure(
        id="probe-invalid",
        rank=Rank.REFUSED,
        signs=(
            said(
                r"probe\b.{0,40}?(?P<field>period_?seconds|timeout_?seconds|initial_?delay_?seconds|"
                r"failure_?threshold)\b.{0,80}?must be (?P<rule>[^.;\"]{1,100})"
            ),
        ),
        causes=("The startup probe is not as Cloud Run takes it: {field} must be {rule}.",),
        advice=(Advice(RemedyKind.NONE, "Change the startup probe."),),
        source="googlecodelabs/feedback#1550",
    ),
)
