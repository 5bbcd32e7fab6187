"""What a single run of a job changes in its template."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_cloud.google.records import copied
from local_cloud.google.run_containers import RESERVED_JOB_ENV
from local_cloud.google.run_names import invalid

if TYPE_CHECKING:
    from google.cloud import run_v2


def overridden(template: run_v2.ExecutionTemplate, overrides: Any) -> run_v2.ExecutionTemplate:
    """Return a job's template with the overrides of one run.

    Raises
    ------
    ApiError
        400 for a container that there is not, or a reserved variable.

    """
    changed = copied(template)
    task = changed.template
    if overrides.task_count:
        changed.task_count = overrides.task_count
    if overrides.timeout:
        task.timeout = overrides.timeout
    for override in overrides.container_overrides:
        named = [c for c in task.containers if c.name == override.name]
        if not override.name and len(task.containers) == 1:
            named = list(task.containers)
        if len(named) != 1:
            raise invalid(
                "overrides.container_overrides", f"There is no container named '{override.name}'."
            )
        _apply(named[0], override)
    return changed


def _apply(container: run_v2.Container, override: Any) -> None:
    if override.args or override.clear_args:
        container.args = list(override.args)
    reserved = sorted({e.name for e in override.env} & set(RESERVED_JOB_ENV))
    if reserved:
        raise invalid(
            "overrides.container_overrides.env",
            f"The following reserved env names were provided: {', '.join(reserved)}. These values "
            "are automatically set by the system.",
        )
    given = {variable.name: variable for variable in override.env}
    kept = [variable for variable in container.env if variable.name not in given]
    container.env = [*kept, *given.values()]
