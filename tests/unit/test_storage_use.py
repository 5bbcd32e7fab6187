"""What of a bucket belongs to no model, and what is unknown is not told as nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from llm_widgets.domain.bucket_settings import BucketSettings
from llm_widgets.domain.metadata import METADATA_NAME
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.domain.storage_use import (
    BucketUse,
    StoredObject,
    Use,
    is_young,
    leftovers,
    live_bytes,
    loose_folders,
    nested_copies,
    not_empty,
)

NOW = datetime(2026, 12, 1, tzinfo=UTC)
MIB = 2**20
HUBS = ["huggingface", "ollama"]


def stored(name: str, size: int = MIB, crc32c: str = "AAAAAA==", **more: object) -> StoredObject:
    made = StoredObject(name, size, crc32c, 1, NOW)
    return replace(made, **more)  # type: ignore[arg-type] # of any field


def model(prefix: str) -> ModelRecord:
    return ModelRecord("a/m", "huggingface", ModelStatus.READY, prefix=prefix)


def test_a_folder_is_loose_where_no_model_lies() -> None:
    live = [
        stored(METADATA_NAME),
        stored("llm-manager/models/x.json"),
        stored("huggingface/a/m/new/config.json"),
        stored("huggingface/a/m/old/config.json"),
        stored("huggingface/a/m/old/deep/model.safetensors"),
        stored("huggingface/a/m/newer/config.json"),
        stored("huggingface/b/m/1/config.json"),
        stored("huggingface/stray.txt"),
        stored("notes/today.txt"),
    ]
    found = loose_folders(live, [model("huggingface/a/m/new")], HUBS)
    assert {folder: len(files) for folder, files in found.items()} == {
        "huggingface/a/m/old": 2,
        "huggingface/a/m/newer": 1,
        "huggingface/b": 1,
        "notes": 1,
    }


def test_a_hub_folder_is_never_loose_as_a_whole() -> None:
    assert set(loose_folders([stored("ollama/blobs/x")], [], HUBS)) == {"ollama/blobs"}


def test_a_copy_is_one_only_where_every_file_is_the_same() -> None:
    live = [
        stored("m/config.json", 10),
        stored("m/model.safetensors", 5 * MIB, "BBBBBB=="),
        stored("m/m/config.json", 10),
        stored("m/m/model.safetensors", 5 * MIB, "BBBBBB=="),
        stored("m/other/config.json", 10),
        stored("m/other/model.safetensors", 5 * MIB, "CCCCCC=="),
        stored("m/small/config.json", 10),
    ]
    assert {folder: len(files) for folder, files in nested_copies(live, "m").items()} == {"m/m": 2}


def test_a_bucket_is_empty_only_without_versions_and_models() -> None:
    own = stored(METADATA_NAME)
    old = stored("x", is_live=False)
    assert not_empty([own, replace(own, is_live=False)], lists_models=False) == ""
    assert not_empty([own], lists_models=True) == "Its list still names models."
    assert not_empty([own, old], lists_models=False) == "It holds 1 noncurrent version."
    assert not_empty([own, stored("y"), old], lists_models=False) == "It holds 1 object."


def test_what_was_written_a_moment_ago_is_young() -> None:
    files = [stored("m/a", created_at=NOW - timedelta(days=9)), stored("m/b")]
    assert is_young(files, NOW + timedelta(hours=23))
    assert not is_young(files, NOW + timedelta(hours=25))


def test_unknown_is_never_zero() -> None:
    told = BucketUse("b", soft_deleted=0).shown()
    kinds = ("live", "used_models", "unused_models", "other", "noncurrent", "unfinished")
    assert {told[f"{kind}_bytes"] for kind in kinds} == {"unknown"}
    assert (told["soft_deleted_bytes"], told["findings"]) == (0, "unknown")
    assert (told["empty"], told["not_empty"]) == ("unknown", "unknown")


def test_bytes_of_models_are_unknown_while_one_may_be_used() -> None:
    cut = BucketUse("b", unfinished=11, is_all_unfinished=False).shown()
    assert cut["unfinished_bytes"] == "at least 11 B"
    unsure = BucketUse("b", live={Use.USED: 3, Use.UNSURE: 5}).shown()
    assert (unsure["live_bytes"], unsure["used_models_bytes"]) == (8, "unknown")
    assert unsure["unused_models_bytes"] == "unknown"
    sure = BucketUse("b", live={Use.USED: 3}, not_empty="").shown()
    assert (sure["used_models_bytes"], sure["unused_models_bytes"], sure["empty"]) == (3, 0, True)


def test_each_live_object_is_counted_once() -> None:
    live = [
        stored(METADATA_NAME, 1),
        stored("llm-manager-metadata.corrupt-7.json", 2),
        stored("llm-manager/models/x.json", 4),
        stored("hub/a/w", 8),
        stored("hub/a/inner/w", 16),
        stored("hub/b/w", 32),
        stored("hub/bb/w", 64),
    ]
    uses = {"hub/a": Use.UNUSED, "hub/a/inner": Use.USED, "hub/b": Use.IMPORTING}
    assert live_bytes(live, uses) == {
        Use.OWN: 7,
        Use.UNUSED: 8,
        Use.USED: 16,
        Use.IMPORTING: 32,
        Use.OTHER: 64,
    }


def test_a_leftover_is_of_an_import_that_nothing_names_and_that_never_ended() -> None:
    live = [
        stored("llm-manager/imports/left/plan.json"),
        stored("llm-manager/imports/left/files/1"),
        stored("llm-manager/imports/named/plan.json"),
        stored("llm-manager/imports/ended/plan.json"),
        stored("llm-manager/models/ended.json"),
        stored("llm-manager/imports/Odd_Name/plan.json"),
        stored("llm-manager/imports/stray.json"),
    ]
    named = replace(model("hub/m"), import_id="named")
    found = leftovers(live, [named])
    assert {folder: len(each) for folder, each in found.items()} == {"llm-manager/imports/left": 2}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (BucketSettings(), "no longer billed"),
        (BucketSettings(soft_delete=7 * 24 * 3600), "billed for 7 days longer"),
        (BucketSettings(versioning=True), "stay as noncurrent versions"),
        (BucketSettings(storage_class="NEARLINE"), "30 days all the same"),
        (BucketSettings(retention=24 * 3600), "before it is 1 day old"),
    ],
)
def test_what_deleting_saves_is_said(settings: BucketSettings, said: str) -> None:
    (sentence,) = settings.effects
    assert said in sentence
