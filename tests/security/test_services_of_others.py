"""What services of others run: read within limits of time and memory, whatever it is."""

from __future__ import annotations

import time
import tracemalloc

import pytest

from llm_widgets.domain import adoption
from llm_widgets.domain.load_tests import kept
from llm_widgets.domain.recognition import SeenContainer
from llm_widgets.engines import registry

VLLM = "vllm/vllm-openai"
SHELL = ("bash", "-c")
LONG = {"A": "x" * 32_000}
MOST_SECONDS = 5.0
MOST_BYTES = 64 << 20

CONTAINERS = {
    "words of variables": SeenContainer(VLLM, args=("$(A)" * 5000,) * 20, environment=LONG),
    "a script of variables": SeenContainer(
        VLLM, SHELL, ("vllm serve " + "$A" * 4000,), environment=LONG
    ),
    "variables of variables": SeenContainer(
        VLLM, args=("$(A)",), environment={"A": "$(B)$(B)", "B": "$(A)$(A)"}
    ),
    "a long word": SeenContainer("x", args=("a" * 2_000_000,)),
    "a long image": SeenContainer("vllm" * 200_000),
    "slashes": SeenContainer("/" * 200_000 + ":"),
    "dashes": SeenContainer("-" * 200_000),
    "colons": SeenContainer("a:" * 100_000),
    "many variables": SeenContainer(VLLM, environment={f"VLLM_{n}": "x" for n in range(20_000)}),
    "many words": SeenContainer(VLLM, args=("--model",) * 50_000),
    "quotation marks": SeenContainer("x", SHELL, ("'" * 19_999,)),
    "continued lines": SeenContainer("x", SHELL, ("\\\n" * 10_000,)),
    "separators": SeenContainer("x", SHELL, (";" * 20_000,)),
    "open braces": SeenContainer("x", SHELL, ("${" * 10_000,)),
    "assignments": SeenContainer("x", SHELL, ("A=" * 10_000,)),
    "no text": SeenContainer(VLLM, args=("--model", "\ud800"), environment={"MODEL": "\ud800"}),
    "controls": SeenContainer(f"{VLLM}\x1b[31m", args=("--model", "\x1b]0;x\x07")),
    "markup": SeenContainer(VLLM, args=("--model", "<img src=x onerror=alert(1)>")),
    "a path upwards": SeenContainer(VLLM, args=("--model", "../" * 1000 + "etc/passwd")),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_what_a_container_is_told_takes_little(name: str) -> None:
    begun = time.process_time()
    found = registry.recognised([CONTAINERS[name]])
    registry.key_of([CONTAINERS[name]])
    assert time.process_time() - begun < MOST_SECONDS
    tracemalloc.start()
    try:
        assert isinstance(CONTAINERS[name].runs, tuple)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < MOST_BYTES
    if found:
        assert len(found.model_id) <= 200
        assert not set("\x1b<>\ud800") & set(found.model_id + found.served_name)


@pytest.mark.parametrize(
    "key", ["a\r\nX-Evil: 1", "a\nb", "\x00", "\x1b[31m", "ключ", "\ud800", "\u202ea", "\x7f"]
)
def test_a_key_that_no_header_can_hold_is_none(key: str) -> None:
    told = SeenContainer(VLLM, args=("--api-key", key), environment={"VLLM_API_KEY": key})
    assert registry.key_of([told]) == ""


@pytest.mark.parametrize(
    "labels",
    [
        {"managed-by": "llm-manager "},
        {"managed-by": "LLM-MANAGER"},
        {"llm-adopted-by": "me"},
        {"llm-before-managed-by": "llm-manager"},
        {"managed_by": "llm-manager"},
        {"llm-engine": "vllm", "llm-created-by": "me"},
    ],
)
def test_labels_that_only_look_like_ours_manage_nothing(labels: dict[str, str]) -> None:
    assert not adoption.is_managed(labels)
    assert not adoption.is_adopted(labels)


@pytest.mark.parametrize(
    "before",
    [
        {},
        {"managed-by": "terraform", "llm-engine": "theirs"},
        {"llm-before-managed-by": "llm-manager"},  # would be ours once it is released
        {"llm-before-llm-engine": "x", "llm-changed-by": "y"},
        {"llm-adopted-by": "somebody"},
    ],
)
def test_released_labels_are_what_they_were_and_never_ours(before: dict[str, str]) -> None:
    after = adoption.released(adoption.adopted(before, "vllm", "me@example.com"))
    assert not adoption.is_managed(after)
    assert after == {name: text for name, text in before.items() if name not in adoption.LABELS}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "7",
        '"x"',
        "{",
        "[" * 5000,
        '{"a":' * 1000,
        "9" * 5000,
        '{"at": "9999-99-99"}',
        '{"at": 1e999, "seconds": NaN}',
        '{"at": "2026-01-01T00:00:00+00:00", "seconds": -1, "curves": {}}',
        '{"at": "2026-01-01T00:00:00+00:00", "seconds": 1e300, "curves": {"short": 7}}',
        '{"at": ["2026"], "curves": [[[]]]}',
        "\x00",
        "\ud800",
        " " * 9000,
    ],
)
def test_an_odd_load_test_is_none(text: str) -> None:
    assert kept.read(text) is None
