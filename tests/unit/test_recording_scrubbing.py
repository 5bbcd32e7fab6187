"""Recordings: nothing of a project or of people is left, however it is nested and encoded."""

from __future__ import annotations

import base64
import html
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_widgets.cli.recording.recorder import Exchange, facts, written
from llm_widgets.cli.recording.scrubbing import Scrubber, UnknownPartError, decoded

if TYPE_CHECKING:
    from collections.abc import Callable

PROJECT, NUMBER, EMAIL = "acme-models-prod", "471889570513", "ann.smith@acme-corp.com"
KNOWN = {PROJECT: "project", NUMBER: "number", EMAIL: "caller"}
# Not known to whoever scrubs: what else a project's answers hold.
STRANGE = (
    "bob.jones@acme-corp.com",
    "another-project-77",
    "998877665544",
    "ya29.a0AfH6SMBx-0123456789abcdefghij",
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxMjM0NTYifQ.c2lnbmF0dXJl",
    "AIzaSyA-0123456789abcdefghijklmnopqrstu",
    "billingAccounts/0A1B2C-3D4E5F-678901",
    "112233445566778899001",
    "6f1c2e34-aaaa-bbbb-cccc-1234567890ab",
    "secret-bucket-of-acme",
    "10.132.0.7",
)


def base64_of(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": lambda text: text,
    "capitals": str.upper,
    "within a sentence": lambda text: f"The caller {text} does not have permission.",
    "in quotes": lambda text: f"Permission denied on resource '{text}'.",
    "a resource name": lambda text: f"projects/{text}/locations/europe-west1/services/x",
    "an address": lambda text: f"https://www.googleapis.com/storage/v1/b/{text}/o",
    "quoted": lambda text: quote(text, safe=""),
    "quoted twice": lambda text: quote(quote(text, safe=""), safe=""),
    "all quoted": lambda text: "".join(f"%{ord(letter):02x}" for letter in text),
    "base64": base64_of,
    "base64 for addresses": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
    "base64 without its end": lambda text: base64_of(text).rstrip("="),
    "base64 twice": lambda text: base64_of(base64_of(text)),
    "base64 after other bytes": lambda text: base64_of(f"x{text}"),
    "base32": lambda text: base64.b32encode(text.encode()).decode(),
    "hexadecimal": lambda text: text.encode().hex(),
    "JSON in a text": lambda text: json.dumps({"name": text}),
    "escaped": lambda text: "".join(f"\\u{ord(letter):04x}" for letter in text),
    "HTML": lambda text: "".join(f"&#{ord(letter)};" for letter in text),
    "HTML's own": lambda text: html.escape(f"<b>{text}</b>"),
}
KEYS = st.sampled_from(
    [
        "message",
        "description",
        "reason",
        "state",
        "status",
        "name",
        "displayName",
        "labels",
        "annotations",
        "metadata",
        "kind",
        "email",
        "members",
        "error",
        "details",
        "domain",
        "@type",
        "type",
        "location",
        "role",
        "title",
        "text",
    ]
)


@st.composite
def secrets(draw: st.DrawFn) -> str:
    """Give something that must not be told, in an encoding."""
    secret = draw(st.sampled_from([*KNOWN, *STRANGE]))
    return ENCODINGS[draw(st.sampled_from(sorted(ENCODINGS)))](secret)


def nested(leaves: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Give JSON with such leaves, and with what must not be told as names, too."""
    names = KEYS | secrets()
    return st.recursive(
        leaves,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
        max_leaves=8,
    )


ANSWERS = nested(secrets() | st.integers(10**9, 10**13) | st.sampled_from(["ACTIVE", "", 3, None]))


def check_nothing_is_told(text: str) -> None:
    for form in decoded(text):
        for secret in (*KNOWN, *STRANGE):
            assert secret.casefold() not in form, (secret, text)
    for secret in (*KNOWN, *STRANGE):
        for encode in ENCODINGS.values():
            assert encode(secret) not in text


@settings(max_examples=400, deadline=None)
@given(answer=ANSWERS, body=ANSWERS, place=secrets(), status=st.sampled_from([200, 403]))
def test_nothing_is_told(answer: Any, body: Any, place: str, status: int) -> None:
    exchanges = (
        Exchange("POST", f"https://run.googleapis.com/v2/projects/{PROJECT}", body, status, answer),
        Exchange("GET", f"https://run.googleapis.com/v2/{quote(place)}", None, status, answer),
        Exchange("GET", f"https://run.googleapis.com/v2?q={quote(place)}", None, status, answer),
        Exchange("GET", f"https://run.googleapis.com/v1/projects/{NUMBER}", None, status, answer),
    )
    made = [each for each in facts(exchanges, Scrubber(KNOWN), source="x") if each]
    for fact in made:
        check_nothing_is_told(written(fact))


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("secret", [*KNOWN, *STRANGE])
def test_no_encoding_hides_it(secret: str, encoding: str) -> None:
    hidden = ENCODINGS[encoding](secret)
    answer = {
        "error": {"message": hidden, "status": hidden, "details": [{"reason": hidden}]},
        "name": hidden,
        "members": [hidden],
        "labels": {"a": hidden},
    }
    real, _ = Scrubber(KNOWN).answer(answer)
    check_nothing_is_told(json.dumps(real))
    check_nothing_is_told(Scrubber(KNOWN).said(hidden))


@pytest.mark.parametrize("secret", STRANGE)
@pytest.mark.parametrize("encoding", ["plain", "quoted", "base64"])
def test_a_request_that_names_what_is_not_known_is_left_out(secret: str, encoding: str) -> None:
    hidden = ENCODINGS[encoding](secret)
    scrub = Scrubber(KNOWN)
    with pytest.raises(UnknownPartError):
        scrub.path(f"https://storage.googleapis.com/storage/v1/b/{quote(hidden, safe='')}")
    with pytest.raises(UnknownPartError):
        scrub.path(f"https://storage.googleapis.com/storage/v1/b?q={quote(hidden, safe='')}")
    with pytest.raises(UnknownPartError):
        scrub.request({"policy": [hidden]})


def test_what_tells_of_nobody_stays() -> None:
    answer = {
        "error": {
            "code": 403,
            "message": f"Permission 'run.services.get' denied on resource 'projects/{PROJECT}'.",
            "status": "PERMISSION_DENIED",
            "details": [
                {
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "IAM_PERMISSION_DENIED",
                    "metadata": {"permission": "run.services.get", "consumer": "projects/7"},
                }
            ],
        },
        "labels": {"team": "blue"},
        "number": int(NUMBER),
    }
    real, left = Scrubber(KNOWN).answer(answer)
    assert real["error"]["message"] == (
        "Permission 'run.services.get' denied on resource 'projects/${project}'."
    )
    assert real["error"]["details"][0]["metadata"] == {
        "permission": "run.services.get",
        "consumer": "",
    }
    assert (real["labels"], left, real["number"]) == ({}, ["labels"], 0)


def test_a_longer_name_is_not_cut() -> None:
    assert Scrubber({"acme": "project"}).named("acme-2 acme") == "acme-2 ${project}"
