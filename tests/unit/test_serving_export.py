"""Requests written in other languages: reading them gives the same request."""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import shutil
import subprocess
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.domain.services import Deployment, Ingress, SubnetAccess
from llm_widgets.gcp.run import services
from llm_widgets.serving import codec, recipes
from llm_widgets.serving.export import Language, written
from llm_widgets.serving.export_gcloud import listed
from llm_widgets.serving.export_terraform import quoted

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NASTY = [
    "^x^",
    "--flag",
    "a=b=c",
    "a,b|c",
    "it's",
    '{"n": "o"}',
    "two\nlines",
    "$HOME ${x} %{y}",
    "ü 你",
]
TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)


def deployment(source: str = "ollama", **changes: Any) -> Deployment:
    record = ModelRecord("org/name", source, ModelStatus.READY, 10**9, prefix="folder")
    offered = recipes.defaults(
        record, project="some-project", region="europe-west4", bucket="some-bucket"
    )
    return replace(offered, **changes)


def nasty() -> Deployment:
    return deployment(
        args=tuple(NASTY),
        environment={f"V{n}": text for n, text in enumerate(NASTY)},
        secrets={"TOKEN": "hf-token:3"},
        subnet=SubnetAccess("net", "sub"),
        service_account="run@some-project.iam.gserviceaccount.com",
        ingress=Ingress.INTERNAL,
        labels={"team": "blue"},
    )


@pytest.mark.parametrize(
    "made",
    [deployment(), deployment("huggingface"), nasty()],
    ids=["ollama", "vllm", "nasty"],
)
def test_python_makes_the_very_request(made: Deployment) -> None:
    program = written(made, Language.PYTHON)
    names: dict[str, object] = {}
    exec(program.partition("client = ")[0], names)
    assert names["service"] == services.message(codec.document(made))
    compile(program, "export", "exec")
    assert "projects/some-project/locations/europe-west4" in program


def flags(command: str) -> dict[str, list[str]]:
    lines = [line for line in command.splitlines() if not line.startswith("#")]
    found: dict[str, list[str]] = {}
    for word in shlex.split("\n".join(lines))[5:]:
        name, _, value = word.partition("=")
        found.setdefault(name, []).append(value)
    return found


def unlisted(text: str) -> list[str]:
    """Read a list as `gcloud topic escaping` tells."""
    escaped = re.match(r"\^([^^]+)\^", text)
    if escaped:
        return text[escaped.end() :].split(escaped[1])
    return text.split(",")


def test_gcloud_words_come_apart_as_they_were() -> None:
    made = nasty()
    found = flags(written(made, Language.GCLOUD))
    assert unlisted(found["--args"][0]) == list(made.args)
    assert unlisted(found["--command"][0]) == list(made.command)
    variables = dict(each.split("=", 1) for each in unlisted(found["--set-env-vars"][0]))
    assert variables == made.environment
    assert found["--set-secrets"] == ["TOKEN=hf-token:3"]
    assert found["--gpu-type"] == ["nvidia-l4"]
    assert found["--max-instances"] == ["1"]
    assert "--no-gpu-zonal-redundancy" in found
    assert "--no-allow-unauthenticated" in found
    assert found["--add-volume"][0].startswith("name=models,type=cloud-storage,bucket=some-bucket")


@given(st.lists(TEXT, min_size=1, max_size=5))
def test_lists_of_gcloud(words: list[str]) -> None:
    assert unlisted(listed(words)) == words


def test_yaml_is_what_replace_takes() -> None:
    made = nasty()
    read = yaml.safe_load(written(made, Language.YAML))
    spec = read["spec"]["template"]["spec"]
    container = spec["containers"][0]
    assert container["args"] == NASTY
    assert container["command"] == list(made.command)
    variables = {each["name"]: each.get("value") for each in container["env"]}
    assert variables == {**made.environment, "TOKEN": None}
    assert container["env"][-1]["valueFrom"] == {"secretKeyRef": {"name": "hf-token", "key": "3"}}
    assert container["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert spec["nodeSelector"] == {"run.googleapis.com/accelerator": "nvidia-l4"}
    annotations = read["spec"]["template"]["metadata"]["annotations"]
    assert annotations["autoscaling.knative.dev/maxScale"] == "1"
    assert json.loads(annotations["run.googleapis.com/network-interfaces"]) == [
        {"network": "net", "subnetwork": "sub"}
    ]
    assert read["metadata"]["annotations"]["run.googleapis.com/ingress"] == "internal"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_texts_of_terraform(text: str) -> None:
    inner = quoted(text)
    assert inner[0] == inner[-1] == '"'
    assert "\n" not in inner
    # HCL's escapes are those of JSON, and its templates are written with a doubled sign.
    read = inner.replace("$${", "${").replace("%%{", "%{")
    assert json.loads(read) == text


def test_terraform_has_every_part() -> None:
    text = written(nasty(), Language.TERRAFORM)
    assert text.count("{") - text.count("$${") - text.count("%%{") >= 10
    for part in (
        'resource "google_cloud_run_v2_service" "ollama_name"',
        'ingress             = "INGRESS_TRAFFIC_INTERNAL_ONLY"',
        'accelerator = "nvidia-l4"',
        "gpu_zonal_redundancy_disabled    = true",
        'value = "two\\nlines"',
        "$${x} %%{y}",
        'secret  = "hf-token"',
        'subnetwork = "sub"',
        "max_instance_count = 1",
    ):
        assert part in text


@pytest.fixture
def terraform(tmp_path: Path) -> Callable[[list[str], str], str]:
    """Return a function that runs terraform, without a network, on what it is given."""
    program = shutil.which("terraform")
    if program is None:
        pytest.skip("terraform is not installed: https://developer.hashicorp.com/terraform/install")
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "CHECKPOINT_DISABLE": "1"}

    def run(words: list[str], text: str) -> str:
        done = subprocess.run(
            [program, *words],
            input=text,
            capture_output=True,
            text=True,
            timeout=60,
            env=environment,
            cwd=tmp_path,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.mark.parametrize(
    "made",
    [deployment(), deployment("huggingface"), nasty()],
    ids=["ollama", "vllm", "nasty"],
)
def test_terraform_reads_it_and_would_write_it_so(
    made: Deployment, terraform: Callable[[list[str], str], str]
) -> None:
    terraform(["fmt", "-check", "-diff", "-"], written(made, Language.TERRAFORM))


def test_terraform_reads_texts_as_they_are(terraform: Callable[[list[str], str], str]) -> None:
    words = [*NASTY, deployment().command[2], "\x7f\t", "$${a} %%{b} $%{c}"]
    expression = f"base64encode(jsonencode([{', '.join(quoted(word) for word in words)}]))"
    told = terraform(["console"], expression)
    assert json.loads(base64.b64decode(told.strip().strip('"'))) == words
