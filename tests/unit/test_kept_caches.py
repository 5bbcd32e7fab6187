"""A cache below the read-only mount is refused before vLLM fails to write to it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llm_widgets.serving import checks
from tests.unit.codec_cases import DEPLOYMENTS

PLAIN = DEPLOYMENTS["vllm"]
MOUNT = PLAIN.mount_path


@pytest.mark.parametrize(
    ("name", "folder", "is_refused"),
    [
        ("VLLM_CACHE_ROOT", MOUNT, True),
        ("VLLM_CACHE_ROOT", f"{MOUNT}/cache", True),
        ("TRITON_CACHE_DIR", f"{MOUNT}/cache/", True),
        ("TORCHINDUCTOR_CACHE_DIR", f"{MOUNT}/cache", True),
        ("VLLM_CACHE_ROOT", f"{MOUNT}-cache", False),
        ("VLLM_CACHE_ROOT", "/tmp/cache", False),
        ("OTHER", MOUNT, False),
    ],
)
def test_a_cache_below_the_mount_is_refused(name: str, folder: str, *, is_refused: bool) -> None:
    made = replace(PLAIN, environment={**PLAIN.environment, name: folder})
    new = [problem for problem in checks.problems(made) if problem not in checks.problems(PLAIN)]
    told = [problem for problem in new if name in problem.message]
    assert bool(told) is is_refused
    for problem in told:
        assert problem.field == "environment"
        assert "read-only" in problem.message
        assert problem.fix
        assert name in problem.fix.text
