"""Scaling of a whole service: automatic between a minimum and a maximum, or a number of instances.

With manual scaling the minimum and the maximum of revisions have no effect, and changing it makes
no revision (https://cloud.google.com/run/docs/configuring/services/manual-scaling). A number of
nought stops the service.
"""

from __future__ import annotations

from typing import Any

from google.cloud import run_v2

from local_cloud.google.gapic import as_message
from local_cloud.google.run_names import invalid

# Any: the members are numbers to the type checker.
_AUTOMATIC: Any = run_v2.ServiceScaling.ScalingMode.AUTOMATIC
_MANUAL: Any = run_v2.ServiceScaling.ScalingMode.MANUAL


def is_manual(service: run_v2.Service) -> bool:
    """Return whether somebody says how many instances there are."""
    return bool(service.scaling.scaling_mode == _MANUAL)


def is_stopped(service: run_v2.Service) -> bool:
    """Return whether there are to be no instances."""
    return is_manual(service) and not service.scaling.manual_instance_count


def settle(wanted: run_v2.Service, old: run_v2.Service | None) -> None:
    """Refuse scaling that contradicts itself, and set what follows from a change of its mode.

    To manual scaling, the service's minimum and maximum become unset, and a number that is left
    out is the minimum. Back to automatic, both are said, or neither: then both are the number.
    """
    scaling = wanted.scaling
    least, most = scaling.min_instance_count, scaling.max_instance_count
    if least < 0 or most < 0 or scaling.manual_instance_count < 0:
        raise invalid("scaling", "instance counts must not be negative")
    if is_manual(wanted):
        if "manual_instance_count" not in scaling:
            before = old.scaling.min_instance_count if old and not is_manual(old) else least
            scaling.manual_instance_count = before
        for field in ("min_instance_count", "max_instance_count"):
            as_message(scaling).ClearField(field)
        return
    as_message(scaling).ClearField("manual_instance_count")
    if old is not None and is_manual(old):
        if least and not most:
            raise invalid(
                "scaling",
                "min_instance_count and max_instance_count must both be set, or neither, when "
                "scaling_mode changes to AUTOMATIC",
            )
        if not most:
            count = old.scaling.manual_instance_count
            scaling.min_instance_count = scaling.max_instance_count = count
        scaling.scaling_mode = _AUTOMATIC
    if most and least > most:
        raise invalid(
            "scaling.min_instance_count", "must be less than or equal to max_instance_count"
        )
