"""What the page writes for other tools does with them what the page itself would do."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from google.api_core.client_options import ClientOptions
from google.cloud import run_v2
from google.oauth2 import service_account

from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.domain.services import Deployment, Ingress, StartupProbe, SubnetAccess
from llm_widgets.gcp.auth.sign_in import SCOPE
from llm_widgets.gcp.run import services
from llm_widgets.manager.hosting import written as hosting
from llm_widgets.manager.hosting.plan import Page
from llm_widgets.serving import codec, recipes
from llm_widgets.serving.export import Language, written
from local_cloud.cloud import LocalCloud
from local_cloud.testing.gcloud import Gcloud
from local_cloud.testing.programs import ECHO_SERVER
from tests.contract.product import PARENT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [pytest.mark.gcloud, pytest.mark.slow]

BUCKET = "exported-models"
NASTY = ("^x^", "a=b=c", "a,b|c", "it's", '{"n": "o"}', "two\nlines", "$HOME ${x} %{y}", "ü 你")


def offered(source: str) -> Deployment:
    record = ModelRecord("org/name", source, ModelStatus.READY, 10**9, prefix="folder")
    return recipes.defaults(record, project="local-project", region="europe-west1", bucket=BUCKET)


def nasty(name: str) -> Deployment:
    """Return a service that starts, told everything that is hard to write down."""
    made = offered("ollama")
    return replace(
        made,
        name=name,
        image="local/python:3",
        command=("-c", ECHO_SERVER),
        args=NASTY,
        environment={f"V{n}": text for n, text in enumerate(NASTY)},
        port=8080,
        probe=StartupProbe("/up", initial_delay=1, failures=60),
        folder="",
        subnet=SubnetAccess("default", "default"),
        ingress=Ingress.INTERNAL,
        labels={"team": "blue"},
        concurrency=7,
        min_instances=1,
        accelerator="",
    )


CASES = {
    "ollama": replace(offered("ollama"), name="by-{}-ollama"),
    "vllm": replace(offered("huggingface"), name="by-{}-vllm"),
    "nasty": nasty("by-{}-nasty"),
    "tcp": replace(nasty("by-{}-tcp"), probe=StartupProbe("", failures=60)),
}


def named(case: str, language: str) -> Deployment:
    made = CASES[case]
    return replace(made, name=made.name.format(language))


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCloud]:
    cloud = LocalCloud(tmp_path_factory.mktemp("cloud"), offline=True)
    cloud.start()
    yield cloud
    cloud.stop()


@pytest.fixture(scope="module")
def gcloud(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Gcloud:
    program = shutil.which("gcloud")
    if program is None:
        pytest.skip("gcloud is not installed: https://cloud.google.com/sdk/docs/install")
    return Gcloud(program, tmp_path_factory.mktemp("gcloud"), cloud)


@pytest.fixture(scope="module", autouse=True)
def _bucket(gcloud: Gcloud) -> None:
    gcloud.run("storage", "buckets", "create", f"gs://{BUCKET}", "--location=europe-west1")


@pytest.fixture(scope="module")
def client(cloud: LocalCloud) -> run_v2.ServicesClient:
    credentials = service_account.Credentials.from_service_account_file(
        cloud.credentials, scopes=[SCOPE]
    )
    options = ClientOptions(api_endpoint=cloud.url)
    return run_v2.ServicesClient(transport="rest", credentials=credentials, client_options=options)


def compare(client: run_v2.ServicesClient, made: Deployment, *, annotations: bool = True) -> None:
    """Compare what is there with the request that the page would have sent."""
    there = client.get_service(name=f"{PARENT}/services/{made.name}")
    wanted = services.message(codec.document(made))
    template = there.template
    # What the platform fills in, and gcloud, which has no flag for the name of the only container.
    template.service_account = wanted.template.service_account
    template.containers[0].name = wanted.template.containers[0].name
    template.containers[0].ports[0].name = ""
    template.annotations.clear()
    template.labels.clear()
    assert template == wanted.template
    assert there.ingress == wanted.ingress
    assert dict(there.labels) == dict(wanted.labels)
    if annotations:
        kept = {k: v for k, v in there.annotations.items() if k in wanted.annotations}
        assert kept == dict(wanted.annotations)


@pytest.mark.parametrize("case", list(CASES))
def test_the_command(gcloud: Gcloud, client: run_v2.ServicesClient, case: str) -> None:
    made = named(case, "command")
    starts = made.image.startswith("local/")
    gcloud.shell(written(made, Language.GCLOUD), ok=starts)
    compare(client, made, annotations=False)


@pytest.mark.parametrize("case", ["ollama", "nasty"])
def test_the_yaml(gcloud: Gcloud, client: run_v2.ServicesClient, case: str, tmp_path: Path) -> None:
    made = named(case, "yaml")
    file = tmp_path / "service.yaml"
    file.write_text(written(made, Language.YAML))
    gcloud.run("run", "services", "replace", str(file), ok=made.image.startswith("local/"))
    compare(client, made)


@pytest.mark.parametrize("image", ["", "docker.io/me/llm-manager@sha256:0"])
def test_the_page_for_colleagues_is_written_in_commands_that_gcloud_has(
    gcloud: Gcloud, tmp_path: Path, image: str
) -> None:
    page = Page("my-project", "europe-west1", image=image, visitors=("user:ada@example.com",))
    script = hosting.gcloud(page).replace("\\\n", " ").replace("# gcloud", "gcloud")
    commands = re.findall(r"^(?:\w+=\$\()?(gcloud .*?)\)?$", script, re.MULTILINE)
    assert len(commands) > 20
    wrong = '{"command_string": "gcloud run deploy x --no-such-flag"}'
    listed = tmp_path / "commands.json"
    listed.write_text(
        json.dumps([{"command_string": each} for each in commands])[:-1] + f",{wrong}]"
    )
    done = gcloud.run("meta", "lint-gcloud-commands", f"--commands-file={listed}")
    told = json.loads(done.stdout.decode())
    refused = [each["error_message"] for each in told if not each["success"]]
    assert len(told) == len(commands) + 1
    assert len(refused) == 1, refused
    assert "--no-such-flag" in refused[0]
