"""Fast start, balanced, fast answers: what each tells the engine, and how it is found again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from llm_widgets.domain.start_styles import BALANCED, FAST_ANSWERS, FAST_START, IDS
from llm_widgets.engines import registry, start_styles
from llm_widgets.errors import InvalidInputError
from llm_widgets.manager.offering import with_start
from llm_widgets.page.services.deploy_values import deployment_from, followers, values_of
from tests.unit.codec_cases import DEPLOYMENTS

if TYPE_CHECKING:
    from llm_widgets.engines.base import Engine

VLLM, OLLAMA = DEPLOYMENTS["vllm"], DEPLOYMENTS["ollama"]
SIZES = '--compilation-config={"compile_sizes":[1,2,4,8]}'


def engine() -> Engine:
    found = registry.of("vllm")
    assert found
    return found


def test_what_is_offered_is_balanced_and_has_no_words_of_its_own() -> None:
    assert start_styles.of(engine(), VLLM) == BALANCED
    assert start_styles.with_style(engine(), VLLM, BALANCED) is VLLM
    assert [style.id for style in engine().start_styles] == list(IDS)
    assert all(style.trade for style in engine().start_styles)


@pytest.mark.parametrize(
    ("style", "word"), [(FAST_START, "--enforce-eager"), (FAST_ANSWERS, SIZES)]
)
@pytest.mark.parametrize("before", IDS)
def test_a_style_takes_the_place_of_another(style: str, word: str, before: str) -> None:
    told = start_styles.with_style(engine(), start_styles.with_style(engine(), VLLM, before), style)
    assert told == replace(VLLM, args=(*VLLM.args, word))
    assert start_styles.of(engine(), told) == style
    assert start_styles.with_style(engine(), told, BALANCED) == VLLM


@pytest.mark.parametrize(
    "words",
    [("--compilation-config={}",), ("--compilation-config", "{}"), ("--enforce-eager", SIZES)],
)
def test_arguments_of_no_style_are_left_alone_until_one_is_chosen(words: tuple[str, ...]) -> None:
    own = replace(VLLM, args=(*VLLM.args, *words))
    assert start_styles.of(engine(), own) == ""
    assert deployment_from(own, values_of(own)) == own
    assert start_styles.with_style(engine(), own, BALANCED) == VLLM


def test_the_form_and_its_arguments_say_the_same() -> None:
    chosen = deployment_from(VLLM, {**values_of(VLLM), "start": FAST_START})
    assert chosen.args[-1] == "--enforce-eager"
    assert followers(chosen, values_of(VLLM))["args"] == list(chosen.args)
    typed = deployment_from(VLLM, {**values_of(VLLM), "args": [*VLLM.args, "--enforce-eager"]})
    assert typed == chosen
    assert followers(typed, values_of(VLLM))["start"] == FAST_START


def test_an_engine_without_the_choice_refuses_what_is_none() -> None:
    assert with_start(OLLAMA, "") == with_start(OLLAMA, BALANCED) == OLLAMA
    assert with_start(VLLM, FAST_START).args[-1] == "--enforce-eager"
    with pytest.raises(InvalidInputError, match=r"Ollama can't be started as .?fast-start"):
        with_start(OLLAMA, FAST_START)
    with pytest.raises(InvalidInputError) as refused:
        with_start(VLLM, "quick")
    assert refused.value.field == "start"
    assert refused.value.fix
    assert FAST_ANSWERS in refused.value.fix.text
