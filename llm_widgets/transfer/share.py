"""Distributes the files of an import among the tasks of a job."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_widgets.domain.imports import DigestKind
from llm_widgets.transfer.hashing import sha256_can_be_saved

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llm_widgets.domain.imports import HubFile

RETRIES = 3
"""How often Cloud Run restarts a failed task."""


@dataclass(frozen=True, slots=True)
class Task:
    """The task of a job that this process runs.

    Attributes
    ----------
    run
        Name of the execution, which all tasks that were started together have in common.
    attempt, retries
        How often it was restarted, and how often it will be at most.
    """

    index: int = 0
    count: int = 1
    run: str = ""
    attempt: int = 0
    retries: int = 0

    @classmethod
    def from_environment(cls) -> Task:
        """Read the variables of Cloud Run; outside of it, the only task in its only attempt."""
        env = os.environ
        if "CLOUD_RUN_TASK_INDEX" not in env:
            return cls()
        return cls(
            index=int(env["CLOUD_RUN_TASK_INDEX"]),
            count=int(env.get("CLOUD_RUN_TASK_COUNT", "1")),
            run=env.get("CLOUD_RUN_EXECUTION", ""),
            attempt=int(env.get("CLOUD_RUN_TASK_ATTEMPT", "0")),
            retries=RETRIES,
        )

    @property
    def is_of_a_job(self) -> bool:
        """Whether a Cloud Run job runs it, by the job's own account."""
        return bool(self.run)

    @property
    def is_last_attempt(self) -> bool:
        """Whether it is not restarted when it fails."""
        return self.attempt >= self.retries


def sharded_files(files: Sequence[HubFile], tasks: int, shard_from: int) -> list[HubFile]:
    """Return the files that all tasks move together: those of more than half a task's share.

    Parameters
    ----------
    shard_from
        Bytes of the smallest file for which that pays.
    """
    if tasks == 1 or not sha256_can_be_saved():
        return []  # a task must be able to resume the digest of another one
    least = max(shard_from, sum(file.size for file in files) / tasks / 2)
    return [f for f in files if f.size >= least and f.digest.kind is DigestKind.SHA256]


def task_files(files: Sequence[HubFile], task: Task) -> list[HubFile]:
    """Return the files that one task moves alone, in the order of the plan.

    The largest comes first, each goes to the task with the fewest bytes. All tasks compute the
    same shares.
    """
    loads = [0] * task.count
    mine: list[int] = []
    for index in sorted(range(len(files)), key=lambda i: (-files[i].size, files[i].path)):
        least = loads.index(min(loads))
        loads[least] += files[index].size
        if least == task.index:
            mine.append(index)
    return [files[index] for index in sorted(mine)]
