"""Texts that hold or name a secret: what is typed there is not kept in the browser."""

from __future__ import annotations

import re

import pytest

from llm_widgets.domain.secret_texts import HELD


@pytest.mark.parametrize(
    "text",
    [
        "--api-key k",
        "--api-key=k",
        "--API_KEY k",
        "--hf-token abc",
        "export HF_TOKEN=abc",
        "--ssl-keyfile-password=x",
        "--header Authorization:x",
        "hf_abcdefghijklmnopqrstuvwxyz012345",
        "ya29.a0AfH6SMBx",
        "-----BEGIN PRIVATE KEY-----",
        "https://me:mine@example.com/model",
    ],
)
def test_what_holds_or_names_a_secret_is_found(text: str) -> None:
    assert re.search(HELD, f"--port=8080 {text} --x", re.IGNORECASE)


@pytest.mark.parametrize(
    "text",
    [
        "--max-num-batched-tokens=8192",
        "--tokenizer-mode auto --max-model-len 32768",
        "--enable-auto-tool-choice --tool-call-parser=hermes",
        "--gpu-memory-utilization=0.92",
        "--served-model-name=Qwen/Qwen3-0.6B",
        "implicit-dirs max-conns-per-host=0",
    ],
)
def test_what_does_neither_is_kept(text: str) -> None:
    assert not re.search(HELD, text, re.IGNORECASE)
