"""Deployments that fail, in a browser: the cause, what proves it, and the button that helps."""

from __future__ import annotations

import os
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from playwright.sync_api import Page, expect

from llm_widgets.gcp import secrets
from llm_widgets.gcp.client.rest import call
from llm_widgets.gcp.iam import service_accounts
from llm_widgets.gcp.run import rollout, services
from llm_widgets.gcp.secrets import HubToken
from llm_widgets.gcp.storage import metadata
from tests.contract.product import MANAGER, PARENT, PROJECT, REGION, Product
from tests.contract.served_model import BUCKET, RECORD
from tests.e2e.conftest import Problems
from tests.e2e.failing_vllm import put_program
from tests.e2e.planted import FAILING, GPUS, QWEN, REFUSED, added, field
from tests.e2e.services_tab import (
    ask,
    begin_to_deploy,
    cloud_with_model,
    deploy,
    ready,
    remove_all,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser

pytestmark = [pytest.mark.e2e, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    pytest.importorskip("xllamacpp")
    folder = tmp_path_factory.mktemp("cloud")
    put_program(folder / "bin")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PATH", str(folder / "bin"), prepend=os.pathsep)
        with cloud_with_model(folder / "data") as started:
            (started.data / "buckets" / BUCKET / QWEN.prefix).mkdir()
            metadata.update_metadata(
                started.clients.storage(PROJECT), BUCKET, lambda file: file.with_model(QWEN)
            )
            yield started


@contextmanager
def visit(browser: Browser, url: str) -> Iterator[tuple[Page, Problems]]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    page = context.new_page()
    problems = Problems(url)
    problems.watch(page)
    page.goto(url)
    page.get_by_role("tab").first.wait_for()
    yield page, problems
    context.close()


@contextmanager
def tidied(product: Product, problems: Problems) -> Iterator[None]:
    """Take away what a test has made, and fail where the browser met a problem."""
    yield
    product.faults.reset()
    remove_all(product)
    found, problems.found = problems.found, []
    assert found == []


@pytest.fixture(scope="module")
def opened(browser: Browser, url: str) -> Iterator[tuple[Page, Problems]]:
    """Open the page once for all tests: each goes through it as a person would."""
    with visit(browser, url) as visited:
        yield visited


@pytest.fixture
def page(opened: tuple[Page, Problems], product: Product) -> Iterator[Page]:
    page, problems = opened
    with tidied(product, problems):
        yield page


@pytest.fixture
def newcomers(browser: Browser, url: str, product: Product) -> Iterator[Page]:
    """Open the page anew: what earlier tests granted is not remembered as spreading."""
    with visit(browser, url) as (page, problems), tidied(product, problems):
        yield page


NAMES = {RECORD.id: "ollama-smollm2-135m", QWEN.id: "vllm-qwen3-4b"}


def begin(page: Page, model: str, *plants: Callable[[Page], None]) -> None:
    begin_to_deploy(page, model)
    for plant in plants:
        plant(page)


def explained(page: Page, cause: str, proof: str) -> None:
    told = page.get_by_role("alert").filter(has_text=cause).filter(has_text=proof)
    expect(told).to_be_in_viewport()


@pytest.mark.parametrize("reason", list(FAILING))
def test_what_fails_is_put_right_by_its_button(page: Page, reason: str) -> None:
    case = FAILING[reason]
    begin(page, case.model, *case.plants)
    deploy(page, NAMES[case.model])
    explained(page, case.cause, case.proof)
    page.get_by_role("button", name=case.button).first.click()
    ready(page)
    expect(page.get_by_role("alert").filter(has_text=case.cause)).to_be_hidden()


def deployed(page: Page, model: str = RECORD.id) -> None:
    deploy(page, NAMES[model])
    ready(page)


def refused(page: Page, cause: str, proof: str) -> None:
    page.get_by_role("button", name="Deploy", exact=True).click()
    explained(page, cause, proof)


@pytest.mark.parametrize("reason", list(REFUSED))
def test_what_is_refused_is_changed_by_its_button(
    page: Page, product: Product, reason: str
) -> None:
    case = REFUSED[reason]
    product.faults.update(quotas=case.quotas)
    begin(page, RECORD.id, *case.plants)
    refused(page, case.cause, case.proof)
    page.get_by_role("button", name=case.button).first.click()
    label, value = case.then
    box = page.get_by_label(label, exact=True)
    if value == "off":
        expect(box).not_to_be_checked()
    else:
        expect(box).to_have_value(value)
    expect(page.get_by_role("alert").filter(has_text=case.cause)).to_be_hidden()
    deployed(page)


def test_a_quota_is_requested_and_granted(page: Page) -> None:
    begin(page, RECORD.id, field("Maximum instances", "2"))
    refused(page, "would take 64 GiB of memory", "allowed: 42949672960")
    blocker = page.get_by_text(f"Not enough quota in {REGION}")
    expect(blocker).to_be_visible()
    page.get_by_role("button", name="Request quota").last.click()
    granted = page.get_by_text(f"Memory quota in {REGION} is now 64 GiB. Deploy again.")
    expect(granted).to_be_visible()
    expect(page.get_by_role("alert").filter(has_text="64 GiB of memory")).to_have_count(0)
    deployed(page)
    expect(page.locator(".llm-detail").filter(has_text="Instances")).to_contain_text("0 to 2")


def test_an_api_that_is_off_is_enabled(page: Page, product: Product) -> None:
    api = f"projects/{PROJECT}/services/run.googleapis.com"
    begin(page, RECORD.id)
    product.clients.service_usage.disable_service(request={"name": api}).result(30)
    refused(
        page,
        f"Cloud Run Admin API is not enabled in the project {PROJECT}.",
        "has not been used in project",
    )
    page.get_by_role("button", name="Enable", exact=True).click()
    expect(page.get_by_text("run.googleapis.com is enabled")).to_be_visible()
    deployed(page)


def test_an_account_that_may_not_be_acted_as_is_granted(page: Page, product: Product) -> None:
    with roles(product, *ADMINISTRATOR):
        begin(page, RECORD.id)
        denied = "lacks the permission iam.serviceAccounts.actAs on"
        refused(page, denied, "denied on service account")
        page.get_by_role("button", name="Grant", exact=True).click()
        granted = page.get_by_text("Granted roles/iam.serviceAccountUser to")
        expect(granted).to_be_visible()
        deployed(page)


def test_grants_that_are_missing_are_given_one_after_the_other(
    newcomers: Page, product: Product
) -> None:
    """A new account may read neither a secret nor the bucket; each button gives one of them."""
    page = newcomers
    bare = service_accounts.create(product.clients, PROJECT, service_accounts.RUNTIME)
    kept = HubToken(PROJECT, "models", "shared")
    secrets.put(product.clients, kept, "a value")
    secret = kept.id
    begin(
        page,
        RECORD.id,
        field("Service account (optional)", bare.email),
        added("Add a secret", "KEY", f"{secret}:1"),
        lambda page: page.get_by_role("checkbox", name="Let it read the bucket").uncheck(),
    )
    expect(page.get_by_text(f"{bare.email} can't read")).to_be_visible()
    deploy(page, NAMES[RECORD.id])
    explained(page, f"can't read the secret {secret}.", "Permission denied on secret")
    page.get_by_role("button", name="Grant and deploy again").click()
    explained(page, f"lacks storage.objects.list on the bucket {BUCKET}.", "Error 403")
    page.get_by_role("button", name="Grant and deploy again").click()
    ready(page)


def test_a_gpu_that_others_use_is_waited_for(page: Page, product: Product) -> None:
    product.faults.update(quotas={GPUS: 1})
    begin(page, RECORD.id, field("Service name", "the-first"))
    deploy(page, "the-first")
    ready(page)
    # What is left open there must not stand in the way of the next one.
    page.get_by_role("button", name="Edit & deploy new revision").click()
    expect(page.get_by_role("heading", name="Edit the-first")).to_be_visible()
    begin(page, RECORD.id)
    deploy(page, NAMES[RECORD.id])
    explained(page, "All GPUs of the project's quota", "Quota exceeded for total allowable count")
    first = services.delete(product.clients, f"{PARENT}/services/the-first")
    for _ in rollout.follow(product.clients, first, period=0.1):
        pass
    page.get_by_role("button", name="Deploy again", exact=True).click()
    ready(page)
    page.get_by_role("button", name="Edit & deploy new revision").click()
    expect(page.get_by_role("heading", name=f"Edit {NAMES[RECORD.id]}")).to_be_visible()


def test_who_may_not_call_is_let_in(newcomers: Page, product: Product) -> None:
    page = newcomers
    begin(page, RECORD.id)
    deployed(page)
    with roles(product, "roles/viewer", "roles/iam.securityAdmin"):
        page.get_by_role("tab", name="Access", exact=True).click()
        card = page.get_by_role("tabpanel", name="Access")
        card.get_by_role("row").filter(has_text=MANAGER).get_by_role(
            "button", name="Remove"
        ).click()
        page.get_by_role("dialog").get_by_role("button", name="Remove").click()
        expect(card.get_by_role("row").filter(has_text=MANAGER)).to_have_count(0)
        page.get_by_role("tab", name="Try it", exact=True).click()
        ask(page, "Reply with one short greeting.", most_tokens=16)
        explained(page, f"can't call the service {NAMES[RECORD.id]}.", "The service answers 403")
        page.get_by_role("button", name="Grant me access").click()
        figures = page.get_by_text(re.compile(r"First token after [\d.]+ s"))
        expect(figures).to_be_visible()


# What an administrator may who is no owner: everything here, but to act as an account.
ADMINISTRATOR = (
    "roles/viewer",
    "roles/run.admin",
    "roles/storage.admin",
    "roles/iam.serviceAccountAdmin",
)


@contextmanager
def roles(product: Product, *given: str) -> Iterator[None]:
    """Have the manager hold these roles in the project, and be its owner again afterwards."""
    path, host = f"/v3/projects/{PROJECT}", "cloudresourcemanager.googleapis.com"
    before = call(product.clients, "POST", host, f"{path}:getIamPolicy", {})
    kept = [each for each in before["bindings"] if MANAGER not in each["members"]]
    # Somebody must be able to put it back.
    given = (*given, "roles/resourcemanager.projectIamAdmin")
    policy = {"bindings": [*kept, *({"role": role, "members": [MANAGER]} for role in given)]}
    call(product.clients, "POST", host, f"{path}:setIamPolicy", {"policy": policy})
    try:
        yield
    finally:
        policy = {"bindings": before["bindings"]}
        call(product.clients, "POST", host, f"{path}:setIamPolicy", {"policy": policy})
