"""What was tried against a failure and did not help: it is told, and not offered again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from llm_widgets.diagnosis.apply_remedy import changed
from llm_widgets.domain.failures.remedies import Remedy, RemedyKind
from llm_widgets.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llm_widgets.domain.failures.context import Context
    from llm_widgets.domain.failures.tried import Tried

WORDS = {
    "max_model_len": "with a context of {} tokens",
    "parallel": "with {} concurrent requests",
    "concurrency": "with a concurrency of {}",
    "gpu_memory_utilization": "with {} of the GPU's memory for the engine",
    "max_instances": "with at most {} instances",
    "timeout": "with a request timeout of {} s",
    "cpu": "with {} vCPU",
    "memory_gib": "with {} GiB of memory",
    "cache_gib": "with a cache of {} GiB",
    "image": "with the image {}",
    "accelerator": "with the GPU {}",
    "region": "in {}",
    "zonal_redundancy": "with zonal redundancy set to {}",
    "probe_failures": "with {} failures of the startup probe allowed",
    "engine_port": "with the engine on port {}",
    "network": "without a network of its own",
    "add_argument": "with {}",
    "remove_argument": "without {}",
    "environment": "with {}",
    "remove_environment": "without {}",
    "add_mount_options": "with the mount options {}",
    "remove_mount_options": "without the mount options {}",
}
"""Parameters of a redeployment in words, with their values."""

_DONE = {
    RemedyKind.GRANT: "You granted {role} on {resource} to {member}: this did not help.",
    RemedyKind.ENABLE_API: "You enabled {api}: this did not help.",
    RemedyKind.REQUEST_QUOTA: "You requested more of {quota} in {region}: this did not help yet.",
}
_SPREADS = (RemedyKind.GRANT, RemedyKind.ENABLE_API)
# https://cloud.google.com/iam/docs/access-change-propagation: two minutes, seven or more at times.
_AGAIN = Remedy(
    RemedyKind.REDEPLOY,
    "Deploy again in some minutes: grants can take seven minutes to take effect.",
)
_LOOK = Remedy(RemedyKind.NONE, "No other fix is known. See the log.")


def not_again(failure: str, offered: Iterable[Remedy], context: Context) -> tuple[Remedy, ...]:
    """Return remedies without those that were tried in vain, which are told after them.

    Parameters
    ----------
    failure
        Id of the diagnosis: what was tried against another one may help against this.
    """
    mine = [replace(remedy, failure=failure) for remedy in offered]
    tried = [each for each in context.tried if each.failure == failure and _holds(each, context)]
    told = [Remedy(RemedyKind.NONE, text) for each in tried if (text := _sentence(each))]
    if not told:
        return tuple(mine)
    left = [each for each in mine if not any(one.is_same(each) for one in tried)]
    again = replace(_AGAIN, failure=failure)
    if any(one.kind in _SPREADS for one in tried) and not any(one.is_same(again) for one in tried):
        left = [again, *left]
    return (*(left or [_LOOK]), *told)


def _holds(tried: Tried, context: Context) -> bool:
    """Return whether the deployment that failed is as a remedy had made it."""
    if tried.kind is not RemedyKind.REDEPLOY or context.deployment is None:
        return True
    try:
        made = changed(context.deployment, Remedy(tried.kind, "", tried.parameters))
    except (ValueError, InvalidInputError):
        return False
    return made == context.deployment


def _sentence(tried: Tried) -> str:
    """Tell what was done; empty for what no remedy does."""
    wanted = tried.parameters
    if tried.kind is RemedyKind.REDEPLOY:
        how = [WORDS[name].format(value) for name, value in wanted.items() if name in WORDS]
        done = f"deployed {' and '.join(how)}" if how else "deployed again"
        return f"You {done}: this did not help." if len(how) == len(wanted) else ""
    try:
        return _DONE[tried.kind].format_map(wanted)
    except KeyError:
        return ""
