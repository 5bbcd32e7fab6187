"""A page for colleagues: what is wanted of it, its service, its image's source, and it written."""

from __future__ import annotations

import gzip
import io
import re
import shlex
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from llm_widgets.cli.main import main
from llm_widgets.domain import page_memory
from llm_widgets.errors import InvalidInputError
from llm_widgets.gcp.iam import account_roles, service_accounts
from llm_widgets.gcp.iam.account_roles import On
from llm_widgets.gcp.iap import OAuthClient
from llm_widgets.gcp.run import front
from llm_widgets.gcp.run.front import Front
from llm_widgets.manager.hosting import deploy, service, source, written
from llm_widgets.manager.hosting.plan import Page, Site

ROOT = Path(__file__).parents[2]
PAGE = Page("my-project", "europe-west1", visitors=("user:ada@example.com",))
GIVEN = Page("my-project", "europe-west1", image="docker.io/me/llm-manager:1")
SITE = Site(
    "123456789012", "europe-west1-docker.pkg.dev/my-project/llm-manager/llm-manager@sha256:0"
)
TERRAFORM = shutil.which("terraform")
PROJECT_ROLES = [each.role for each in account_roles.PAGE if each.on is On.PROJECT]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"project": "A"}, "is not a project ID"),
        ({"region": "europe"}, "is not a region"),
        ({"name": "Page"}, "can't be the name of a service"),
        ({"at_once": 0}, "room for 1 to"),
        ({"at_once": page_memory.MOST_VISITORS + 1}, "room for 1 to"),
        ({"min_instances": 2}, "0 or 1"),
    ],
)
def test_what_can_be_no_page(changed: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidInputError, match=told):
        Page(**{"project": "my-project", "region": "europe-west1", **changed})


@pytest.mark.parametrize("client", ["", "-x", "me\nreboot", "me;reboot", "$(reboot)", "x" * 300])
def test_an_id_that_is_none_gets_into_no_script(client: str) -> None:
    with pytest.raises(InvalidInputError, match="is not an OAuth client ID"):
        OAuthClient(client, "secret")


@pytest.mark.parametrize("visitors", [1, 10, 14, 30, 60, page_memory.MOST_VISITORS])
def test_memory_has_room_for_the_visitors(visitors: int) -> None:
    page = Page("my-project", "europe-west1", at_once=visitors)
    room = page_memory.most_kernels(page.mebibytes << 20)
    assert visitors + 1 <= room <= visitors + 5  # one kernel waits for the next visitor
    assert page.mebibytes <= page.cpus * 4096


def test_the_service_is_one_instance_that_only_the_proxy_calls() -> None:
    found = service.document(PAGE, SITE)
    template = found["template"]
    container = template["containers"][0]
    variables = {each["name"]: each["value"] for each in container["env"]}
    assert found["iapEnabled"]
    assert template["scaling"]["maxInstanceCount"] == 1
    assert (template["timeout"], template["sessionAffinity"]) == ("3600s", True)
    assert not container["resources"]["cpuIdle"]
    assert variables["LLM_WIDGETS_IMAGE"] == container["image"] == SITE.image
    audience = "/projects/123456789012/locations/europe-west1/services/llm-manager"
    assert variables["LLM_WIDGETS_IAP_AUDIENCE"] == audience
    assert not re.search("WITHOUT_IAP|allUsers|invokerIamDisabled", str(found))


def test_what_others_changed_of_the_service_stays() -> None:
    wanted = {"template": {"timeout": "3600s", "cpu": False, "list": [{"a": 1}]}}
    # The API leaves out what is false, and adds what it has filled in.
    found = {"template": {"timeout": "3600s", "list": [{"a": 1, "b": 2}], "vpc": {}}, "etag": "x"}
    assert service.covers(found, wanted)
    other = {"template": {"timeout": "300s", "list": [{"a": 1, "b": 2}], "vpc": {"x": 1}}}
    assert not service.covers(other, wanted)
    assert service.merged(other, wanted) == {
        "template": {
            "timeout": "3600s",
            "cpu": False,
            "list": [{"a": 1, "b": 2}],
            "vpc": {"x": 1},
        }
    }
    assert not service.covers({"list": [1]}, {"list": [1, 2]})
    assert service.merged({"list": [1]}, {"list": [1, 2]}) == {"list": [1, 2]}
    assert service.covers(None, {"empty": [], "off": False})


