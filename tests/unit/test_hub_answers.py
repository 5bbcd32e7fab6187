"""What hubs answer, as facts and as sentences for a person."""

from __future__ import annotations

import json
import re
import time

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
from llm_widgets.hubs.failures import Refusal, general, refuse_page
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
        Refusal(status, {"X-Error-Code": code, "X-Error-Message": said}),
        hugging_face_failures.Asked(HUGGING_FACE, "org/name", "v9", has_token=has_token),
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
            "is gated",
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
            "This token can't read gated models",
            f"{HUGGING_FACE}/settings/tokens",
        ),
        (
            explained(403, said="Forbidden"),
            GatedModelError,
            "can't read org/name",
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
        (explained(401, has_token=False), NotFoundError, "no model org/name", ""),
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
    assert "enter a token" in explained(401, "RepoNotFound", has_token=False).cause
    assert "no access" in explained(404, "RepoNotFound", has_token=True).cause
    assert explained(404, "RepoNotFound", "The real hub is away").cause == "The real hub is away"


def test_who_has_no_token_is_not_told_that_it_is_wrong() -> None:
    error = explained(401, said="Access to this resource needs a login", has_token=False)
    assert isinstance(error, GatedModelError)
    assert error.message == "org/name can't be read without a token."
    assert error.cause == "Access to this resource needs a login"


def test_a_pause_that_the_hub_asks_for_is_told() -> None:
    error = general(Refusal(429, {"Retry-After": "17"}), hub="Hugging Face")
    assert isinstance(error, UnavailableError)
    assert error.fix is not None
    assert "17 seconds" in error.fix.text


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (404, NotFoundError, "no model gemma3:4b"),
        (410, NotFoundError, "no model gemma3:4b"),
        (402, GatedModelError, "paying accounts"),
        (412, HubError, "newer Ollama"),
        (426, HubError, "newer Ollama"),
        (401, GatedModelError, "takes no token"),
        (502, UnavailableError, "failed"),
    ],
)
def test_refusals_of_ollama(status: int, kind: type[ManagerError], said: str) -> None:
    error = ollama_failures.explained(Refusal(status), ollama_names.model("gemma3:4b"))
    assert type(error) is kind
    assert said in error.message


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("The specified repository contains sharded GGUF.", "in several GGUF files"),
        ("Tag is a sharded GGUF, which is not supported", "in several GGUF files"),
        ("This repository has multi-part GGUF files", "in several GGUF files"),
        ("Unsupported model architecture", "has no GGUF files"),
        ("Tag is no valid quantization scheme", "has no quantization Q4_K_M"),
        ("Repository is not GGUF or is not compatible with llama.cpp", "has no GGUF files"),
        ("Something else", "hf.co refused the request"),
    ],
)
@pytest.mark.parametrize("form", ['{{"error": "{}"}}', '{{"errors": [{{"message": "{}"}}]}}', "{}"])
def test_what_hf_co_refuses_is_told_in_its_words(said: str, told: str, form: str) -> None:
    name = ollama_names.model("hf.co/a/b:Q4_K_M")
    refusal = Refusal(400, {}, form.format(said).encode())
    error = ollama_failures.explained(refusal, name, ("Q8_0", "Q5_0"))
    assert told in error.message
    assert error.cause == said
    if "quantization" in told or "several" in told:
        assert error.fix
        assert "hf.co/a/b:Q8_0, hf.co/a/b:Q5_0" in error.fix.text


