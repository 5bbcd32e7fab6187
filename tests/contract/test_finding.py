"""A search for models, against the sample hub."""

from __future__ import annotations

import json
import socket
import struct
from typing import TYPE_CHECKING, Any

import pytest

from llm_widgets import config, hubs
from llm_widgets.cli.main import main
from llm_widgets.config import Settings
from llm_widgets.domain.found_models import FoundModel, Search
from llm_widgets.errors import InvalidInputError, UnavailableError
from llm_widgets.manager import estimating, model_search
from llm_widgets.manager.model_search import PartlyFoundWarning
from llm_widgets.page.models.find_card import FindCard
from llm_widgets.page.models.finding import FindingState
from llm_widgets.page.session import Session
from llm_widgets.widgets.table import DataTable
from local_cloud.faults import Faults
from local_cloud.hub import Hub
from local_cloud.hub.blobs import Blob
from local_cloud.hub.repositories import Repository
from local_cloud.hub.samples import SMOLLM2_GGUF, TINY_LLAMA, TINY_LLAMA_GATED, TINY_LLAMA_PRIVATE
from local_cloud.store import Store
from local_cloud.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DATE = "2026-11-01T00:00:00.000Z"
PACKED = "acme/packed-AWQ"
BASE = "HuggingFaceTB/SmolLM2-135M-Instruct"  # of SMOLLM2_GGUF; in no GPU, as it is here
LARGE = 200_000_000_000  # bytes
MANY = 105  # more than one page of the list


def weights(dtype: str) -> bytes:
    entry = {"w": {"dtype": dtype, "shape": [2], "data_offsets": [0, 8]}}
    head = json.dumps(entry).encode()
    return struct.pack("<Q", len(head)) + head + bytes(8)


def large(hub: Hub) -> dict[str, bytes | Blob]:
    """Return the files of a model whose weights take no place: a header, and a hole."""
    entry = {"dtype": "BF16", "shape": [(LARGE - 128) // 2], "data_offsets": [0, LARGE - 128]}
    header = json.dumps({"w": entry}).encode().ljust(120)
    with hub.blobs.path("a" * 64).open("wb") as file:
        file.write(struct.pack("<Q", 120) + header)
        file.truncate(LARGE)
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 49152}
    config |= dict.fromkeys(("num_hidden_layers", "num_attention_heads"), 32)
    config |= {"hidden_size": 4096, "intermediate_size": 8192, "max_position_embeddings": 8192}
    return {
        "config.json": json.dumps(config).encode(),
        "model.safetensors": Blob(LARGE, "a" * 64, "a" * 40),
    }


@pytest.fixture(scope="module")
def faults(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Faults]:
    store = Store(tmp_path_factory.mktemp("faults") / "state.db")
    yield Faults(store)
    store.close()


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory, faults: Faults) -> Iterator[Hub]:
    hub = Hub(tmp_path_factory.mktemp("cloud"), faults, offline=True)
    hub.start()
    packed = Repository(PACKED, card={"base_model": TINY_LLAMA, "base_model_relation": "quantized"})
    config = {"model_type": "llama", "quantization_config": {"quant_method": "awq"}}
    files = {"config.json": json.dumps(config).encode(), "model.safetensors": weights("I32")}
    hub.repositories.add_commit(packed, files, title="Add", date=DATE)
    hub.repositories.add_commit(Repository(BASE), large(hub), title="Add", date=DATE)
    for number in range(MANY):
        made = Repository(f"acme/many-{number:03}")
        hub.repositories.add_commit(
            made, {"model.safetensors": weights("F32")}, title="", date=DATE
        )
    yield hub
    hub.stop()


@pytest.fixture
def settings(hub: Hub) -> Settings:
    return Settings(variables={"HF_ENDPOINT": hub.url, "LLM_WIDGETS_OLLAMA_REGISTRY": hub.url})


@pytest.fixture
def nobody() -> str:
    """Return an address where nobody answers."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, str], None]]:
    """Return what sets the addresses of the hub and of Ollama's registry for the command line."""

    def change(hub: str, registry: str) -> None:
        monkeypatch.setenv("HF_ENDPOINT", hub)
        monkeypatch.setenv("LLM_WIDGETS_OLLAMA_REGISTRY", registry)
        config.settings.cache_clear()

    yield change
    config.settings.cache_clear()


