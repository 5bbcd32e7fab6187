"""What only the local cloud says: it runs containers as programs of this machine."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llm_widgets.domain.failures.known_failure import Groups, KnownFailure, Rank, anywhere, said
from llm_widgets.domain.failures.remedies import Advice, RemedyKind

if TYPE_CHECKING:
    from llm_widgets.domain.failures.context import Context
    from llm_widgets.engines.base import Engine


def not_here(engines: tuple[Engine, ...]) -> KnownFailure:
    """Return the failure of a machine that has not the program of one of these engines."""
    labels = {engine.label.lower(): engine for engine in engines}
    names = "|".join(re.escape(engine.label) for engine in engines)

    def asked(groups: Groups, context: Context) -> Groups:  # noqa: ARG001 - all take both
        return {**groups, f"lacks_{labels[groups['engine'].lower()].id}": "yes"}

    return KnownFailure(
        id="engine-not-here",
        rank=Rank.MISSING,
        signs=(anywhere(rf"There is no (?P<engine>{names}) on this machine: install it"),),
        causes=("The local cloud runs the programs of this machine, and it has no {engine}.",),
        advice=tuple(
            Advice(
                RemedyKind.OPEN_LINK,
                engine.texts.install,
                url=engine.texts.install_url,
                needs=(f"lacks_{engine.id}",),
            )
            for engine in engines
        ),
        source="local cloud: runner/images.py",
        derive=asked,
    )


FAILURES: tuple[KnownFailure, ...] = (
    KnownFailure(
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
    KnownFailure(
        id="replaced",
        rank=Rank.MISSING,
        signs=(said(r"It was replaced by a newer revision before it was ready"),),
        causes=("A newer revision took its place before this one was ready.",),
        advice=(Advice(RemedyKind.NONE, "Look at the newest revision."),),
        source="local cloud: runner/runner.py",
    ),
    KnownFailure(
        id="deleted",
        rank=Rank.MISSING,
        signs=(said(r"The service was deleted before it was ready"),),
        causes=("The service was deleted before it was ready.",),
        advice=(Advice(RemedyKind.REDEPLOY, "Deploy again."),),
        source="local cloud: runner/instance.py",
    ),
)
