"""What the page tells of a bucket: what it stores, what is unknown, and what may be deleted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from llm_widgets.config import Settings
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.domain.storage_use import BucketUse, Finding, Kind, StoredObject, Use
from llm_widgets.errors import DeniedError, Fix
from llm_widgets.manager.bucket_models import BucketModels
from llm_widgets.page.models.bucket_card import BucketCard
from llm_widgets.page.models.models import ModelsState
from llm_widgets.page.models.storage import Measured
from llm_widgets.page.models.storage_card import StorageCard, finding_row, storage_details, told
from llm_widgets.page.session import Session
from llm_widgets.widgets.layout import is_shown

NOW = datetime(2026, 12, 1, tzinfo=UTC)
GB = 10**9
FILES = (StoredObject("notes/a", 2 * GB, "AAAAAA==", 1, NOW),)
LOOSE = Finding(Kind.LOOSE, "notes", "notes", FILES, used_by="")
FULL = BucketUse(
    "models",
    live={Use.USED: 30 * GB, Use.UNUSED: 20 * GB, Use.OWN: 500, Use.OTHER: 2 * GB},
    noncurrent=3 * GB,
    soft_deleted=5 * GB,
    unfinished=0,
    soft_deleted_until=NOW,
    findings=(LOOSE,),
    effects=("Soft delete is on.",),
    not_empty="It holds 7 objects.",
)
EMPTY = BucketUse(
    "models",
    live={Use.OWN: 118},
    noncurrent=0,
    soft_deleted=0,
    unfinished=0,
    findings=(),
    not_empty="",
)


def lines(use: BucketUse | None, *, is_measuring: bool = False) -> list[str]:
    shown = storage_details(Measured(use, is_measuring=is_measuring))
    return [f"{each.label}: {each.value} {each.note}".strip() for each in shown]


def test_bytes_are_told_by_kind_and_in_all() -> None:
    assert lines(FULL) == [
        "Stores: 60 GB all of it is billed",
        "Models that services use: 30 GB",
        "Models that no service uses: 20 GB",
        "Records of the manager: 500 B",
        "Other files: 2 GB",
        "Noncurrent versions: 3 GB billed until they are deleted",
        "Soft-deleted objects: 5 GB billed until 2026-12-01 at the latest",
    ]


def test_an_empty_bucket_is_told_as_such() -> None:
    assert lines(EMPTY) == ["Stores: Empty 118 B in all"]
    assert lines(replace(EMPTY, soft_deleted=GB, soft_deleted_until=NOW))[1:] == [
        "Soft-deleted objects: 1 GB billed until 2026-12-01 at the latest"
    ]


def test_what_is_not_known_is_told_as_unknown() -> None:
    assert lines(None, is_measuring=True) == ["Stores: Measuring …"]
    assert lines(None) == ["Stores: Unknown"]
    assert lines(BucketUse("models"))[0] == "Stores: Unknown"
    partly = lines(BucketUse("models", soft_deleted=GB))
    assert partly == [
        "Stores: At least 1 GB all of it is billed",
        "Live objects: Unknown",
        "Unfinished uploads: Unknown",
        "Noncurrent versions: Unknown",
        "Soft-deleted objects: 1 GB billed",
    ]


def test_uploads_that_were_not_all_measured_are_told_as_the_least() -> None:
    cut = lines(replace(FULL, unfinished=4 * GB, is_all_unfinished=False))
    assert cut[0] == "Stores: At least 64 GB all of it is billed"
    assert cut[5] == (
        "Unfinished uploads: At least 4 GB parts of imports that have not ended; "
        "they are too many to measure all"
    )


def test_what_deleting_saves_is_told_where_something_can_be_deleted() -> None:
    assert told(Measured(FULL, is_measuring=False)) == "Soft delete is on."
    assert told(Measured(EMPTY, is_measuring=False)) == "Nothing to tidy."
    assert told(Measured(BucketUse("models"), is_measuring=False)).startswith("Unknown")
    assert told(Measured(is_measuring=False)).startswith("Unknown")
    assert told(Measured()) == ""


def test_a_row_says_why_it_can_not_be_deleted() -> None:
    free = finding_row(LOOSE)
    assert (free["size"], free["files"], free["disabled"]) == (2 * GB, 1, {})
    assert free["use"] == {"text": "No service", "note": ""}
    used = replace(LOOSE, used_by="chat (us-central1)", refusal="It is in use.")
    assert finding_row(used)["use"] == {"text": "chat (us-central1)", "note": "It is in use."}
    assert finding_row(used)["disabled"] == {"delete": "It is in use."}
    unsure = replace(LOOSE, used_by=None, refusal="Unknown whether a service uses it.")
    assert finding_row(unsure)["use"]["text"] == "Unknown"


def test_models_that_share_a_folder_have_rows_of_their_own() -> None:
    entries = [
        ModelRecord("a/m", "huggingface", ModelStatus.READY, revision=revision, prefix="a/m")
        for revision in ("1", "2")
    ]
    found = tuple(Finding(Kind.MODEL, "a/m", "a/m", FILES, each, "") for each in entries)
    measured = Measured(replace(FULL, findings=found), is_measuring=False)
    card = StorageCard("models", close=lambda: None, delete=lambda _: None)
    card.show(measured)
    assert len(card._table.rows) == 2
    shown = [measured.finding(row["id"]) for row in card._table.rows]
    assert [each.model for each in shown if each] == entries


def test_what_is_missing_is_named_with_its_fix() -> None:
    denied = DeniedError("You may not list.", fix=Fix("Grant it.", command="gcloud x"))
    card = StorageCard("models", close=lambda: None, delete=lambda _: None)
    card.show(Measured(replace(FULL, problems=(denied,)), is_measuring=False))
    (notice,) = card._problems.children
    assert (notice.text, notice.detail, notice.command) == (denied.message, "Grant it.", "gcloud x")
    card.show(Measured(EMPTY, is_measuring=False))
    assert card._problems.children == ()


def test_only_a_bucket_that_seems_empty_can_be_deleted() -> None:
    session = Session(Settings())
    state = ModelsState(session)
    card = BucketCard(
        "models",
        link="",
        storage=state.storage,
        act=lambda *_: None,
        start_import=lambda: None,
        repair=lambda: None,
    )
    bucket = BucketModels("models", "europe-west1")
    model = ModelRecord("a/m", "huggingface", ModelStatus.READY)
    denied = DeniedError("You may not read it.")
    offered = {}
    for name, each in (
        ("empty", bucket),
        ("with a model", replace(bucket, models=(model,))),
        ("with an unread entry", replace(bucket, unread=1)),
        ("unknown", replace(bucket, problem=denied)),
    ):
        card.show(each, {}, state.updates, None)
        offered[name] = is_shown(card._delete)
    assert [name for name, is_offered in offered.items() if is_offered] == ["empty"]
    card.show(bucket, {}, state.updates, Measured(FULL, is_measuring=False))
    assert (card._delete.disabled, card._delete.tooltip) == (True, "It holds 7 objects.")
    session.close()
