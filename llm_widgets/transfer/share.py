"""Shares the files of an import out to the tasks of a job."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llm_widgets.domain.imports import HubFile


def share_of(files: Sequence[HubFile], task: int, tasks: int) -> list[HubFile]:
    """Give the files of one task: the largest first, each to the task with the fewest bytes.

    All tasks compute the same shares. A task's files are given in the order of the plan.
    """
    loads = [0] * tasks
    mine: list[int] = []
    for index in sorted(range(len(files)), key=lambda i: (-files[i].size, files[i].path)):
        least = loads.index(min(loads))
        loads[least] += files[index].size
        if least == task:
            mine.append(index)
    return [files[index] for index in sorted(mine)]