def ids(answer: model_search.Answer) -> list[str]:
    return [each.id for each in answer.models]


def test_models_of_both_hubs_with_what_they_fit_into(settings: Settings) -> None:
    found = {each.model.id: each for each in model_search.find("llama", chosen=settings)}
    assert set(found) == {TINY_LLAMA, TINY_LLAMA_GATED}
    estimated = estimating.estimate("huggingface", TINY_LLAMA, chosen=settings)
    expected = {
        fit.deployment.accelerator: fit.memory.longest_context
        for fit in estimated
        if fit.memory and fit.fits
    }
    assert found[TINY_LLAMA].into == expected
    assert (found[TINY_LLAMA].model.license, found[TINY_LLAMA].model.gated) == ("apache-2.0", False)
    gated = found[TINY_LLAMA_GATED]
    assert (gated.into, gated.model.gated) == (None, True)
    assert "is gated" in gated.reason


def test_a_token_finds_private_models_too(settings: Settings) -> None:
    def find(token: str) -> set[str]:
        found = model_search.find("tiny", source="huggingface", token=token, chosen=settings)
        return {each.model.id for each in found if each.into}

    assert TINY_LLAMA_PRIVATE in find("hf_local_reader")
    with pytest.raises(InvalidInputError, match="does not accept this token"):
        find("hf_nobody")


def test_gguf_files_and_packed_weights_are_inspected_only_when_asked(settings: Settings) -> None:
    answer = model_search.search(Search("smollm2"), settings)
    found = {each.id: each for each in answer.models}
    short = f"hf.co/{SMOLLM2_GGUF}"
    assert set(found) == {"smollm2:135m", "smollm2:latest", short, BASE}
    assert found[short].parameters == pytest.approx(135e6, rel=0.05)
    assert found["smollm2:135m"].size
    unknown = model_search.fit(found[short], settings)
    assert (unknown.into, unknown.can_look) == (None, True)
    known = model_search.fit(found[short], settings, inspect=True)
    assert known.into
    assert not known.can_look
    assert known.model.size
    (packed,) = model_search.search(Search("packed"), settings).models
    assert (packed.size, packed.parameters, packed.quantization) == (None, None, "awq")
    assert model_search.fit(packed, settings).can_look


def test_the_name_that_was_typed_is_asked_for(settings: Settings) -> None:
    assert ids(model_search.search(Search("SmolLM2:135m"), settings))[0] == "smollm2:135m"
    assert ids(model_search.search(Search("no-such-model"), settings)) == []
    assert ids(model_search.search(Search("two words"), settings)) == []


def test_pages_follow_one_another(settings: Settings) -> None:
    first = model_search.search(Search("many", limit=20), settings)
    assert (len(first.models), first.is_more) == (20, True)
    everything = model_search.search(Search("many", limit=MANY), settings)
    assert (len(everything.models), everything.is_more) == (MANY, False)
    assert ids(everything)[:20] == ids(first)


def test_a_search_may_be_narrowed(settings: Settings) -> None:
    def found(**wanted: Any) -> list[str]:
        return ids(model_search.search(Search(**wanted), settings, source="huggingface"))

    assert found(quantized_from=TINY_LLAMA) == [PACKED]
    assert found(text="llama", task="text-generation") == [TINY_LLAMA, TINY_LLAMA_GATED]
    assert found(text="llama", task="no-such-task") == []
    for sort in ("likes", "trending", "changed", "created"):
        assert TINY_LLAMA in found(text="tiny", sort=sort)


def test_a_sibling_that_can_not_be_loaded_is_no_way_out(settings: Settings) -> None:
    assert list(model_search.siblings_that_fit("huggingface", TINY_LLAMA, chosen=settings)) == []
    (found,) = model_search.siblings_that_fit("huggingface", BASE, chosen=settings)
    assert found.model.id == f"hf.co/{SMOLLM2_GGUF}"
    assert found.into


