"""Arguments are read and written in one way, the one in which programs read them."""

from __future__ import annotations

import argparse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_widgets.engines.command_line import CommandLine
from llm_widgets.engines.vllm.arguments import COMMAND_LINE

LINE = CommandLine(switches=frozenset({"--eager"}))
WORDS = st.sampled_from(["/m", "x", "-1", "--eager", "--no-cache", "--a", "--a=1", "--b", "--b=-c"])


def test_a_value_in_one_word_and_in_two() -> None:
    assert LINE.value(["--a=b=c"], "--a") == "b=c"
    assert LINE.value(["--a", "b"], "--a") == "b"
    assert LINE.value(["--a", "-1"], "--a") == "-1"
    assert LINE.value(["-q", "awq"], "-q") == "awq"


def test_what_has_no_value() -> None:
    assert LINE.value(["--a"], "--a") == ""
    assert LINE.value([], "--a") == ""
    assert LINE.value(["--aa=1"], "--a") == ""


def test_a_flag_is_no_value() -> None:
    """Three of the five readers that there were took ``--b`` for the value of ``--a``."""
    assert LINE.value(["--a", "--b=1"], "--a") == ""
    assert LINE.value(["--a", "--b=1"], "--b") == "1"


def test_the_last_one_counts() -> None:
    """All readers that there were took the first one; argparse, which vLLM uses, takes the last."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port")
    words = ["--port=1", "--port", "2"]
    assert LINE.value(words, "--port") == parser.parse_args(words).port == "2"


def test_a_switch_leaves_the_word_after_it_alone() -> None:
    assert LINE.operands(["--eager", "/models", "--a", "1"]) == ("/models",)
    assert LINE.without(["--eager", "/models"], "--eager") == ("/models",)
    assert LINE.without(["--no-cache", "/models"], "--no-cache") == ("/models",)
    assert COMMAND_LINE.operands(["--enforce-eager", "/models"]) == ("/models",)


def test_all_flags_are_told_with_their_values() -> None:
    words = ["/m", "--a", "1", "--b=2", "--eager", "x", "--a=3", "-O1"]
    assert LINE.flags(words) == {"--a": "3", "--b": "2", "--eager": "", "-O1": ""}
    assert LINE.flags(["/m"]) == {}


def test_a_word_is_put_in_the_place_of_its_like() -> None:
    assert LINE.with_word(["/m", "--a", "1", "--b=2"], "--a=3") == ("/m", "--a=3", "--b=2")
    assert LINE.with_word(["/m"], "--eager") == ("/m", "--eager")
    assert LINE.with_word(["--a=1", "/m", "--a=2"], "--a=3") == ("--a=3", "/m")
    assert LINE.with_word(["--eager"], "--eager") == ("--eager",)


@given(st.lists(WORDS, max_size=8), st.sampled_from(["--a", "--b"]), st.text("12x", min_size=1))
def test_what_is_written_is_read(words: list[str], name: str, value: str) -> None:
    written = LINE.with_word(words, f"{name}={value}")
    assert LINE.value(written, name) == value
    gone = LINE.without(written, name)
    assert not LINE.has(gone, name)
    assert LINE.without(words, name) == gone  # all else is as it was


@pytest.mark.parametrize("words", [["--a", "1"], ["--a=1"], ["x", "--a"], ["--eager", "--a", "2"]])
def test_a_flag_is_there(words: list[str]) -> None:
    assert LINE.has(words, "--a")
    assert not LINE.has(words, "1")
