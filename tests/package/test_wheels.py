"""Both packages are built, installed into empty environments, and started there."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import urllib.request
import zipfile
from pathlib import Path

import click
import pytest

from llm_widgets.cli.main import root

ROOT = Path(__file__).parents[2]
UV = Path(sys.executable).with_name("uv")
PACKAGES = {"llm_widgets": ROOT, "cloud_run_local_cloud": ROOT / "local_cloud"}

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def run(*words: object, folder: Path | None = None) -> str:
    done = subprocess.run(
        [str(word) for word in words], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """The wheels, each built from its source distribution, as an index would get them."""
    folder = tmp_path_factory.mktemp("dist")
    for source in PACKAGES.values():
        run(
            *(UV, "build", "--quiet", "--no-build-isolation", "--python", sys.executable),
            *("--out-dir", folder, source),
        )
    return sorted(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory, wheels: list[Path]) -> Path:
    """The folder of programs of an environment that has the wheels and what they need."""
    return installed(tmp_path_factory.mktemp("environment"), "local", wheels)


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory, wheels: list[Path]) -> Path:
    """The folder of programs of an environment without the page and the local cloud."""
    ours = [wheel for wheel in wheels if wheel.name.startswith("llm_widgets-")]
    return installed(tmp_path_factory.mktemp("core"), "core", ours)


def installed(folder: Path, lock: str, wheels: list[Path]) -> Path:
    """Make an environment of a lock and of wheels; return its folder of programs."""
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    # The pip of this environment fills that one; what nothing imports need not be compiled.
    pip = (sys.executable, "-m", "pip", "--python", folder / "bin" / "python", "--quiet")
    add = (*pip, "install", "--disable-pip-version-check", "--no-compile", "--no-deps")
    run(*add, "--require-hashes", "-r", ROOT / "requirements" / f"{lock}.txt")
    run(*add, *wheels)
    run(*pip, "check")
    return folder / "bin"


def test_what_the_wheels_hold(wheels: list[Path]) -> None:
    names = {path.name.partition("-")[0]: zipfile.ZipFile(path).namelist() for path in wheels}
    assert set(names) == set(PACKAGES)
    ours = names["llm_widgets"]
    assert {"llm_widgets/py.typed", "llm_widgets/notebooks/app.ipynb"} <= set(ours)
    container = "llm_widgets/container"  # what `deploy-manager` builds an image of
    assert {f"{container}/Dockerfile", f"{container}/requirements/page.txt"} <= set(ours)
    assert "local_cloud/py.typed" in names["cloud_run_local_cloud"]
    for held in names.values():
        assert any(name.endswith("licenses/LICENSE") for name in held)
        assert not [name for name in held if re.search(r"(^|/)test_|^tests/", name)]
    assert not [name for name in ours if name.startswith("local_cloud")]


def test_python_and_the_command_line_need_no_page(core: Path) -> None:
    names = set(root.list_commands(click.Context(root)))
    assert {"import", "deploy", "doctor", "run", "serve"} <= names
    for name in names:
        assert name in run(core / "llm-widgets", name, "--help")
    everything = "import llm_widgets; llm_widgets.Manager; llm_widgets.estimate"
    run(core / "python", "-c", everything)
    for name in ("serve", "run"):
        done = subprocess.run(
            [core / "llm-widgets", name], capture_output=True, text=True, check=False
        )
        assert done.returncode == 1
        assert "pip install 'llm-widgets[page]'" in done.stderr
        assert "Traceback" not in done.stderr


def test_doctor_says_what_is_missing(programs: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [programs / "llm-widgets", "doctor", "--project", "some-project"],
        env={"PATH": os.defpath, "HOME": str(tmp_path), "NO_GCE_CHECK": "true"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "gcloud auth application-default login" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("words", [["serve"], ["run", "--offline"]], ids=" ".join)
def test_the_page_is_served(programs: Path, tmp_path: Path, words: list[str]) -> None:
    process = subprocess.Popen(
        [programs / "llm-widgets", *words, "--port", "0"],
        cwd=tmp_path,
        env={"PATH": os.defpath, "HOME": str(tmp_path), "NO_GCE_CHECK": "true"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    said = ""
    try:
        for line in process.stdout:
            said += line
            if found := re.search(r"http://\S+", line):
                # The address has a token, and leads on to the page with a cookie.
                browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
                with browser.open(found[0], timeout=120) as answer:
                    assert "Cloud Run LLM Manager" in answer.read().decode()
                break
        else:
            pytest.fail(said)
    finally:
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=60)[0]
    assert process.returncode == 0, said + rest
    assert "Traceback" not in said + rest