def test_the_page_offers_versions_that_fit(settings: Settings) -> None:
    session = Session(settings)
    state = FindingState(session)
    card = FindCard(state, use=lambda *_: None)

    def offers() -> dict[str, bool]:
        (table,) = [each for each in card.box.children[1].children if isinstance(each, DataTable)]
        return {row["name"]: "siblings" not in row["hidden"] for row in table.rows}

    state.search("SmolLM2-135M-Instruct")
    until(lambda: state.found and not state.looking)
    assert offers() == {BASE: True, f"hf.co/{SMOLLM2_GGUF}": False}
    state.find_siblings(f"huggingface {BASE}")
    until(lambda: state.base and not state.searching)
    assert offers() == {f"hf.co/{SMOLLM2_GGUF}": False}
    assert state.found[0].into
    state.typed("SmolLM2-135M-Instruct")
    until(lambda: not state.searching and not state.looking)
    assert len(state.found) == 2
    session.close()


def test_too_many_requests_are_told_with_the_wait(faults: Faults, settings: Settings) -> None:
    failure = {"match": "GET /api/models", "status": 429, "message": "", "retry_after": 174}
    faults.update(failures=[failure])
    try:
        with pytest.raises(UnavailableError, match="accepts no more requests") as refused:
            model_search.search(Search("llama"), settings, source="huggingface")
        assert refused.value.fix
        assert refused.value.fix.text == "Try again in 2 min 54 s."
        answer = model_search.search(Search("smollm2"), settings)
    finally:
        faults.reset()
    # The registry of Ollama has its models all the same; both lists of the Hub are one failure.
    assert set(ids(answer)) == {"smollm2:135m", "smollm2:latest"}
    assert [type(each) for each in answer.failed] == [UnavailableError]


def test_a_registry_that_is_away_is_told_as_away(hub: Hub, nobody: str) -> None:
    settings = Settings(variables={"HF_ENDPOINT": hub.url, "LLM_WIDGETS_OLLAMA_REGISTRY": nobody})
    answer = model_search.search(Search("smollm2"), settings)
    assert ids(answer) == [BASE, f"hf.co/{SMOLLM2_GGUF}"]
    (failed,) = answer.failed
    assert "can't be reached" in failed.message
    with pytest.warns(PartlyFoundWarning, match="can't be reached"):
        model_search.find("smollm2", chosen=settings)


def test_hubs_that_are_all_away(nobody: str) -> None:
    settings = Settings(variables={"HF_ENDPOINT": nobody, "LLM_WIDGETS_OLLAMA_REGISTRY": nobody})
    with pytest.raises(UnavailableError, match="can't be reached"):
        model_search.search(Search("llama"), settings)


def test_a_configuration_that_is_missing(settings: Settings) -> None:
    (found,) = model_search.search(Search("many-000"), settings).models
    assert model_search.fit(found, settings).reason == "acme/many-000 has no config.json."
    assert hubs.look(FoundModel(found.source, found.id), settings) is None  # without its size


def test_the_command_line(
    hub: Hub, environment: Callable[[str, str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    environment(hub.url, hub.url)
    assert main(["models", "find", "tiny-llama", "--hub", "huggingface", "--format", "json"]) == 0
    told = {each["id"]: each for each in json.loads(capsys.readouterr().out)}
    assert set(told) == {TINY_LLAMA, TINY_LLAMA_GATED}
    assert told[TINY_LLAMA]["longest_context"] == {"nvidia-l4": 512, "nvidia-rtx-pro-6000": 512}
    assert told[TINY_LLAMA_GATED]["longest_context"] is None
    assert main(["models", "find", "tiny-llama", "--no-fits"]) == 0
    assert "FITS" not in capsys.readouterr().out.upper()
    assert main(["models", "siblings", "huggingface", BASE, "--format", "json"]) == 0
    (sibling,) = json.loads(capsys.readouterr().out)
    assert sibling["id"] == f"hf.co/{SMOLLM2_GGUF}"
    assert main(["models", "find", "x", "--hub", "cellar"]) == 1
    assert "is not a source" in capsys.readouterr().err


def test_the_command_line_tells_which_hub_is_away(
    hub: Hub,
    nobody: str,
    environment: Callable[[str, str], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    environment(hub.url, nobody)
    assert main(["models", "find", "smollm2", "--format", "json"]) == 0
    told = capsys.readouterr()
    assert [each["id"] for each in json.loads(told.out)] == [BASE, f"hf.co/{SMOLLM2_GGUF}"]
    assert "can't be reached" in told.err
