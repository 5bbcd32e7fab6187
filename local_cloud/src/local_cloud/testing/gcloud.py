"""The gcloud command line, pointed at a local cloud and at nothing else."""

from __future__ import annotations

import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from local_cloud.cloud import LocalCloud

TIMEOUT = 60  # seconds; a command takes about one on a quiet machine
AT_ONCE = 2  # the machines that run the tests have as many cores


class Gcloud:
    """Runs commands as the account that owns the projects.

    Parameters
    ----------
    program
        Path of gcloud.
    folder
        For its configuration.
    cloud
        The local cloud, which runs.

    """

    def __init__(self, program: str, folder: Path, cloud: LocalCloud) -> None:
        self._program = program
        kept = {name: os.environ[name] for name in ("PATH", "LANG") if name in os.environ}
        self._environment = {
            **kept,
            **cloud.environment(),
            "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "1",
            "CLOUDSDK_CONFIG": str(folder / "config"),
            "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
            "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "1",
            "CLOUDSDK_RUN_REGION": "europe-west1",
            "CLOUDSDK_STORAGE_PROCESS_COUNT": "1",  # starting a second takes longer than the work
            "CLOUDSDK_SURVEY_DISABLE_PROMPTS": "1",
            "HOME": str(folder),
        }

    def run(
        self, *words: str, ok: bool = True, **settings: str
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command and return how it ended.

        Parameters
        ----------
        words
            The command.
        ok
            Whether it must succeed (otherwise it must fail).
        settings
            Properties of gcloud for this command, as ``storage_resumable_threshold``.

        """
        extra = {f"CLOUDSDK_{name.upper()}": value for name, value in settings.items()}
        return self._ended([self._program, *words], {**self._environment, **extra}, ok=ok)

    def shell(self, script: str, *, ok: bool = True) -> str:
        """Run lines as somebody does who pastes them into a shell; return what they told."""
        there = os.path.dirname(self._program)  # noqa: PTH120 - for PATH
        path = f"{there}:{self._environment['PATH']}"
        done = self._ended(["/bin/sh", "-c", script], {**self._environment, "PATH": path}, ok=ok)
        return done.stderr.decode()

    def _ended(
        self, words: list[str], environment: dict[str, str], *, ok: bool
    ) -> subprocess.CompletedProcess[bytes]:
        done = subprocess.run(
            words,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
        )
        told = f"{' '.join(words)} ended with {done.returncode}:\n{done.stderr.decode()}"
        assert (done.returncode == 0) == ok, told
        return done

    def json(self, *words: str, **settings: str) -> Any:
        """Return the answer of a command."""
        return json.loads(self.run(*words, "--format=json", ok=True, **settings).stdout)

    def refusal(self, *words: str) -> str:
        """Return what a command that must fail says."""
        return self.run(*words, ok=False).stderr.decode()

    def together(self, *lines: str, ok: bool = True) -> list[subprocess.CompletedProcess[bytes]]:
        """Run commands that do not depend on each other, and return how they ended."""
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(lambda line: self.run(*line.split(), ok=ok), lines))

    def answers(self, *lines: str) -> list[Any]:
        """Return the answers of commands that do not depend on each other."""
        done = self.together(*(f"{line} --format=json" for line in lines))
        return [json.loads(each.stdout) for each in done]

    def refusals(self, *lines: str) -> list[str]:
        """Return what commands that must fail say."""
        return [each.stderr.decode() for each in self.together(*lines, ok=False)]
