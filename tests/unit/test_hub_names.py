"""What people type for a model."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_widgets import hubs
from llm_widgets.config import Settings
from llm_widgets.errors import InvalidInputError
from llm_widgets.hubs.huggingface import names as hugging_face
from llm_widgets.hubs.ollama import names as ollama


@pytest.mark.parametrize(
    ("typed", "model_id", "revision"),
    [
        ("Qwen/Qwen3-0.6B", "Qwen/Qwen3-0.6B", ""),
        ("  google/gemma-3-1b-it\n", "google/gemma-3-1b-it", ""),
        ("gpt2", "gpt2", ""),
        ("org/name/", "org/name", ""),
        ("https://huggingface.co/Qwen/Qwen3-0.6B", "Qwen/Qwen3-0.6B", ""),
        ("http://www.huggingface.co/Qwen/Qwen3-0.6B/?library=vllm#x", "Qwen/Qwen3-0.6B", ""),
        ("huggingface.co/Qwen/Qwen3-0.6B", "Qwen/Qwen3-0.6B", ""),
        ("hf.co/Qwen/Qwen3-0.6B", "Qwen/Qwen3-0.6B", ""),
        ("https://huggingface.co/models/Qwen/Qwen3-0.6B", "Qwen/Qwen3-0.6B", ""),
        ("https://huggingface.co/org/name/tree/refs%2Fpr%2F1", "org/name", "refs/pr/1"),
        ("https://huggingface.co/org/name/blob/main/config.json", "org/name", "main"),
    ],
)
def test_hugging_face_ids_and_addresses(typed: str, model_id: str, revision: str) -> None:
    name = hugging_face.model(typed)
    assert (name.id, name.revision) == (model_id, revision)


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Enter a model ID"),
        ("   ", "Enter a model ID"),
        ("Qwen Qwen3", "contains a space"),
        ("Qwen/Qwen3\nx", "contains a space or a line break"),
        ("../../etc/passwd", "is not a model ID"),
        ("org/..", "two dots"),
        ("org/na--me", "two hyphens"),
        ("a/b/c", "one slash"),
        ("<script>alert(1)</script>", "is not a model ID"),
        ("<b>org/name</b>", "is not a model ID"),
        ("örg/näme", "letters a-z"),
        ("org/名前", "letters a-z"),
        ("x" * 500, "at most 96 characters"),
        ("-org/name", "hyphen or dot at an end"),
        ("org/name.git", "“.git”"),
        ("gemma3:4b", "name of Ollama"),
        ("https://example.com/org/name", "not a page of huggingface.co"),
        ("https://huggingface.co/datasets/org/name", "a dataset, not a model"),
        ("https://huggingface.co/", "is not a model ID"),
        ("http://[", "is not an address"),
    ],
)
def test_what_is_no_id_of_hugging_face(typed: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said) as caught:
        hugging_face.model(typed)
    assert caught.value.field == "model_id"
    assert len(caught.value.message) < 250


@pytest.mark.parametrize(
    ("typed", "model_id", "manifest"),
    [
        ("gemma3", "gemma3:latest", "registry.ollama.ai/library/gemma3/latest"),
        ("gemma3:4b", "gemma3:4b", "registry.ollama.ai/library/gemma3/4b"),
        ("library/gemma3:4b", "gemma3:4b", "registry.ollama.ai/library/gemma3/4b"),
        ("user/model:tag", "user/model:tag", "registry.ollama.ai/user/model/tag"),
        (
            "registry.ollama.ai/user/model",
            "user/model:latest",
            "registry.ollama.ai/user/model/latest",
        ),
        ("ollama run gemma3:4b", "gemma3:4b", "registry.ollama.ai/library/gemma3/4b"),
        ("ollama pull  user/model", "user/model:latest", "registry.ollama.ai/user/model/latest"),
        (
            "https://ollama.com/library/gemma3:4b",
            "gemma3:4b",
            "registry.ollama.ai/library/gemma3/4b",
        ),
        (
            "https://ollama.com/library/gemma3/tags",
            "gemma3:latest",
            "registry.ollama.ai/library/gemma3/latest",
        ),
        ("ollama.com/user/model:8b/blobs/abc", "user/model:8b", "registry.ollama.ai/user/model/8b"),
        ("hf.co/user/repo.x:Q4_K_M", "hf.co/user/repo.x:Q4_K_M", "hf.co/user/repo.x/Q4_K_M"),
        ("https://huggingface.co/user/repo", "hf.co/user/repo:latest", "hf.co/user/repo/latest"),
        ("HF.co/user/repo", "hf.co/user/repo:latest", "hf.co/user/repo/latest"),
    ],
)
def test_ollama_names_addresses_and_commands(typed: str, model_id: str, manifest: str) -> None:
    name = ollama.model(typed)
    assert name.id == model_id
    assert name.manifest_path == f"manifests/{manifest}"
    assert ollama.model(name.id) == name


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Enter a name"),
        ("gemma 3", "contains a space"),
        ("gemma3:", "a tag takes"),
        (":4b", "a model takes"),
        ("../gemma3", "a namespace takes"),
        ("user/..", "a model takes"),
        ("user/a..b", "a model takes"),
        ("user.name/model", "a namespace takes"),
        ("ghcr.io/user/model:tag", "can't be imported"),
        ("https://example.com/x", "can't be imported"),
        ("a/b/c/d", "is not a name of Ollama"),
        ("<img src=x>", "contains a space"),
        ("<b>x</b>", "is not a name of Ollama"),
        ("modèle", "a model takes"),
        ("x" * 500, "up to 80"),
        ("gemma3:" + "x" * 81, "a tag takes up to 80"),
        ("hf.co/repo", "is not a name of Ollama"),
    ],
)
def test_what_is_no_name_of_ollama(typed: str, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said) as caught:
        ollama.model(typed)
    assert caught.value.field == "model_id"
    assert len(caught.value.message) < 250


@pytest.mark.parametrize(
    "typed",
    ["https://ollama.com/library/gemma3", " OLLAMA.com/gemma3\n", "registry.ollama.ai/user/model"],
)
def test_the_page_of_another_hub(typed: str) -> None:
    with pytest.raises(InvalidInputError, match="is a model of Ollama") as caught:
        hubs.inspect("huggingface", typed, Settings())
    assert caught.value.field == "model_id"
    assert caught.value.fix
    assert caught.value.fix.text == "Choose Ollama as the source."


def test_a_hub_that_is_none() -> None:
    said = "'zml' is no source: use 'huggingface' or 'ollama'"
    with pytest.raises(InvalidInputError, match=said) as caught:
        hubs.inspect("zml", "a/b", Settings())
    assert caught.value.field == "source"
    assert hubs.label("zml") == "zml"
    assert hubs.page("zml", "a/b", Settings()) == ""


@given(st.text(max_size=600))
def test_any_text_is_an_id_or_a_sentence(text: str) -> None:
    for read in (hugging_face.model, ollama.model):
        try:
            model_id = read(text).id
        except InvalidInputError:
            continue
        assert model_id.isascii()
        assert ".." not in model_id
        assert not set(model_id) & set("<>&\"' \\\n")


def test_revisions() -> None:
    assert hugging_face.revision("") == ""
    for good in ("main", "v1.0", "refs/pr/3", "0a1b2c3", "feature/x-y"):
        assert hugging_face.revision(f" {good} ") == good
    for bad in ("../x", "a b", "-x", "a..b", "x/", "ü", "x" * 300, "<b>"):
        with pytest.raises(InvalidInputError) as caught:
            hugging_face.revision(bad)
        assert caught.value.field == "revision"


def test_a_token_is_one_word_and_never_repeated() -> None:
    assert hugging_face.token("  hf_abc\n") == "hf_abc"
    assert hugging_face.token("") == ""
    for bad in ("hf_a\nb", "hf_a b", "hf_\u200b", "hf_ü"):
        with pytest.raises(InvalidInputError) as caught:
            hugging_face.token(bad)
        assert caught.value.field == "token"
        assert bad not in str(caught.value)
