"""The cards of a service's page before and after what they show was read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from llm_widgets.config import Settings
from llm_widgets.domain.services import ServiceState, ServiceSummary
from llm_widgets.errors import DeniedError
from llm_widgets.page.services.access_card import AccessCard
from llm_widgets.page.services.revisions_card import RevisionsCard
from llm_widgets.page.services.service import ServicePageState
from llm_widgets.page.services.tab import _tell
from llm_widgets.page.session import Session
from llm_widgets.widgets.notice import Notice

if TYPE_CHECKING:
    from collections.abc import Iterator

DENIED = DeniedError("Can't read the policy of engine.")


@pytest.fixture
def state() -> Iterator[ServicePageState]:
    session = Session(Settings.from_environment({}))
    yield ServicePageState(
        session,
        ServiceSummary(
            name="projects/p/locations/europe-west1/services/engine",
            state=ServiceState.READY,
            reason="",
            url="",
            framework="vllm",
            model_id="acme/llm",
            served_name="acme/llm",
            bucket="models",
            gpu="",
            min_instances=0,
            max_instances=1,
            updated_at=None,
            updated_by="",
            etag="",
        ),
    )
    session.close()


def test_callers_are_said_to_be_none_once_they_were_read(state: ServicePageState) -> None:
    table = AccessCard(state)._table
    assert table.loading
    state.access_error = DENIED
    assert not table.loading
    assert table.empty == "Who may call is not known."
    state.access_error = None
    state.invokers_loaded = True
    assert not table.loading
    assert table.empty.startswith("No callers")


def test_revisions_are_awaited_until_the_service_was_read(state: ServicePageState) -> None:
    table = RevisionsCard(state)._table
    assert table.loading
    state.error = DENIED
    assert not table.loading
    assert table.empty == "The revisions are not known."
    state.error = None
    state.document = {"name": state.name}
    assert not table.loading
    assert table.empty == "No revisions yet."


def test_regions_that_fail_are_told_from_the_one_that_is_used_on() -> None:
    notice = Notice()
    regions = ("africa-south1", "europe-west4", "mars-west1", "us-east4", "us-west1")
    failed = tuple((each, DeniedError(f"No right in {each}.")) for each in regions)
    _tell(notice, "Can't list {}.", failed, first="us-east4")
    assert notice.text.startswith("Can't list us-east4, europe-west4, ")
    assert "No right in us-east4." in notice.detail
    _tell(notice, "Can't list {}.", failed[:1], first="us-east4")
    assert notice.text == "Can't list africa-south1."
    _tell(notice, "Can't list {}.", (), first="us-east4")
    assert notice.text == ""
