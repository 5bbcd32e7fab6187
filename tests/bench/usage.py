"""What moving the bytes of a plan took of this process."""

from __future__ import annotations

import json
import resource
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.domain.imports import ImportPlan


@contextmanager
def told_of(plan: ImportPlan) -> Iterator[None]:
    """Print JSON of what is done inside: seconds, MB a second, seconds of CPU, MiB of memory."""
    begun = time.monotonic()
    used = resource.getrusage(resource.RUSAGE_SELF)
    yield
    seconds = time.monotonic() - begun
    usage = resource.getrusage(resource.RUSAGE_SELF)
    told = {
        "seconds": seconds,
        "rate": plan.size / seconds / 1e6,
        "cpu": usage.ru_utime + usage.ru_stime - used.ru_utime - used.ru_stime,
        "user": usage.ru_utime - used.ru_utime,
        "rss": usage.ru_maxrss / 1024,
    }
    print(json.dumps(told))
