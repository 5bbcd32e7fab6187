"""What the command line makes of the local cloud, which may not be installed."""

from __future__ import annotations

import sys

import pytest

from llm_widgets.cli.local_cloud import product_environment
from llm_widgets.cli.main import main
from llm_widgets.config import Settings
from llm_widgets.hubs.huggingface.hub import HuggingFace
from llm_widgets.hubs.ollama.hub import Ollama


def test_its_variables_become_our_settings() -> None:
    printed = {
        "LOCAL_CLOUD_ENDPOINT": "http://127.0.0.1:1",
        "LOCAL_CLOUD_OLLAMA_REGISTRY": "http://127.0.0.1:2",
        "HF_ENDPOINT": "http://127.0.0.1:3",
        "GOOGLE_APPLICATION_CREDENTIALS": "/a/key.json",
        "GOOGLE_CLOUD_PROJECT": "a-project",
        "CLOUDSDK_CORE_PROJECT": "a-project",
    }
    made = product_environment(printed)
    found = Settings.from_environment(made)
    assert found.google_endpoint == "http://127.0.0.1:1"
    assert found.endpoint(Ollama.endpoint) == "http://127.0.0.1:2"
    assert found.endpoint(HuggingFace.endpoint) == "http://127.0.0.1:3"
    assert (found.default_project, found.image) == ("a-project", "llm-manager:local")
    assert made["GOOGLE_APPLICATION_CREDENTIALS"] == "/a/key.json"
    assert not {name for name in made if name.startswith("CLOUDSDK")}  # a person's own stay


@pytest.mark.parametrize("words", ["local --data x", "run --port 0 --data x"])
def test_without_it_one_sentence_says_how_to_get_it(
    words: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "local_cloud", None)
    assert main(words.split()) == 1
    told = capsys.readouterr().err
    assert told.startswith('The local cloud is not installed. It comes with the extra "local".')
    assert "pip install ./local_cloud" in told


def test_words_that_no_command_takes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--hub-port", "1"]) == 2
    assert "No such option '--hub-port'" in capsys.readouterr().err