@pytest.mark.parametrize(
    ("status", "code", "kind", "said"),
    [
        (401, "UNAUTHORIZED", GatedModelError, "takes no token"),
        (403, "DENIED", GatedModelError, "takes no token"),
        (404, "MANIFEST_UNKNOWN", NotFoundError, "no model"),
        (400, "NAME_UNKNOWN", NotFoundError, "no model"),
        (429, "TOOMANYREQUESTS", UnavailableError, "no more requests"),
    ],
)
def test_codes_of_registries(status: int, code: str, kind: type[ManagerError], said: str) -> None:
    body = json.dumps({"errors": [{"code": code, "message": "m", "detail": {}}]}).encode()
    error = ollama_failures.explained(Refusal(status, {}, body), ollama_names.model("gemma3:4b"))
    assert type(error) is kind
    assert said in error.message
    assert error.cause == "m"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('User Access Token "laptop" is expired', "has expired"),
        ("This token has been revoked", "was revoked"),
        ("Token was invalidated: it was found in a public repository", "was revoked"),
        ("This token has been deactivated", "was revoked"),
        ("Token is disabled", "was revoked"),
        ("OAuth token has expired", "has expired"),
        ("Invalid token type: app token", "no token of this kind"),
        ("Inference tokens cannot access repositories", "no token of this kind"),
        ("hf_jwt token not allowed for this endpoint", "no token of this kind"),
        ("This account has been suspended", "suspended the account"),
        ("Organization API tokens are not supported", "no token of this kind"),
        ("Invalid credentials in Authorization header", "does not accept this token"),
        ("Invalid username or password.", "does not accept this token"),
        ("Anything else", "does not accept this token"),
    ],
)
def test_tokens_that_hugging_face_does_not_take(said: str, told: str) -> None:
    error = explained(401, said=said)
    assert (type(error), error.field) == (InvalidInputError, "token")
    assert told in error.message
    if "accept" not in told:  # what is told of the token counts more than what was asked for
        for status, code in ((401, "GatedRepo"), (401, "RepoNotFound"), (403, ""), (498, "")):
            assert told in explained(status, code, said).message


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("This organization requires SSO; please re-authenticate", "single sign-on"),
        ("Your organization requires tokens to be approved by an administrator", "approve"),
        ("Access token blocked by the organization's policy", "approve"),
        ("You must use a fine-grained token to access these resources", "fine-grained token that"),
        ("This authentication method does not have sufficient permissions", "permissions"),
    ],
)
def test_what_a_good_token_lacks_is_advised(said: str, advice: str) -> None:
    error = explained(403, said=said)
    assert "This token can't read org/name" in error.message
    assert error.fix
    assert advice in error.fix.text


def test_a_challenge_tells_the_reason_too() -> None:
    challenge = 'Bearer realm="x", error="invalid_token", error_description="The token expired"'
    refusal = Refusal(401, {"www-authenticate": challenge})
    asked = hugging_face_failures.Asked(HUGGING_FACE, "org/name", has_token=True)
    error = hugging_face_failures.explained(refusal, asked)
    assert (error.message, error.cause) == (
        "This token of Hugging Face has expired.",
        "The token expired",
    )


@pytest.mark.parametrize(
    ("status", "code", "said", "told"),
    [
        (403, "GatedRepo", "Your request to access model x has been rejected by", "have rejected"),
        (403, "GatedRepo", "Your request for access was denied", "have rejected"),
        (
            403,
            "",
            "Access to model x is restricted and you are not in the authorized list",
            "licence",
        ),
        (403, "GatedRepo", "Restricted: country not supported", "in your location"),
        (400, "", "Invalid rev id: v9", "no revision “v9”"),
        (403, "", "token lacks the required permissions: repo.content.read", "can't read"),
        (403, "", "This model is not available in your region", "in your location"),
        (451, "", "", "for legal reasons"),
        (451, "", "Unavailable For Legal Reasons", "for legal reasons"),
        (451, "", "Not available in your country", "in your location"),
        (403, "", "Withheld for legal reasons", "for legal reasons"),
        (410, "", "Repository was removed", "is not at Hugging Face any more"),
        (410, "", "This repository has been disabled", "has disabled"),
        (403, "", "This repository has been disabled due to a DMCA notice", "has disabled"),
    ],
)
def test_who_and_what_is_shut_out(status: int, code: str, said: str, told: str) -> None:
    assert told in explained(status, code, said).message


