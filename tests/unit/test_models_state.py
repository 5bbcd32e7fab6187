"""What the Models tab works out by itself: states, pauses, estimates, warnings, ids, fields."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from llm_widgets.config import Settings
from llm_widgets.domain import gpus, regions
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.domain.progress import FileProgress, FileState, ImportProgress, ImportState
from llm_widgets.errors import HubError, InvalidInputError
from llm_widgets.imports.plan import import_id
from llm_widgets.manager.import_check import ImportRequest, measured_speed
from llm_widgets.manager.import_target import Target, TargetKind
from llm_widgets.page.models.buckets_page import ModelList
from llm_widgets.page.models.import_fields import ADOPT, CREATE, field_of, import_fields, request_of
from llm_widgets.page.models.imports import WatchedImport, pause
from llm_widgets.page.models.models import ModelsState
from llm_widgets.page.models.progress_card import ProgressCard
from llm_widgets.page.models.status import Condition, condition, status_cell
from llm_widgets.page.session import Session

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


def record(status: ModelStatus, **more: Any) -> ModelRecord:
    return ModelRecord("a/b", "huggingface", status, import_id="1", **more)


def seen(state: ImportState, active: int = 0, **more: Any) -> WatchedImport:
    files = tuple(FileProgress(f"{n}", 100, 25, FileState.ACTIVE) for n in range(active or 1))
    progress = ImportProgress("1", state, files, NOW, NOW, message="It broke.")
    return WatchedImport("1", "bucket", "a/b", progress, **more)


@pytest.mark.parametrize(
    ("status", "watched", "expected"),
    [
        (ModelStatus.READY, None, Condition.READY),
        (ModelStatus.READY, seen(ImportState.RUNNING), Condition.READY),  # it is imported again
        (ModelStatus.IMPORTING, None, Condition.IMPORTING),
        (ModelStatus.IMPORTING, seen(ImportState.RUNNING), Condition.IMPORTING),
        (ModelStatus.IMPORTING, seen(ImportState.FAILED), Condition.FAILED),
        (ModelStatus.IMPORTING, seen(ImportState.CANCELLED), Condition.CANCELLED),
        (
            ModelStatus.IMPORTING,
            seen(ImportState.RUNNING, is_abandoned=True),
            Condition.INCOMPLETE,
        ),
        (ModelStatus.FAILED, None, Condition.FAILED),
        (ModelStatus.FAILED, seen(ImportState.RUNNING), Condition.IMPORTING),  # resumed
    ],
)
def test_condition(status: ModelStatus, watched: WatchedImport | None, expected: Condition) -> None:
    assert condition(record(status), watched) is expected


def test_an_entry_without_an_import_never_moves() -> None:
    old = ModelRecord("a/b", "huggingface", ModelStatus.IMPORTING)
    assert condition(old, None) is Condition.INCOMPLETE


def test_status_words() -> None:
    importing = record(ModelStatus.IMPORTING)
    assert status_cell(importing, seen(ImportState.RUNNING))["text"] == "Importing 25%"
    assert status_cell(importing, seen(ImportState.RUNNING))["note"] == "It broke."
    assert status_cell(importing, seen(ImportState.VERIFYING))["note"] == ""
    assert status_cell(importing, seen(ImportState.FAILED))["note"] == "It broke."
    failed = record(ModelStatus.FAILED, error="The hub is away.")
    assert status_cell(failed, None)["note"] == "The hub is away."
    newer = status_cell(record(ModelStatus.READY), None, newer="abc")
    assert (newer["text"], newer["note"]) == ("Ready", "Update available")


def test_what_an_import_tries_again_stands_on_its_card_until_it_goes_on() -> None:
    def of(message: str) -> WatchedImport:
        told = seen(ImportState.RUNNING).progress
        assert told
        return WatchedImport("1", "bucket", "a/b", replace(told, message=message))

    def nothing() -> None: ...

    card = ProgressCard(
        "a/b", "bucket", cancel=nothing, resume=nothing, deploy=nothing, dismiss=nothing
    )
    card.show(of(""), can_deploy=False)
    assert not card._notice.text
    trouble = "Reading x fails: HTTP 503. Trying again."
    card.show(of(trouble), can_deploy=False)
    assert (card._notice.kind, card._notice.text) == ("warning", trouble)
    assert card._buttons.children == (card._cancel,)
    card.show(of(""), can_deploy=False)
    assert not card._notice.text


@pytest.mark.parametrize(("imports", "seconds"), [(0, 1.0), (1, 1.0), (2, 1.0), (5, 2.0)])
def test_the_page_is_told_less_often_of_many_imports(imports: int, seconds: float) -> None:
    assert pause(imports) == seconds


def test_time_that_is_left() -> None:
    assert seen(ImportState.RUNNING, 4, speed=100.0).seconds_left == 3.0
    assert seen(ImportState.RUNNING, 4).seconds_left is None


def test_speed_of_the_last_import() -> None:
    def ready(size: int, seconds: float, minutes_ago: int) -> ModelRecord:
        end = NOW - timedelta(minutes=minutes_ago)
        start = end - timedelta(seconds=seconds)
        return record(ModelStatus.READY, size=size, submitted_at=start, finished_at=end)

    small, old, new = ready(1000, 10, 1), ready(10**9, 10, 30), ready(10**9, 20, 5)
    assert measured_speed([small, old, new]) == 5e7
    assert measured_speed([small, record(ModelStatus.READY, size=10**9)]) is None
    assert measured_speed([]) is None


def test_regions_with_gpus_come_first() -> None:
    offered = regions.offered("us-east4")
    assert offered[0] == "us-east4"
    assert set(offered[: len(gpus.regions())]) == set(gpus.regions())
    assert len(offered) == len(set(offered)) == len(regions.REGIONS)
    assert regions.offered("mars-north1")[0] == gpus.regions()[0]
    assert regions.label("us-west1") == "us-west1: no GPUs"
    assert "NVIDIA L4 (24 GB) (by invitation)" in regions.label("asia-south1")


def test_places_of_buckets() -> None:
    assert regions.bucket_warning("europe-west1") == ""
    assert "no GPUs in us-west1" in regions.bucket_warning("us-west1")
    assert "eu spans several regions" in regions.bucket_warning("eu", is_regional=False)


def test_the_choice_of_files_is_part_of_the_id() -> None:
    def made(*paths: str) -> str:
        return import_id("bucket", "huggingface", "a/b", "1", paths)

    assert made("x", "y") == made("y", "x")
    assert len({made("x", "y"), made("x"), made("x", "y", "z")}) == 3


def test_what_was_filled_in() -> None:
    values = {
        "source": "huggingface",
        "hugging_face_id": "a/b",
        "revision": "v1",
        "token": "hf_secret",
        "bucket": CREATE,
        "new_bucket": "models",
        "region": "us-east4",
    }
    request = request_of(values)
    assert request.target == Target(TargetKind.CREATE, "models", "us-east4")
    assert (request.model_id, request.revision, request.token) == ("a/b", "v1", "hf_secret")
    assert "hf_secret" not in repr(request)
    adopted = request_of({**values, "bucket": ADOPT, "adopted": "other"})
    assert adopted.target == Target(TargetKind.ADOPT, "other")
    plain = request_of({"source": "ollama", "ollama_id": "x:y", "bucket": "mine"})
    assert plain == ImportRequest("ollama", "x:y", Target(TargetKind.EXISTING, "mine"))


@pytest.mark.parametrize(
    ("field", "kind", "expected"),
    [
        ("model_id", TargetKind.EXISTING, "hugging_face_id"),
        ("bucket", TargetKind.EXISTING, "bucket"),
        ("bucket", TargetKind.CREATE, "new_bucket"),
        ("bucket", TargetKind.ADOPT, "adopted"),
        ("token", TargetKind.EXISTING, "token"),
        ("region", TargetKind.CREATE, "region"),
        ("project", TargetKind.EXISTING, ""),
    ],
)
def test_where_a_failure_is_shown(field: str, kind: TargetKind, expected: str) -> None:
    request = ImportRequest("huggingface", "a/b", Target(kind, "models"))
    assert field_of(request, InvalidInputError("No.", field=field)) == expected
    assert field_of(request, HubError("No.")) == ""


def test_no_field_holds_a_secret_or_an_unknown_bucket() -> None:
    fields = import_fields(project="p", region="", buckets=[], others=[], suggested={})
    by_key = {field.key: field for field in fields}
    assert by_key["token"].kind == "password"
    assert [option.value for option in by_key["bucket"].options] == [CREATE]
    assert by_key["new_bucket"].value == "p-models"


def test_no_new_bucket_is_proposed_while_there_may_be_one() -> None:
    fields = import_fields(
        project="p", region="", buckets=[], others=[], suggested={}, looking=True
    )
    by_key = {field.key: field for field in fields}
    assert [option.value for option in by_key["bucket"].options] == ["", CREATE]
    assert by_key["bucket"].required
    assert by_key["new_bucket"].value is None


def test_no_project_is_asked_for_while_one_is_being_opened() -> None:
    session = Session(Settings())
    page = ModelList(
        session, ModelsState(session), act=lambda *_: None, start_import=lambda _: None
    )
    told = [page._notice.text]
    for is_opening in (True, False):
        session.is_opening = is_opening
        told.append(page._notice.text)
        assert bool(page._buckets.children) is is_opening  # rows that stand for those to come
    session.close()
    choose = "Choose a project on the General tab first."
    assert told == [choose, "Opening the project …", choose]
