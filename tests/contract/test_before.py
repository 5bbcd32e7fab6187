"""What was made before the modules were moved works unchanged.

``tests/data/before`` was written by the product at commit 94960b9 on its local cloud: the small
objects of two buckets, one of them with an import that was cut off, a service of each engine as
the API returns it, its exports, and the notebooks. Addresses of that local cloud are replaced by
names under ``example.invalid``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from llm_widgets import Manager
from llm_widgets.imports import start
from llm_widgets.serving.codec import deployment_of, edited
from llm_widgets.serving.export import Language, written
from local_cloud.testing.waiting import until
from tests.contract.product import PROJECT, Product, running

if TYPE_CHECKING:
    from collections.abc import Iterator

BEFORE = Path(__file__).parents[1] / "data" / "before"
MODELS, INTERRUPTED = "before-models", "before-interrupted"
HUB = "http://hub.example.invalid"
TINY_LLAMA, SMOLLM2 = "local/tiny-llama", "smollm2:135m"
MODEL_OF = {"vllm": TINY_LLAMA, "ollama": SMOLLM2}


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        yield from running(tmp_path_factory.mktemp("before"), environment)


@pytest.fixture(scope="module")
def manager(product: Product) -> Manager:
    """A manager whose project has the buckets from before."""
    made = Manager(PROJECT, product.settings)
    storage = product.clients.storage(PROJECT)
    for bucket in (MODELS, INTERRUPTED):
        made.create_bucket(bucket, "europe-west1")
        folder = BEFORE / "buckets" / bucket
        for path in folder.rglob("*"):
            if path.is_file():
                text = path.read_text("utf-8").replace(
                    HUB, product.settings.variables["HF_ENDPOINT"]
                )
                blob = storage.bucket(bucket).blob(str(path.relative_to(folder)))
                blob.upload_from_string(text)
    return made


def document(engine: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((BEFORE / "services" / f"{engine}.json").read_text("utf-8"))
    return read


def test_models_are_listed(manager: Manager) -> None:
    assert {each.name for each in manager.buckets()} >= {MODELS, INTERRUPTED}
    assert {(each.id, each.source, each.status) for each in manager.models(MODELS)} == {
        (TINY_LLAMA, "huggingface", "completed"),
        (SMOLLM2, "ollama", "completed"),
    }


def test_an_import_that_was_cut_off_goes_on(manager: Manager, product: Product) -> None:
    (record,) = manager.models(INTERRUPTED)
    assert record.status == "downloading"
    start.resume_import(product.clients, product.settings, INTERRUPTED, record.import_id)
    until(lambda: manager.models(INTERRUPTED)[0].status == "completed")
    objects = product.clients.storage(PROJECT).list_blobs(INTERRUPTED, prefix=f"{record.prefix}/")
    assert sum(each.size for each in objects) == record.size


@pytest.mark.parametrize("engine", MODEL_OF)
def test_the_model_is_still_offered_a_deployment(manager: Manager, engine: str) -> None:
    """What the recipe gave then is a part of what it gives now, but for where it is mounted."""
    before = document(engine)["template"]["containers"][0]
    offered = manager.deployment(MODELS, MODEL_OF[engine])
    assert offered.image.startswith(before["image"])
    changed = {"vllm": "--max-num-seqs", "ollama": "EXTRA"}[engine]
    place = before["volumeMounts"][0]["mountPath"]
    kept = {word for word in before.get("args", []) if not word.startswith((changed, place))}
    assert kept <= {*offered.args}
    variables = {each["name"]: each["value"] for each in before["env"]}
    kept_variables = {(k, v) for k, v in variables.items() if k != changed and v != place}
    assert kept_variables <= {*offered.environment.items()}


@pytest.mark.parametrize("engine", MODEL_OF)
def test_a_service_is_read_and_exported_as_it_was(engine: str) -> None:
    service = document(engine)
    read = deployment_of(service)
    assert (read.framework, read.model_id) == (
        engine,
        {"vllm": TINY_LLAMA, "ollama": SMOLLM2}[engine],
    )
    assert edited(service, read, read) == (service, [])
    for language in Language:
        text = (BEFORE / "exports" / f"{engine}.{language.name.lower()}").read_text("utf-8")
        assert written(read, language) == text


@pytest.mark.parametrize("name", ["app.ipynb", "tour.ipynb"])
def test_a_saved_notebook_runs(product: Product, name: str) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "--nbval-lax", "-q", "-p", "no:cacheprovider"),
            *("--override-ini=addopts=", "--override-ini=timeout=0"),
            str(BEFORE / "notebooks" / name),
        ],
        env={**os.environ, **product.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["run", "--help"],
        ["serve", "--help"],
        ["local", "--help"],
        ["import-worker", "--help"],
        ["doctor", "--project", PROJECT, "--json"],
    ],
    ids=" ".join,
)
def test_commands_are_known(product: Product, words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "llm_widgets", *words],
        env={**os.environ, **product.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in ({0, 1} if words[0] == "doctor" else {0}), done.stderr
    assert done.stdout
