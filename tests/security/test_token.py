"""The token of an import is in Secret Manager while it runs, in no other place, in no spelling."""

from __future__ import annotations

import base64
import json
import logging
import os
import urllib.parse
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ipywidgets as w
import psutil
import pytest
from google.api_core.exceptions import NotFound
from ipywidgets.widgets.widget import _instances

from llm_widgets.gcp.storage.buckets import create_bucket
from llm_widgets.widgets.form import Form
from local_cloud.testing.waiting import until
from tests.contract.product import PROJECT, REGION, Product, running
from tests.security.test_widget_messages import custom, open_page

if TYPE_CHECKING:
    from collections.abc import Iterator

TOKEN = "hf_local_reader"
GATED = "local/tiny-llama-gated"
SECRETS = {"cloud/state.db", "cloud/state.db-wal"}
"""Where the local cloud's Secret Manager keeps what it is given."""


def spellings(secret: str) -> dict[str, bytes]:
    """Return what is looked for: the secret as encodings write it, in the midst of other bytes."""
    plain = secret.encode()
    found = {
        "plain": plain,
        "reversed": plain[::-1],
        "JSON": "".join(f"\\u{ord(each):04x}" for each in secret).encode(),
        "URL": "".join(f"%{each:02x}" for each in plain).encode(),
        "hex": plain.hex().encode(),
        "bytes in decimal": ", ".join(map(str, plain)).encode(),
    }
    for name in ("utf-16-le", "utf-16-be", "utf-32-le"):
        found |= {name: secret.encode(name), f"{name} reversed": secret.encode(name)[::-1]}
    for offset in range(3):
        # Only what depends on no neighbour: whole groups of six bits.
        whole = base64.b64encode(bytes(offset) + plain)
        inner = whole[-(-8 * offset // 6) : 8 * (offset + len(plain)) // 6]
        found[f"base64 at {offset}"] = inner
        found[f"base64 for URLs at {offset}"] = inner.translate(bytes.maketrans(b"+/", b"-_"))
    return found


def found_in(text: bytes) -> list[str]:
    """Return the spellings of the token in some bytes; letters of hexadecimal in any case."""
    lower = text.lower()
    return [
        name
        for name, each in spellings(TOKEN).items()
        if each in text or (name in {"hex", "URL", "JSON"} and each in lower)
    ]


def test_what_is_looked_for_would_be_found() -> None:
    for before in (b"", b"x", b"xy", b"xyz"):
        said = before + TOKEN.encode() + b"tail"
        assert found_in(base64.b64encode(said))
        assert found_in(base64.urlsafe_b64encode(said))
        assert found_in(said.hex().upper().encode())
        assert found_in(urllib.parse.quote(said).encode())
        assert found_in(json.dumps(said.decode()).encode())
        assert found_in(said.decode().encode("utf-16"))
        assert found_in(said[::-1])
    assert not found_in(b"hf_local_writer")


class Places:
    """All that an import leaves behind, or has while it runs."""

    def __init__(self, product: Product, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
        self._product = product
        self._folder = folder
        self._caplog = caplog
        self.said: list[str] = []

    def with_the_token(self) -> dict[str, list[str]]:
        """Return the spellings that were found, by place."""
        places = {
            **self._files(),
            **self._processes(),
            **self._objects(),
            "logs": self._caplog.text.encode(),
            "messages to the browser": "\n".join(self.said).encode(),
            "state of the widgets": repr(
                [each.get_state() for each in list(_instances.values())]
            ).encode(),
        }
        found = {name: found_in(text) for name, text in places.items()}
        return {name: each for name, each in found.items() if each}

    def _files(self) -> dict[str, bytes]:
        found = {}
        # Unlike rglob, this goes on where a folder is gone meanwhile.
        for folder, _, names in os.walk(self._folder):
            if Path(folder).is_relative_to(self._folder / "cloud/hub"):
                continue  # the models of the sample hub, hundreds of MB that no import writes
            for path in (Path(folder, name) for name in names):
                with suppress(OSError):  # it is gone meanwhile
                    if path.is_file():
                        found[str(path.relative_to(self._folder))] = path.read_bytes()
        return found

    def _processes(self) -> dict[str, bytes]:
        found: dict[str, bytes] = {}
        for process in [psutil.Process(), *psutil.Process().children(recursive=True)]:
            try:
                told = {"command": process.cmdline(), "environment": process.environ()}
            except psutil.Error:
                continue
            found |= {
                f"{each} of {process.pid}": repr(text).encode() for each, text in told.items()
            }
        return found

    def _objects(self) -> dict[str, bytes]:
        storage = self._product.clients.storage(PROJECT)
        found = {}
        for bucket in storage.list_buckets():
            for stored in bucket.list_blobs():
                with suppress(NotFound):  # it is gone meanwhile
                    found[f"gs://{bucket.name}/{stored.name}"] = stored.download_as_bytes()
        return found


@pytest.fixture
def product(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Product]:
    for made in running(tmp_path, monkeypatch):
        yield made
        made.faults.reset()  # nothing that is held keeps it from its end


def import_form(widgets: list[w.Widget]) -> Form:
    return next(each for each in widgets if isinstance(each, Form) and each.label == "Import model")


def pressed(widgets: list[w.Widget], label: str) -> None:
    """Press the button that may be pressed."""
    (found,) = [
        each
        for each in widgets
        if isinstance(each, w.Button) and each.description == label and not each.disabled
    ]
    custom(found, {"event": "click"})


@pytest.mark.parametrize("worker", ["job", "process"])
def test_the_token_of_an_import_is_nowhere_else(
    product: Product,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    worker: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    places = Places(product, tmp_path, caplog)
    send = w.Widget._send

    def noted(widget: w.Widget, message: Any, buffers: Any = None) -> None:
        places.said.append(repr(message))
        send(widget, message, buffers)

    monkeypatch.setattr(w.Widget, "_send", noted)
    create_bucket(product.clients, PROJECT, "models", REGION)
    settings = replace(product.settings, project=PROJECT)
    made = open_page(settings if worker == "job" else replace(settings, image=""))
    submitted_with_the_token(made)
    product.faults.update(holds=["GET /local/tiny-llama-gated/resolve/"])
    pressed(made, "Import")
    until(lambda: product.faults.held)  # the worker has the token, and uses it
    found = places.with_the_token()
    assert set(found) <= SECRETS, found
    assert found, "Secret Manager keeps it: it would have been found"

    product.faults.reset()
    storage = product.clients.storage()
    until(lambda: any(each.name.endswith("/config.json") for each in storage.list_blobs("models")))
    until(lambda: not places.with_the_token())


def submitted_with_the_token(widgets: list[w.Widget]) -> None:
    """Fill the form in as a browser does, and wait for the pre-flight."""
    custom(
        next(e for e in widgets if isinstance(e, w.Button) and e.description == "Import model"),
        {"event": "click"},
    )
    form = import_form(widgets)

    def offers_the_bucket() -> bool:
        field = next((each for each in form.fields if each["key"] == "bucket"), None)
        return field is not None and any(option["value"] == "models" for option in field["options"])

    until(offers_the_bucket)
    custom(
        form,
        {
            "type": "submit",
            "values": {
                "source": "huggingface",
                "hugging_face_id": GATED,
                "token": TOKEN,
                "bucket": "models",
            },
        },
    )
    until(lambda: not form.busy)
    assert not form.error
    assert not form.errors
