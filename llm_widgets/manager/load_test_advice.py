"""A service as its load test advises it to be."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from llm_widgets.diagnosis import Remedy, RemedyKind
from llm_widgets.engines import registry
from llm_widgets.manager import remedies
from llm_widgets.serving import concurrency

if TYPE_CHECKING:
    from llm_widgets.domain.load_tests.result import LoadTest
    from llm_widgets.domain.services import Deployment


def applied(test: LoadTest | None, deployment: Deployment) -> Deployment:
    """Return a deployment with what its last load test advises.

    It is as it was where that advises nothing, or was of another concurrency than it has now.
    """
    count = test.advised if test else None
    if test is None or count is None or deployment.concurrency != test.told.concurrency:
        return deployment
    told = {"concurrency": str(count)}
    if _is_told(deployment, count):
        told = {"parallel": str(count), **told}
    return remedies.with_remedy(deployment, Remedy(RemedyKind.REDEPLOY, "", told))


def changes(test: LoadTest | None, deployment: Deployment) -> dict[str, Any]:
    """Return the fields of a deployment that differ once it is as :func:`applied` returns it."""
    after = applied(test, deployment)
    names = [each.name for each in fields(after)]
    return {
        name: getattr(after, name)
        for name in names
        if getattr(after, name) != getattr(deployment, name)
    }


def label(test: LoadTest | None, deployment: Deployment) -> str:
    """Return what applying the advice does, in words; empty where it changes nothing."""
    after, engine = applied(test, deployment), registry.of(deployment.framework)
    if after.concurrency != deployment.concurrency:
        return f"Set concurrency to {after.concurrency}"
    if engine and after != deployment:
        return f"Set {engine.parallel.name} to {after.concurrency}"
    return ""


def _is_told(deployment: Deployment, count: int) -> bool:
    """Return whether the engine has to be told, too, that it works on so many at once."""
    engine, now = registry.of(deployment.framework), concurrency.at_once(deployment)
    if engine is None or now is None or now == count:
        return False
    return now < count or concurrency.is_set(engine, deployment)
