from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_widgets.documents import manifests, metadata
from llm_widgets.domain.imports import Digest, DigestKind
from llm_widgets.domain.manifest import ManifestFile, ModelManifest
from llm_widgets.domain.metadata import MetadataFile, MetadataFileError
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.errors import DocumentError
from llm_widgets.page.models.status import status_cell

NOW = datetime(2026, 11, 23, 8, 0, 1, 250000, tzinfo=UTC)
RECORD = ModelRecord(
    id="acme/llm",
    source="huggingface",
    status=ModelStatus.READY,
    size=12,
    revision="c" * 40,
    prefix="huggingface/acme/llm/" + "c" * 40,
    file_count=2,
    import_id="abc",
    submitted_at=NOW,
    finished_at=NOW,
    imported_by="a@example.com",
    license="mit",
)
# As oded996/cloud-run-llm-manager writes it.
OLD: dict[str, Any] = {
    "description": "This file is managed by the LLM Manager.",
    "models": [
        {
            "id": "google/gemma-3-1b-it",
            "source": "huggingface",
            "size": 2003,
            "status": "completed",
            "submittedAt": "2025-10-18T20:14:53.123Z",
            "finishedAt": "2025-10-18T20:19:00.000Z",
            "buildId": "b-1",
            "logUrl": "https://console.cloud.google.com/cloud-build/builds/b-1",
        },
        {"id": "gemma3:1b", "source": "ollama", "size": 815, "status": "downloading"},
        {"id": "x/y", "source": "zml", "status": "completed"},
    ],
}


def test_round_trip() -> None:
    file = MetadataFile(models=(RECORD, replace(RECORD, id="b/c", error="Gone. “Why?”")))
    assert metadata.read(file.to_json()) == file


def test_reads_the_application_before_this_one() -> None:
    file = metadata.read(json.dumps(OLD))
    hf, ollama, other = file.models
    assert (hf.id, hf.status, hf.size) == ("google/gemma-3-1b-it", ModelStatus.READY, 2003)
    assert hf.submitted_at == datetime(2025, 10, 18, 20, 14, 53, 123000, tzinfo=UTC)
    assert hf.prefix == "google/gemma-3-1b-it"
    assert ollama.status is ModelStatus.IMPORTING
    assert ollama.prefix == "ollama/models"
    assert (other.id, other.source, other.prefix) == ("x/y", "zml", "")
    assert file.others == ()


def test_fields_that_are_not_known_are_written_back() -> None:
    data = {**OLD, "owner": {"team": "search"}}
    data["models"] = [
        {**OLD["models"][0], "notes": ["a"], "size": "12 GB", "submittedAt": "yesterday"},
        *OLD["models"][1:],
        "not an entry",
    ]
    written = json.loads(metadata.read(json.dumps(data)).with_model(RECORD).to_json())
    assert written["owner"] == {"team": "search"}
    first = written["models"][0]
    assert first["buildId"] == "b-1"
    assert first["notes"] == ["a"]
    assert first["size"] == "12 GB"  # no number: kept as it is rather than lost
    assert first["submittedAt"] == "yesterday"
    assert written["models"][2] == {**OLD["models"][2], "size": 0}
    assert "not an entry" in written["models"]
    assert written["schemaVersion"] == 1


def test_an_entry_replaces_the_one_of_the_same_model_and_revision() -> None:
    old = replace(RECORD, status=ModelStatus.FAILED, error="x", extra={"pinned": True})
    file = MetadataFile(models=(old, replace(RECORD, id="b/c"))).with_model(RECORD)
    assert [model.id for model in file.models] == ["acme/llm", "b/c"]
    assert file.models[0].status is ModelStatus.READY
    assert file.models[0].extra == {"pinned": True}
    assert len(file.with_model(replace(RECORD, revision="d" * 40)).models) == 3
    assert len(file.with_model(replace(RECORD, source="ollama")).models) == 3
    assert [model.id for model in file.without(RECORD.key).models] == ["b/c"]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '"x"', '{"models": 3}', "\x00\x01", b"\xff\xfe", '{"models": [{"id']
)
def test_damage_is_told(text: str | bytes) -> None:
    with pytest.raises(MetadataFileError, match="damaged"):
        metadata.read(text)


WHOLE = """{"description": "d", "models": [
  {"id": "a/b", "source": "huggingface", "size": 5, "status": "completed"},
  {"id": "it's:1b", "source": "ollama", "size": 6, "status": "failed"}
 ], "owner": "x"}"""


@pytest.mark.parametrize(
    "text",
    [
        WHOLE.replace('"failed"}', '"failed"},'),
        WHOLE.replace('"failed"}', '"failed",}'),
        WHOLE.replace('"completed"},', '"completed"}'),
        WHOLE.replace('"completed"},', '"completed"}, // mine\n /* and\n theirs */ # too\n'),
        "\ufeff" + WHOLE,
        ("\ufeff" + WHOLE + ",").encode(),
        WHOLE.replace('"failed"}', '"failed"},').encode("utf-16"),
        WHOLE.replace("it's", "it\\'s").replace('"', "'"),
        WHOLE.replace('"id"', "id").replace('"size": 6', "size: 6,"),
        WHOLE.replace('"size": 6', '"size": 6, "pinned": True'),
        WHOLE.replace('"size": 6', '"size": +6'),
        WHOLE.replace('"id"', "“id”").replace('"ollama"', "„ollama“").replace('"d"', "”d”"),
        f"```json\n{WHOLE}\n```\n",
        WHOLE.replace('"completed"},', '"completed"},\n<<<<<<< HEAD\n=======').replace(
            '"failed"}', '"failed"}\n>>>>>>> 1f2e3d4 (one more)\n'
        ),
    ],
)
def test_a_file_edited_by_hand_is_read_as_it_is_meant(text: str | bytes) -> None:
    file = metadata.read(text)
    assert [(model.id, model.size) for model in file.models] == [("a/b", 5), ("it's:1b", 6)]
    assert (file.description, dict(file.extra)) == ("d", {"owner": "x"})
    assert file.is_mended
    assert metadata.read(file.to_json()) == file