@pytest.mark.parametrize(
    ("status", "headers", "when"),
    [
        (429, {"RateLimit": '"api";r=0;t=47'}, "in 47 seconds"),
        (429, {"ratelimit": '"resolvers";r=0;t=9'}, "in 9 seconds"),
        (429, {}, "in a few minutes"),
        (503, {"Retry-After": "120"}, "in 120 seconds"),
        (429, {"Retry-After": "1"}, "in 1 second"),
        (429, {"Retry-After": "12.5"}, "in 13 seconds"),
        (429, {"Retry-After": "7200"}, "in 2 h 00 min"),
        (429, {"Retry-After": "99999999"}, "in a few minutes"),
        (429, {"Retry-After": "soon"}, "in a few minutes"),
        (429, {"Retry-After": "soon", "RateLimit-Reset": "33"}, "in 33 seconds"),
        (429, {"retry-after-ms": "4500"}, "in 5 seconds"),
        (429, {"RateLimit": '"pages"; r=3; t=300, "api"; r=0; t=47'}, "in 47 seconds"),
        (429, {"RateLimit": "limit=100, remaining=0, reset=33"}, "in 33 seconds"),
        (429, {"X-RateLimit-Reset-After": "31"}, "in 31 seconds"),
        (429, {"X-RateLimit-Reset": "25"}, "in 25 seconds"),
        (429, {"x-ratelimit-reset-requests": "1m3s"}, "in 63 seconds"),
        (429, {"x-ratelimit-reset-requests": "1h"}, "in 1 h 00 min"),
        (408, {}, "in a minute"),
        (423, {"Retry-After": "5"}, "in 5 seconds"),
        (503, {}, "in a few minutes"),
        (500, {}, "in a minute"),
    ],
)
def test_when_to_try_again(status: int, headers: dict[str, str], when: str) -> None:
    page = b"<!doctype html><title>Oh</title>"
    error = general(Refusal(status, headers, page), hub="Hugging Face")
    assert isinstance(error, UnavailableError)
    assert error.fix
    assert error.fix.text == f"Try again {when}."
    assert "<" not in error.message + error.cause


@pytest.mark.parametrize("scale", [1, 1000])
def test_a_point_in_time_to_try_again_at_is_told_as_a_wait(scale: int) -> None:
    reset = round((time.time() + 90) * scale)
    error = general(Refusal(429, {"X-RateLimit-Reset": str(reset)}), hub="Hugging Face")
    assert error.fix
    assert re.fullmatch(r"Try again in [5-9]\d seconds\.", error.fix.text)


@pytest.mark.parametrize(
    ("status", "said", "when"),
    [
        (429, "We had to rate limit your IP. Retry after 40 seconds", "in 40 seconds"),
        (403, "Rate limit exceeded, please try again in 5 minutes", "in 5 min 00 s"),
        (403, "Too many requests", "in a few minutes"),
    ],
)
def test_a_limit_that_is_told_in_words_is_one(status: int, said: str, when: str) -> None:
    error = explained(status, said=said)
    assert isinstance(error, UnavailableError)
    assert error.message == "Hugging Face accepts no more requests from here for now."
    assert error.fix
    assert error.fix.text == f"Try again {when}."


def test_maintenance_is_told() -> None:
    body = b'{"error": "The Hub is under maintenance"}'
    assert "under maintenance" in general(Refusal(503, {}, body), hub="Hugging Face").message


@pytest.mark.parametrize("status", [200, 403, 407, 511])
def test_a_page_of_a_firewall_is_no_answer_of_a_hub(status: int) -> None:
    page = Refusal(status, {"Content-Type": "text/html"}, b"\n<HTML><title>Sign in</title></HTML>")
    error = general(page, hub="hf.co")
    if status == 200:
        with pytest.raises(UnavailableError) as caught:
            refuse_page(page, hub="hf.co")
        error = caught.value
    assert isinstance(error, UnavailableError)
    assert "something between here and there" in error.message
    assert "“Sign in”" in error.cause


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
