"""What hubs answer, as facts and as sentences for a person."""

from __future__ import annotations

import pytest

from llm_widgets.errors import (
    GatedModelError,
    HubError,
    InvalidInputError,
    ManagerError,
    NotFoundError,
    UnavailableError,
)
from llm_widgets.hubs import facts
from llm_widgets.hubs.failures import general
from llm_widgets.hubs.huggingface import failures as hugging_face_failures
from llm_widgets.hubs.huggingface import names as hugging_face_names
from llm_widgets.hubs.huggingface import suggestions as hugging_face_suggestions
from llm_widgets.hubs.ollama import failures as ollama_failures
from llm_widgets.hubs.ollama import names as ollama_names
from llm_widgets.hubs.ollama import suggestions as ollama_suggestions

HUGGING_FACE = "https://huggingface.co"
OLLAMA_REGISTRY = "https://registry.ollama.ai"


def explained(
    status: int, code: str = "", said: str = "", *, has_token: bool = True
) -> ManagerError:
    return hugging_face_failures.explained(
        status,
        {"X-Error-Code": code, "X-Error-Message": said},
        endpoint=HUGGING_FACE,
        model_id="org/name",
        revision="v9",
        has_token=has_token,
    )


@pytest.mark.parametrize(
    ("error", "kind", "said", "url"),
    [
        (
            explained(401, said="Invalid credentials in Authorization header"),
            InvalidInputError,
            "does not accept this token",
            f"{HUGGING_FACE}/settings/tokens",
        ),
        (
            explained(401, "GatedRepo"),
            GatedModelError,
            "accepted licence",
            f"{HUGGING_FACE}/org/name",
        ),
        (
            explained(403, "GatedRepo", "you are not in the authorized list"),
            GatedModelError,
            "has not accepted the licence",
            f"{HUGGING_FACE}/org/name",
        ),
        (
            explained(403, "GatedRepo", "is awaiting a review from the repo authors"),
            GatedModelError,
            "not granted yet",
            f"{HUGGING_FACE}/org/name",
        ),
        (
            explained(403, "GatedRepo", "enable access in your fine-grained token settings"),
            GatedModelError,
            "This token may not read gated models",
            f"{HUGGING_FACE}/settings/tokens",
        ),
        (
            explained(403, said="Forbidden"),
            GatedModelError,
            "may not read org/name",
            f"{HUGGING_FACE}/settings/tokens",
        ),
        (
            explained(403, said="Access to this resource is disabled."),
            HubError,
            "has disabled org/name",
            "",
        ),
        (
            explained(404, "RevisionNotFound"),
            NotFoundError,
            "no revision “v9”",
            f"{HUGGING_FACE}/org/name/commits/main",
        ),
        (explained(404, "RepoNotFound"), NotFoundError, "no model org/name", ""),
        (explained(401), NotFoundError, "no model org/name", ""),
        (explained(500), UnavailableError, "failed", ""),
        (explained(418), HubError, "refused", ""),
    ],
)
def test_refusals_of_hugging_face(
    error: ManagerError, kind: type[ManagerError], said: str, url: str
) -> None:
    assert type(error) is kind
    assert said in error.message
    assert (error.fix.url if error.fix else "") == url


def test_a_missing_model_may_be_a_private_one() -> None:
    assert "a token is needed" in explained(401, "RepoNotFound", has_token=False).cause
    assert "may not read" in explained(404, "RepoNotFound", has_token=True).cause
    assert explained(404, "RepoNotFound", "The real hub is away").cause == "The real hub is away"


def test_a_pause_that_the_hub_asks_for_is_told() -> None:
    error = general(429, {"Retry-After": "17"}, hub="Hugging Face")
    assert isinstance(error, UnavailableError)
    assert error.fix is not None
    assert "17 seconds" in error.fix.text


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (404, NotFoundError, "no model gemma3:4b"),
        (412, HubError, "newer Ollama"),
        (401, GatedModelError, "private or gated"),
        (502, UnavailableError, "failed"),
    ],
)
def test_refusals_of_ollama(status: int, kind: type[ManagerError], said: str) -> None:
    error = ollama_failures.explained(status, {}, ollama_names.model("gemma3:4b"), "")
    assert type(error) is kind
    assert said in error.message


def test_what_a_registry_says_itself_is_the_cause() -> None:
    said = "The specified repository contains sharded GGUF. Ollama does not support this yet."
    error = ollama_failures.explained(400, {}, ollama_names.model("hf.co/a/b:Q4_K_M"), said)
    assert (error.message, error.cause) == ("hf.co refused the request.", said)


def test_facts_of_a_plain_model() -> None:
    found = facts.from_config(
        {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "torch_dtype": "bfloat16",
            "max_position_embeddings": 131072,
            "num_key_value_heads": 8,
            "rms_norm_eps": 1e-5,
        }
    )
    assert found == {
        "architecture": "LlamaForCausalLM",
        "model_type": "llama",
        "dtype": "bfloat16",
        "context_length": 131072,
        "config": {"max_position_embeddings": 131072, "num_key_value_heads": 8},
    }


def test_facts_of_a_nested_and_quantised_model() -> None:
    found = facts.from_config(
        {
            "architectures": ["Gemma3ForConditionalGeneration"],
            "model_type": "gemma3",
            "text_config": {"head_dim": 256, "sliding_window": 1024, "model_type": "gemma3_text"},
            "quantization_config": {"quant_method": "awq", "bits": 4},
        }
    )
    assert found["model_type"] == "gemma3"
    assert found["quantization"] == "awq"
    assert found["config"] == {"head_dim": 256, "sliding_window": 1024}
    assert facts.from_config({}) == {}


def test_suggestions_are_names_in_normal_form_smallest_first() -> None:
    for_vllm = hugging_face_suggestions.find("", endpoint=HUGGING_FACE)
    for_ollama = ollama_suggestions.find("", registry=OLLAMA_REGISTRY)
    for listed, read in ((for_vllm, hugging_face_names.model), (for_ollama, ollama_names.model)):
        assert len(listed) > 10
        assert [entry.size for entry in listed] == sorted(entry.size for entry in listed)
        for entry in listed:
            assert read(entry.id).id == entry.id
            assert entry.size > 100_000_000
    assert {entry.id for entry in ollama_suggestions.find("GEMMA", registry=OLLAMA_REGISTRY)} == {
        entry.id for entry in for_ollama if "gemma" in entry.id
    }
    assert hugging_face_suggestions.find("no such model", endpoint=HUGGING_FACE) == ()
