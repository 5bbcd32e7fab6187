"""The steps of the Dockerfile as they stand, in an empty folder; what they make, as on Cloud Run.

There is no Docker here: a small interpreter carries the steps out, in a folder that stands for the
root. Python itself is that of the tests, in the place of the base image, and so is the user.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from llm_widgets.cli.local_cloud import IMAGES, product_environment
from llm_widgets.server.launcher import ERROR_TEXT
from local_cloud.cloud import LocalCloud
from tests.security.test_cloud_run import metadata_server

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
TERMINATION = 10
"""Seconds that Cloud Run gives a container between SIGTERM and SIGKILL."""
PATIENCE = 120

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@dataclass
class Image:
    """What a Dockerfile has made so far, below a folder that stands for ``/``."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)
    workdir: Path = Path("/")
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    user: str = "root"

    @property
    def programs(self) -> Path:
        """The folder of the base image's programs."""
        return self.root / "usr/local/bin"

    @property
    def here(self) -> Path:
        """The working directory, below the folder."""
        return self.root / self.workdir.relative_to("/")

    def build(self, dockerfile: Path) -> None:
        """Carry out the steps; one of another kind than these is a failure."""
        text = re.sub(r"\\\n", " ", dockerfile.read_text("utf-8"))
        steps = [line for line in text.splitlines() if line and not line.startswith("#")]
        for step in steps:
            kind, _, rest = step.partition(" ")
            getattr(self, f"_{kind.lower()}")(rest, dockerfile.parent)

    def run(self, *words: str, **more: str) -> subprocess.Popen[str]:
        """Start a program with the image's variables, and those of whoever runs it."""
        return subprocess.Popen(
            [shutil.which(words[0], path=str(self.programs)) or words[0], *words[1:]],
            cwd=self.here,
            env={**self.variables, **more},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def variables(self) -> dict[str, str]:
        """What ENV has set; paths lead into the folder."""
        path = f"{self.programs}{os.pathsep}{os.defpath}"
        own = {
            name: f"{self.root}{value}" if value.startswith("/") else value
            for name, value in self.environment.items()
        }
        return {"PATH": path, **own}

    def _from(self, base: str, _: Path) -> None:
        assert re.fullmatch(r"python:3\.1[1-3][\w.-]*@sha256:[0-9a-f]{64}", base)
        subprocess.run([sys.executable, "-m", "venv", self.root / "usr/local"], check=True)
        # The steps may add a user, which must not be one of this machine.
        added = self.programs / "useradd"
        added.write_text(f'#!/bin/sh\nmkdir -p "{self.root}/home/$2"\n')
        added.chmod(0o755)

    def _env(self, rest: str, __: Path) -> None:
        for word in shlex.split(rest):
            name, _, value = word.partition("=")
            self.environment[name] = value

    def _workdir(self, rest: str, _: Path) -> None:
        self.workdir = Path(rest)
        self.here.mkdir(parents=True)

    def _copy(self, rest: str, context: Path) -> None:
        *sources, target = rest.split()
        for name in sources:
            ignored = (context / ".dockerignore").read_text("utf-8").split()
            assert any(name == kept.removeprefix("!") for kept in ignored), f"{name} is ignored"
            source = context / name
            to = self.here / target
            if source.is_dir():
                unwanted = shutil.ignore_patterns("__pycache__")
                shutil.copytree(source, to, ignore=unwanted)
            else:
                to.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, to)

    def _run(self, rest: str, _: Path) -> None:
        pip = {
            name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL"))
        }
        done = subprocess.run(
            ["/bin/sh", "-c", rest],
            cwd=self.here,
            env={**pip, "HOME": str(self.root), **self.variables},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def _user(self, rest: str, _: Path) -> None:
        assert (self.root / "home" / rest).is_dir()
        self.user = rest

    def _entrypoint(self, rest: str, _: Path) -> None:
        self.entrypoint = json.loads(rest)

    def _cmd(self, rest: str, _: Path) -> None:
        self.command = json.loads(rest)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Image:
    made = Image(tmp_path_factory.mktemp("root"))
    made.build(ROOT / "Dockerfile")
    return made


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    started = LocalCloud(tmp_path_factory.mktemp("cloud"), offline=True, images=IMAGES)
    started.start()
    yield product_environment(started.environment())
    started.stop()


def fetched(url: str) -> tuple[int, str]:
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
        return answer.status, answer.read().decode()


def test_it_starts_as_cloud_run_starts_it_and_ends_in_time(
    image: Image, cloud: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert image.user != "root"
    with metadata_server("projects/12/regions/europe-west1") as metadata:
        on_cloud_run = {
            "K_SERVICE": "llm-manager",
            "K_REVISION": "llm-manager-00001-abc",
            "PORT": "0",
            "GCE_METADATA_HOST": metadata,
            "HOME": "/dev/null",  # nobody writes there, not even root
            "TMPDIR": str(tmp_path),
            "LLM_WIDGETS_WITHOUT_IAP": "1",
        }
        begun = time.monotonic()
        process = image.run(*image.entrypoint, *image.command, **cloud, **on_cloud_run)
        assert process.stdout
        said = process.stdout.readline()
        found = re.search(r":(\d+)", said.partition("//")[2])
        if not found:
            process.kill()
            pytest.fail(said + "".join(process.communicate()))
        url = f"http://127.0.0.1:{found[1]}/"
        listening = time.monotonic() - begun
        assert fetched(f"{url}health")[0] == 200
        status, page = fetched(url)
        first_page = time.monotonic() - begun
        assert status == 200
        assert "Cloud Run LLM Manager" in page
        assert ERROR_TEXT not in page
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        _, error = process.communicate(timeout=PATIENCE)
        ended = time.monotonic() - begun
    assert process.returncode == 0, error
    assert "Traceback" not in error
    assert ended < TERMINATION
    with capsys.disabled():
        print(
            f"\nThe container listens after {listening:.1f} s, has sent a first page after "
            f"{first_page:.1f} s, and ends in {ended:.1f} s"
        )


def test_it_has_what_an_import_job_starts(image: Image) -> None:
    process = image.run(*image.entrypoint, "import-worker", "--help", HOME="/dev/null")
    out, error = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, error
    assert "--bucket" in out


def test_it_has_nothing_of_the_local_cloud(image: Image) -> None:
    assert not list(image.root.rglob("local_cloud"))
    assert not list(image.root.rglob("google/cloud/compute*"))