def test_an_archive_is_all_that_the_dockerfile_copies() -> None:
    packed = source.archive()
    assert packed == source.archive()  # the same bytes, and so the same image
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(packed))) as file:
        names = set(file.getnames())
        same = file.extractfile("llm_widgets/__main__.py")
        assert same
        assert same.read() == (ROOT / "llm_widgets" / "__main__.py").read_bytes()
    copied = re.findall(r"^COPY (\S+) ", (ROOT / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert len(copied) == 3
    for wanted in copied:
        assert any(name == wanted or name.startswith(f"{wanted}/") for name in names)
    assert "notebooks/app.ipynb" in names
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]
    assert re.fullmatch(r"[0-9a-f]{12}", source.tag(packed))


@pytest.mark.parametrize("page", [PAGE, GIVEN])
def test_gcloud_is_a_script_with_every_step(page: Page) -> None:
    script = written.gcloud(page)
    subprocess.run(["/bin/sh", "-n"], input=script, text=True, check=True)
    for step in deploy.STEPS:
        assert f"\n# {step.title}\n" in script
    words = shlex.split(script.replace("\\\n", " "), comments=True)
    assert set(page.apis) <= set(words)
    for role in PROJECT_ROLES:
        assert any(word.startswith("--role=") and word.endswith(role) for word in words)
    for flag in ("--iap", "--no-allow-unauthenticated", "--max-instances=1", "--timeout=3600"):
        assert flag in words
    assert ("--memory=1280Mi" in words, "--cpu=1" in words) == (True, True)
    assert ("builds" in words) == page.is_built
    assert page.is_built == (service_accounts.BUILDS.id in words)
    assert "allUsers" not in script


@pytest.mark.skipif(TERRAFORM is None, reason="terraform is not installed")
@pytest.mark.parametrize("page", [PAGE, GIVEN])
def test_terraform_reads_what_is_written_and_has_nothing_to_format(page: Page) -> None:
    done = subprocess.run(
        [str(TERRAFORM), "fmt", "-no-color", "-check", "-diff", "-"],
        input=written.terraform(page),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr


def test_terraform_has_every_step() -> None:
    page = Page(
        "my-project",
        "europe-west1",
        visitors=("user:${evil}@example.com",),
        client=OAuthClient("me", "very-secret"),
    )
    text = written.terraform(page)
    assert text.count("{") == text.count("}")
    kinds = re.findall(r'^resource "(\w+)"', text, re.MULTILINE)
    assert kinds == [
        "google_project_service",
        *["google_service_account"] * 5,
        "google_project_iam_custom_role",
        "google_project_iam_member",
        *["google_service_account_iam_member"] * 5,
        "google_project_iam_member",
        "google_artifact_registry_repository",
        "google_cloud_run_v2_service",
        "google_project_service_identity",
        "google_cloud_run_v2_service_iam_member",
        "google_iap_settings",
        "google_iap_web_cloud_run_service_iam_member",
    ]
    assert "user:$${evil}@example.com" in text
    number = "${data.google_project.page.number}"
    assert f'"projects/{number}/iap_web/cloud_run-europe-west1/services/llm-manager"' in text
    assert f'"/projects/{number}/locations/europe-west1/services/llm-manager"' in text
    assert "iap_enabled = true" in text
    assert re.search(r"image += var\.image$", text, re.MULTILINE)
    assert "very-secret" not in text + written.gcloud(page) + repr(page) + repr(page.client)


def test_prices_are_named() -> None:
    always = Page("my-project", "europe-west1", min_instances=1)
    assert deploy.price(always).startswith("About $54 a month: one instance always runs.")
    assert "About $0.07 an hour while somebody visits" in deploy.price(PAGE)
    assert "about $54 a month" in deploy.price(PAGE)
    for page in ("README.md", "docs/deploy_manager.md"):
        told = (ROOT / page).read_text("utf-8")
        assert set(re.findall(r"\$[\d.]*\d", told)) == set(
            re.findall(r"\$[\d.]*\d", deploy.price(PAGE))
        )
    kernel, server = page_memory.KERNEL_BYTES >> 20, page_memory.SERVER_BYTES >> 20
    assert f"{kernel} MiB for each, and {server} MiB for the server" in told


@pytest.mark.parametrize(
    ("answer", "who"),
    [
        ((302, "https://accounts.google.com/o/oauth2", "", True), Front.IAP),
        ((302, "https://accounts.google.com/o/oauth2", "", False), Front.OTHER),
        ((302, "https://accounts.google.com.evil.example/", "", True), Front.OTHER),
        ((502, "", "Empty Google Account OAuth client ID(s)/secret(s).", True), Front.NO_CLIENT),
        ((502, "", "Bad Gateway", False), Front.OTHER),
        ((403, "", "Forbidden", False), Front.IAM),
        ((403, "", "You don't have access", True), Front.OTHER),
        ((200, "", "", False), Front.OPEN),
        ((404, "", "", False), Front.OTHER),
    ],
)
def test_who_answers(answer: tuple[int, str, str, bool], who: Front) -> None:
    status, place, text, by_proxy = answer
    assert front.of(status, place, text, by_proxy=by_proxy) is who


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("--print gcloud --delete", "Name one of --print and --delete."),
        ("--client-id me", "Name --client-id, and its secret"),
        ("--print yaml", "is not one of 'gcloud', 'terraform'"),
        ("--min-instances 2", "is not in the range"),
    ],
)
def test_words_that_are_no_command(
    words: str, told: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("LLM_WIDGETS_CLIENT_SECRET", raising=False)
    assert main(["deploy-manager", "--project", "my-project", *words.split()]) == 2
    assert told in capsys.readouterr().err


def test_printing_needs_no_account(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nowhere")
    words = ["deploy-manager", "--project", "my-project", "--region", "europe-west1"]
    words += ["--visitor", "ada@example.com", "--print"]
    assert main([*words, "gcloud"]) == 0
    assert capsys.readouterr().out == written.gcloud(PAGE)
    assert main([*words, "terraform"]) == 0
    assert capsys.readouterr().out == written.terraform(PAGE)
