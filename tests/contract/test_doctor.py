"""``llm-widgets doctor`` against a local cloud."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING

import pytest

from llm_widgets.cli import main
from llm_widgets.config import settings
from llm_widgets.gcp.auth.sign_in import SCOPE
from tests.contract.product import MANAGER, PROJECT, Product, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EMAIL = MANAGER.partition(":")[2]


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        for product in running(tmp_path_factory.mktemp("doctor"), environment):
            settings.cache_clear()
            yield product
    settings.cache_clear()


@pytest.fixture
def product(started: Product) -> Iterator[Product]:
    yield started
    started.faults.reset()


@pytest.mark.usefixtures("product")
def test_all_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["doctor"]) == 0
    told = capsys.readouterr().out
    assert f"Project Local project ({PROJECT}, number " in told
    assert "✓ Billing" in told
    assert told.endswith("All 18 checks passed\n")


def test_what_is_missing_comes_with_its_fix(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    product.faults.update(
        denied_permissions=["run.services.*"], failures=[{"match": "billingInfo", "status": 403}]
    )
    assert main.main(["doctor", "--project", PROJECT]) == 1
    told = capsys.readouterr().out
    assert "✗ Cloud Run services" in told
    assert f"gcloud projects add-iam-policy-binding {PROJECT} --member={MANAGER}" in told
    assert "? Billing" in told
    assert told.endswith("16 of 18 checks passed, 1 missing, 1 unknown\n")


def test_json(product: Product, capsys: pytest.CaptureFixture[str]) -> None:
    product.faults.update(billing_disabled=[PROJECT])
    assert main.main(["doctor", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["identity"]["member"], told["project"]["id"]) == (
        False,
        MANAGER,
        PROJECT,
    )
    states = {check["key"]: check["state"] for check in told["checks"]}
    assert states.pop("billing") == "missing"
    assert set(states.values()) == {"ok"}
    billing = next(check for check in told["checks"] if check["key"] == "billing")
    assert billing["blocks"] == ["deploy", "import"]


@pytest.mark.usefixtures("product")
@pytest.mark.parametrize(
    ("project", "told"),
    [
        ("two words", "is not a project ID"),
        ("<b>bold</b>", "is not a project ID"),
        ("a" * 300, "is not a project ID"),
        ("other-project", "does not exist, or you don't have permission to view it"),
    ],
)
def test_wrong_projects(capsys: pytest.CaptureFixture[str], project: str, told: str) -> None:
    assert main.main(["doctor", "--project", project]) == 1
    found = capsys.readouterr()
    assert told in found.err
    assert (found.out, "Traceback" in found.err) == ("", False)


@pytest.mark.usefixtures("product")
def test_what_can_not_be_checked_is_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["doctor", "--json", "--project", "other-project"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False
    assert told["error"]["message"].startswith("The project other-project does not exist")
    assert told["error"]["fix"]["command"].startswith("gcloud projects add-iam-policy-binding")


class _Metadata(BaseHTTPRequestHandler):
    """Answers as the metadata server of Compute Engine, Workbench and Cloud Run."""

    token = ""

    def do_GET(self) -> None:
        account = {"email": EMAIL, "scopes": [SCOPE], "aliases": ["default"]}
        token = {"access_token": self.token, "expires_in": 3600, "token_type": "Bearer"}
        domain = "googleapis.com"
        answers: dict[str, object] = {
            "/token": token,
            "/default/": account,
            f"/{EMAIL}/": account,
            "/universe-domain": domain,
        }
        path = self.path.partition("?")[0].replace("_", "-")
        found = next((answers[end] for end in answers if path.endswith(end)), PROJECT)
        self.send_response(200)
        self.send_header("Metadata-Flavor", "Google")
        self.send_header(
            "Content-Type", "text/plain" if isinstance(found, str) else "application/json"
        )
        self.end_headers()
        self.wfile.write((found if isinstance(found, str) else json.dumps(found)).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(
    ("environment", "kind"),
    [
        ({}, "Service account of this machine"),
        ({"K_SERVICE": "llm-manager"}, "Service account of this Cloud Run service"),
    ],
)
def test_on_a_machine_of_google(
    product: Product, tmp_path: Path, environment: dict[str, str], kind: str
) -> None:
    product.clients.session.get(f"{product.cloud.url}/oauth2/v3/userinfo")  # fetches a token
    _Metadata.token = str(product.clients.credentials.token)
    server = HTTPServer(("127.0.0.1", 0), _Metadata)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    place = f"127.0.0.1:{server.server_port}"
    inherited = {k: v for k, v in os.environ.items() if k != "GOOGLE_APPLICATION_CREDENTIALS"}
    done = subprocess.run(
        [sys.executable, "-m", "llm_widgets", "doctor"],
        capture_output=True,
        text=True,
        check=False,
        env={
            **inherited,
            **environment,
            "CLOUDSDK_CONFIG": str(tmp_path),
            "GCE_METADATA_HOST": place,
            "GCE_METADATA_IP": place,
        },
    )
    server.shutdown()
    assert done.stdout.startswith(f"{EMAIL} ({kind}) on the local cloud\n"), done.stderr
    assert done.returncode == 0


def test_credentials_that_are_refused(product: Product, capsys: pytest.CaptureFixture[str]) -> None:
    product.faults.update(failures=[{"match": "^(?!.*_local)", "status": 401}])
    assert main.main(["doctor"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("Google Cloud does not accept the credentials, or no longer does.")
    assert "gcloud auth application-default login" in told
