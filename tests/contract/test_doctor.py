"""``llm-widgets doctor`` against a local cloud."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from llm_widgets import cli
from llm_widgets.config import settings
from tests.contract.product import MANAGER, PROJECT, Product, running

if TYPE_CHECKING:
    from collections.abc import Iterator


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
    assert cli.main(["doctor"]) == 0
    told = capsys.readouterr().out
    assert f"Project Local project ({PROJECT}, number " in told
    assert "✓ Billing" in told
    assert told.endswith("15 of 15 in order\n")


def test_what_is_missing_comes_with_its_fix(
    product: Product, capsys: pytest.CaptureFixture[str]
) -> None:
    product.faults.update(
        denied_permissions=["run.services.*"], failures=[{"match": "billingInfo", "status": 403}]
    )
    assert cli.main(["doctor", "--project", PROJECT]) == 1
    told = capsys.readouterr().out
    assert "✗ Cloud Run services" in told
    assert f"gcloud projects add-iam-policy-binding {PROJECT} --member={MANAGER}" in told
    assert "? Billing" in told
    assert told.endswith("13 of 15 in order, 1 missing, 1 can't be told\n")


def test_json(product: Product, capsys: pytest.CaptureFixture[str]) -> None:
    product.faults.update(billing_disabled=[PROJECT])
    assert cli.main(["doctor", "--json"]) == 1
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
        ("other-project", "does not exist, or you may not see it"),
    ],
)
def test_wrong_projects(capsys: pytest.CaptureFixture[str], project: str, told: str) -> None:
    assert cli.main(["doctor", "--project", project]) == 1
    found = capsys.readouterr()
    assert told in found.err
    assert (found.out, "Traceback" in found.err) == ("", False)


@pytest.mark.usefixtures("product")
def test_what_can_not_be_checked_is_json_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor", "--json", "--project", "other-project"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False
    assert told["error"]["message"].startswith("The project other-project does not exist")
    assert told["error"]["fix"]["command"].startswith("gcloud projects add-iam-policy-binding")


def test_credentials_that_are_refused(product: Product, capsys: pytest.CaptureFixture[str]) -> None:
    product.faults.update(failures=[{"match": "^(?!.*_local)", "status": 401}])
    assert cli.main(["doctor"]) == 1
    told = capsys.readouterr().err
    assert told.startswith("Google Cloud does not accept the credentials, or no longer does.")
    assert "gcloud auth application-default login" in told
