"""Several tasks of one import, each a process: endpoint, plan, number of tasks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time


def main() -> None:
    endpoint, plan_file, count = sys.argv[1:4]
    begun = time.monotonic()
    words = [sys.executable, "-m", "tests.bench.transfer", endpoint, plan_file]
    started = [
        subprocess.Popen(
            words,
            env={
                **os.environ,
                "CLOUD_RUN_TASK_INDEX": str(i),
                "CLOUD_RUN_TASK_COUNT": count,
                "CLOUD_RUN_EXECUTION": "bench",
            },
            stdout=subprocess.DEVNULL,
        )
        for i in range(int(count))
    ]
    codes = [process.wait() for process in started]
    assert not any(codes)
    print(json.dumps({"seconds": time.monotonic() - begun}))


if __name__ == "__main__":
    main()