@pytest.mark.parametrize("end", range(20, len(WHOLE)))
def test_what_is_cut_off_is_salvaged_up_to_there(end: int) -> None:
    text = WHOLE[:end]
    with pytest.raises(MetadataFileError):
        metadata.read(text)
    file = metadata.salvaged(text)
    wholes = text.count("}")
    assert len(file.models) + len(file.others) >= wholes
    assert [model.id for model in file.models][:wholes] == ["a/b", "it's:1b"][:wholes]


DEEP = f"{'[' * 99}{']' * 99}"
FIRST, SECOND = (json.dumps(each) for each in json.loads(WHOLE)["models"])


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(text, id=name)
        for name, text in {
            "two files one after the other": f'{{"models": [{FIRST}]}}\n{{"models": [{SECOND}]}}',
            "the rest of a longer file": f'{{"models": [{FIRST}]}}, {SECOND}]}}',
            "two lists under one key": f'{{"models": [{FIRST}], "models": [{SECOND}]}}',
            "models by their names": f'{{"models": {{"a": {FIRST}, "b": {SECOND}}}}}',
            "a line for each": f"{FIRST}\n{SECOND}\n",
            "a list alone": f"[{FIRST}, {SECOND}]",
            "of a program": f'const models = {{"models": [{FIRST}, {SECOND}]}};',
            "of an answer": f'Here it is:\n{{"models": [{FIRST}, {SECOND}]}}',
            "dots for more": f'{{"models": [{FIRST}, ..., {SECOND}]}}',
            "a bracket too many": f'{{"models": [{FIRST}}}, {SECOND}]}}',
            "a bracket too few": f'{{"models": [{FIRST[:-1]}, {SECOND}]}}',
            "no list begins": f'{{"models": {FIRST}, {SECOND}]}}',
            "a semicolon": f'{{"models": [{FIRST.replace("5,", "5;")}, {SECOND}]}}',
            "an equals sign": f'{{"models": [{FIRST}, {SECOND.replace(": 6", "= 6")}]}}',
            "half a character": f'{{"models": [{FIRST[:-1]}, "license": "\\ud800"}}, {SECOND}]}}',
            "nested too deep": f'{{"models": [{FIRST[:-1]}, "x": {DEEP}}}, {SECOND}]}}',
        }.items()
    ],
)
def test_what_stands_behind_the_damage_is_found_too(text: str) -> None:
    try:
        file = metadata.read(text)
    except MetadataFileError:
        file = metadata.salvaged(text)
    else:
        assert file.is_mended
    kept = [*(model.id for model in file.models), *(entry["id"] for entry in file.others)]
    assert sorted(kept) == ["a/b", "it's:1b"]


def test_a_text_of_brackets_is_given_up_soon() -> None:
    assert metadata.salvaged('{"id":' * 1_000_000).models == ()
    assert metadata.salvaged('{"id": "a' * 500_000).models == ()


@given(st.text(alphabet="{}[]\"':,/*# ab1\\\n", max_size=60))
def test_any_text_is_salvaged_or_nothing_is(text: str) -> None:
    assert metadata.salvaged(text).models == ()
    assert metadata.salvaged("[" * 5000 + text).models == ()


def test_a_status_that_is_not_known_is_kept_and_told() -> None:
    entry = {"id": "a/b", "source": "zml", "size": 1, "status": "quantizing"}
    file = metadata.read(json.dumps({"models": [entry]}))
    (model,) = file.models
    assert (model.status, model.told_status, model.source) == (
        ModelStatus.UNKNOWN,
        "quantizing",
        "zml",
    )
    assert status_cell(model, None)["text"] == "quantizing"
    assert json.loads(file.to_json())["models"] == [entry]


def test_an_empty_object_is_a_file_without_models() -> None:
    assert metadata.read("{}").models == ()


def test_a_repair_is_noted() -> None:
    file = MetadataFile().with_repair("backup.json", NOW)
    assert metadata.read(file.to_json()).repaired == "backup.json"
    assert MetadataFile().repaired == ""


def test_a_manifest_gives_the_entry_back() -> None:
    digest = Digest(DigestKind.SHA256, "ab" * 32)
    files = (ManifestFile("a", 5, digest, "AAAAAA=="), ManifestFile("b", 7, digest, "AAAAAA=="))
    manifest = ModelManifest(
        import_id="abc",
        source=RECORD.source,
        model_id=RECORD.id,
        revision=RECORD.revision,
        prefix=RECORD.prefix,
        files=files,
        submitted_at=NOW,
        finished_at=NOW,
        imported_by=RECORD.imported_by,
        license="mit",
    )
    assert manifests.read(manifest.to_json(), import_id="abc") == manifest
    assert manifest.record() == RECORD


@pytest.mark.parametrize("text", ["{}", "[]", "x", '{"version": 99}'])
def test_what_is_no_manifest(text: str) -> None:
    with pytest.raises(DocumentError, match="can't be read"):
        manifests.read(text, import_id="abc")
