"""What only the local cloud says: it runs containers as programs of this machine."""

from __future__ import annotations

from llm_widgets.diagnosis.failure import Kind, Rank, anywhere, said
from llm_widgets.diagnosis.remedies import Advice, RemedyKind

KINDS: tuple[Kind, ...] = (
    Kind(
        id="engine-not-here",
        rank=Rank.MISSING,
        signs=(anywhere(r"There is no (?P<engine>vLLM|Ollama) on this machine: install it"),),
        causes=("The local cloud runs the programs of this machine, and it has no {engine}.",),
        advice=(
            Advice(
                RemedyKind.OPEN_LINK,
                "Install vLLM on this machine, or deploy an Ollama model.",
                url="https://docs.vllm.ai/en/latest/getting_started/installation/",
                needs=("is_vllm",),
            ),
            Advice(
                RemedyKind.OPEN_LINK,
                "Install Ollama on this machine, or llama.cpp with pip install xllamacpp.",
                url="https://ollama.com/download",
                needs=("is_ollama",),
            ),
        ),
        source="local cloud: runner/images.py",
        derive=lambda groups, context: {  # noqa: ARG005 - all take both
            **groups,
            f"is_{groups['engine'].lower()}": "yes",
        },
    ),
    Kind(
        id="volume-not-here",
        rank=Rank.MISSING,
        signs=(said(r"Volume '(?P<volume>[\w-]{1,63})' cannot be mounted on this machine"),),
        causes=(
            (
                "The local cloud has no volumes of the kind of {volume}: only Cloud Storage, "
                "secrets and memory."
            ),
        ),
        advice=(Advice(RemedyKind.NONE, "Use one of these, or deploy to Google Cloud."),),
        source="local cloud: runner/mounts.py",
    ),
    Kind(
        id="replaced",
        rank=Rank.MISSING,
        signs=(said(r"It was replaced by a newer revision before it was ready"),),
        causes=("A newer revision took its place before this one was ready.",),
        advice=(Advice(RemedyKind.NONE, "Look at the newest revision."),),
        source="local cloud: runner/runner.py",
    ),
    Kind(
        id="deleted",
        rank=Rank.MISSING,
        signs=(said(r"The service was deleted before it was ready"),),
        causes=("The service was deleted before it was ready.",),
        advice=(Advice(RemedyKind.REDEPLOY, "Deploy it again."),),
        source="local cloud: runner/instance.py",
    ),
)
