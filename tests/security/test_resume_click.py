"""One click on Resume, in a list of models that a stranger wrote, starts nothing of his."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import ipywidgets as w
import pytest

from llm_widgets.domain.metadata import METADATA_NAME
from llm_widgets.imports import start
from llm_widgets.page.models.tab import ModelsView
from llm_widgets.widgets import DataTable
from local_cloud.testing.waiting import until
from tests.contract.models_tab import ModelsTab
from tests.security import test_documents as documents
from tests.security.test_documents import Elsewhere, everything, planted, put
from tests.security.test_widget_messages import custom

if TYPE_CHECKING:
    from tests.contract.product import Product

product, elsewhere, calls = documents.product, documents.elsewhere, documents.calls  # fixtures

BUCKET = "planted"


def row_of(box: w.Box, model_id: str) -> tuple[DataTable, dict[str, Any]] | None:
    """Return the table below a box with the row of a model, once it is shown."""
    for each in box.children:
        if isinstance(each, w.Box) and (found := row_of(each, model_id)):
            return found
        if isinstance(each, DataTable):
            for row in each.rows:
                if model_id in str(row):
                    return each, row
    return None


@pytest.mark.parametrize("import_id", ["zz", "", "../others"], ids=["foreign", "own", "path"])
def test_a_click_on_resume_starts_nothing_of_a_stranger(
    product: Product, elsewhere: Elsewhere, calls: list[tuple[str, str]], import_id: str
) -> None:
    """As `demo_resume_click_leaks_secret` did it: a plan and an entry that a stranger wrote."""
    own, document = planted(BUCKET, elsewhere.url, **({"id": import_id} if import_id else {}))
    entry = {
        "id": documents.MODEL,
        "source": "huggingface",
        "status": "failed",
        "error": "The worker was stopped.",
        "size": 1,
        "revision": documents.SHA,
        "prefix": documents.PREFIX,
        "fileCount": 1,
        "importId": import_id or own,
        "submittedAt": documents.NOW,
    }
    put(product, BUCKET, f"llm-manager/imports/{import_id or own}/plan.json", json.dumps(document))
    put(product, BUCKET, METADATA_NAME, json.dumps({"schemaVersion": 1, "models": [entry]}))
    before = everything(product, "others")
    calls.clear()
    tab = ModelsTab(product)
    try:
        view = ModelsView(tab.session, tab.models, deploy=lambda *_: None, moved=lambda: None)
        table, row = until(lambda: row_of(view.box, documents.MODEL))
        is_offered = "resume" not in {*row.get("hidden", ()), *row.get("disabled", ())}
        assert is_offered is (import_id != "../others")
        custom(table, {"type": "action", "action": "resume", "row": row["id"]})

        def is_over() -> bool:
            found = None if import_id else start.read_progress(product.clients, BUCKET, own)
            has_ended = found is not None and found.state.is_final
            return not is_offered or has_ended or bool(tab.notices)

        until(is_over)
    finally:
        tab.session.close()
    assert elsewhere.asked == []
    assert everything(product, "others") == before
    documents.untouched(calls)
