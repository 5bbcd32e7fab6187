"""A hub that is added by its folder and a line of the registry goes through all of the product."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as w
import pytest

from llm_widgets.config import Settings
from llm_widgets.domain.metadata import METADATA_NAME
from llm_widgets.errors import InvalidInputError, NotFoundError, TransferError
from llm_widgets.gcp.project.projects import Project
from llm_widgets.gcp.storage import buckets
from llm_widgets.gcp.storage.objects import SmallObjects
from llm_widgets.hubs import registry
from llm_widgets.imports.launch import worker_environment
from llm_widgets.imports.plan import plan_import
from llm_widgets.manager import Manager
from llm_widgets.page.models.import_fields import field_of, import_fields, request_of
from llm_widgets.page.models.models import ModelsState
from llm_widgets.page.models.tab import ModelsView
from llm_widgets.page.session import Session
from llm_widgets.widgets.details import DetailList
from llm_widgets.widgets.form import Form
from llm_widgets.widgets.table import DataTable
from local_cloud.testing.waiting import until
from tests.contract.product import PROJECT, REGION, Product, running
from tests.third_hub import hub
from tests.third_hub.hub import LARGEST_FILE, Shelf
from tests.third_hub.server import FILES, ShelfServer

if TYPE_CHECKING:
    from collections.abc import Iterator


BUCKET = "shelf-models"
SIZE = len(FILES["model.safetensors"])


@pytest.fixture(scope="module")
def shelf() -> Iterator[ShelfServer]:
    server = ShelfServer()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory, shelf: ShelfServer) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        environment.setenv("LLM_WIDGETS_SHELF", shelf.url)
        environment.setattr(registry, "HUBS", (*registry.HUBS, Shelf()))
        # The worker of a job is the product in a version that knows the hub, too.
        images = {"llm-manager": (sys.executable, str(Path(hub.__file__).with_name("__main__.py")))}
        for started in running(tmp_path_factory.mktemp("shelf"), environment, images):
            buckets.create_bucket(started.clients, PROJECT, BUCKET, REGION)
            yield started


class Page:
    """The Models tab with its widgets, worked by the messages that a browser sends."""

    def __init__(self, product: Product) -> None:
        self.session = Session(product.settings)
        self.state = ModelsState(self.session)
        self.view = ModelsView(self.session, self.state, deploy=lambda *_: None, moved=lambda: None)
        self.session.project = Project(PROJECT, "1", PROJECT)
        until(lambda: self.state.loaded and not self.state.loading)

    def all(self, kind: type[w.Widget], box: Any = None) -> list[Any]:
        found: list[Any] = []
        for child in getattr(box or self.view.box, "children", ()):
            found += [child] if isinstance(child, kind) else self.all(kind, child)
        return found

    def rows(self) -> list[dict[str, Any]]:
        tables = [t for t in self.all(DataTable) if t.caption.startswith("Models in")]
        return [row for table in tables for row in table.rows]

    def press(self, label: str) -> None:
        next(b for b in self.all(w.Button) if b.description == label).click()

    def detail(self, label: str) -> dict[str, Any] | None:
        items = [item for each in self.all(DetailList) for item in each.items]
        return next((item for item in items if item["label"] == label), None)


@pytest.fixture
def models(product: Product) -> Iterator[Page]:
    opened = Page(product)
    yield opened
    opened.session.close()


def send(widget: Any, **content: Any) -> None:
    widget._handle_custom_msg(content, [])


def test_from_the_form_to_a_newer_revision(
    models: Page, product: Product, shelf: ShelfServer
) -> None:
    models.press("Import model")
    (form,) = [each for each in models.all(Form) if each.label == "Import model"]
    fields = {field["key"]: field for field in form.fields}
    card = next(each for each in fields["source"]["options"] if each["value"] == "shelf")
    assert card["label"] == "The Shelf (by hand)"
    assert fields["shelf_name"]["placeholder"] == "atlas"
    assert fields["shelf_name"]["show_when"] == ("source", "shelf")
    assert fields["shelf_number"]["label"] == "Number"

    def suggested() -> list[dict[str, Any]]:
        field = next(each for each in form.fields if each["key"] == "shelf_name")
        return list(field["suggestions"])

    assert {each["value"] for each in until(suggested)} == {"atlas", "globe"}

    values = {"source": "shelf", "shelf_name": "https://shelf.example/atlas", "bucket": BUCKET}
    send(form, type="input", values=values)
    assert until(lambda: form.hints.get("shelf_name")) == "atlas: 4 kB in 1 file."
    send(form, type="submit", values={**values, "shelf_number": "1"})
    found = until(lambda: models.detail("Pinned revision"))
    assert found["value"] == "number-1"
    models.press("Show the 2 files")
    (files,) = [table for table in models.all(DataTable) if table.caption == "Files of the model"]
    assert {row["id"]: row["hidden"] for row in files.rows} == {
        "model.safetensors": ["take"],
        "readme.txt": ["leave"],
    }

    models.press("Import")
    row = until(
        lambda: next((r for r in models.rows() if r["status"]["text"] == "Ready"), None), 90
    )
    assert (row["name"], row["source"], row["size"]) == ("atlas", "The Shelf", SIZE)
    assert "No engine" in row["disabled"]["deploy"]
    objects = SmallObjects(product.clients.storage(), BUCKET)
    stored = objects.read("shelf/atlas/number-1/model.safetensors")
    assert stored
    assert stored[0] == FILES["model.safetensors"]
    document = objects.read(METADATA_NAME)
    assert document
    written = json.loads(document[0])
    (entry,) = written["models"]
    assert (entry["source"], entry["id"], entry["revision"]) == ("shelf", "atlas", "number-1")
    assert entry["prefix"] == "shelf/atlas/number-1"

    shelf.numbers["atlas"] = 2
    models.state.updates._asked.clear()  # it was asked for within the last ten minutes
    models.state.refresh()
    row = until(lambda: next((r for r in models.rows() if "newer" not in r["hidden"]), None))
    assert row["status"]["note"] == "Update available"

    (table,) = [t for t in models.all(DataTable) if t.caption.startswith("Models in")]
    send(table, type="action", action="details", row=row["id"])
    source = until(lambda: models.detail("Source"))
    assert (source["value"], source["href"]) == ("The Shelf", f"{shelf.url}/pages/atlas")

    models.view.show_list()
    send(table, type="action", action="newer", row=row["id"])
    (form,) = [each for each in models.all(Form) if each.label == "Import model"]
    filled = {field["key"]: field["value"] for field in form.fields}
    assert (filled["source"], filled["shelf_name"]) == ("shelf", "atlas")


def test_python_and_the_worker(product: Product, shelf: ShelfServer) -> None:
    found = Manager(PROJECT, product.settings).inspect("shelf", "globe")
    assert (found.source, found.revision) == ("shelf", "number-7")
    assert worker_environment(product.settings)["LLM_WIDGETS_SHELF"] == shelf.url
    assert "LLM_WIDGETS_SHELF" not in worker_environment(Settings())
    planned = plan_import(found, bucket=BUCKET, project=PROJECT)
    assert planned.prefix == "shelf/globe/number-7"
    with pytest.raises(InvalidInputError, match="use 'huggingface' or 'ollama' or 'shelf'"):
        Manager(PROJECT, product.settings).inspect("cellar", "globe")


def test_what_it_refuses(product: Product) -> None:
    manager = Manager(PROJECT, product.settings)
    with pytest.raises(NotFoundError, match="stands on the shelf"):
        manager.inspect("shelf", "nothing")
    with pytest.raises(InvalidInputError, match="is a model of The Shelf"):
        manager.inspect("ollama", "https://shelf.example/atlas")
    found = manager.inspect("shelf", "globe")
    large = {"model.safetensors": LARGEST_FILE + 1}
    files = tuple(replace(file, size=large.get(file.path, file.size)) for file in found.files)
    with pytest.raises(TransferError, match="through the door"):
        plan_import(replace(found, files=files), bucket=BUCKET, project=PROJECT)


def test_where_a_failure_is_shown(product: Product) -> None:
    fields = import_fields(project=PROJECT, region=REGION, buckets=[], others=[], suggested={})
    assert {"shelf_name", "shelf_number"} <= {field.key for field in fields}
    request = request_of({"source": "shelf", "shelf_name": "a b", "bucket": BUCKET})
    with pytest.raises(InvalidInputError) as caught:
        Manager(PROJECT, product.settings).inspect(request.source, request.model_id)
    assert field_of(request, caught.value) == "shelf_name"
