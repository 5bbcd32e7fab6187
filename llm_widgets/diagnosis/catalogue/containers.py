"""Containers that end or do not answer: effects, mostly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain.failures.advice import (
    ADDRESS,
    DISK_FULL,
    FIRST_ERROR,
    LONGER_PROBE,
    MORE_MEMORY,
    UNANSWERED,
    WRITE_LESS,
)
from llm_widgets.domain.failures.known_failure import (
    Confidence,
    Groups,
    KnownFailure,
    Rank,
    Sign,
    anywhere,
    logged,
    reason,
    said,
)
from llm_widgets.domain.failures.remedies import Advice, RemedyKind

if TYPE_CHECKING:
    from llm_widgets.domain.failures.context import Context

_SYSTEM_LOG = "Cloud Run: system log of a revision"
_LATE = "The container did not answer within the time of the startup probe."
_MEANINGS = {
    "126": "no permission to run the program",
    "127": "there is no such program in the image",
    "132": "the processor does not know an instruction of the program",
    "134": "the program gave up",
    "137": "it was killed, usually out of memory",
    "139": "the program crashed",
    "143": "it was asked to end",
}


def _exit(groups: Groups, context: Context) -> Groups | None:  # noqa: ARG001 - all take both
    if groups["code"] == "0":
        return {**groups, "meaning": "the program finished; a service must keep running"}
    meaning = _MEANINGS.get(groups["code"])
    return {**groups, "meaning": meaning} if meaning else groups


def _signal(groups: Groups, context: Context) -> Groups:  # noqa: ARG001 - all take both
    meaning = _MEANINGS.get(str(128 + int(groups["signal"])))
    return {**groups, "meaning": meaning} if meaning else groups


def _last_failure(groups: Groups, context: Context) -> Groups | None:
    """Return the values, or ``None`` for failures that a starting container is allowed."""
    failures = int(groups["failures"])
    if context.probe and failures < context.probe.failures:
        return None
    return groups


def _other_port(groups: Groups, context: Context) -> Groups | None:
    expected = str(context.port or groups.get("port", ""))
    if not expected or groups["listens"] == expected:
        return None
    return {**groups, "port": expected}


def elsewhere(listening: tuple[Sign, ...]) -> KnownFailure:
    """Return the failure of an engine that listens on another port than Cloud Run asks.

    Parameters
    ----------
    listening
        What engines log when they listen, with the port in the group ``listens``, beside what
        the usual server of Python programs does.
    """
    return KnownFailure(
        id="port",
        rank=Rank.LATE,
        signs=(logged(rf"Uvicorn running on https?://{ADDRESS}\b"), *listening),
        causes=("The engine listens on port {listens}, and Cloud Run asks on port {port}.",),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with the engine on port {port}.",
                {"engine_port": "{port}"},
                needs=("engine",),
            ),
            Advice(
                RemedyKind.NONE,
                "Make the container's port and that of the engine the same.",
                fallback=True,
            ),
        ),
        source="estuary/flow#3315",
        derive=_other_port,
        given=UNANSWERED,
    )


FAILURES: tuple[KnownFailure, ...] = (
    KnownFailure(
        id="exit-code",
        rank=Rank.CONTAINER,
        signs=(
            anywhere(r"Container called exit\((?P<code>\d{1,3})\)"),
            said(r"container exited with an error \(exit code (?P<code>\d{1,3})\)"),
        ),
        causes=(
            "The container exited with code {code} ({meaning}). {last}",
            "The container exited with code {code}. {last}",
            "The container exited with code {code}: {meaning}.",
            "The container exited with code {code}.",
        ),
        advice=(FIRST_ERROR,),
        source=_SYSTEM_LOG,
        confidence=Confidence.LIKELY,
        derive=_exit,
    ),
    KnownFailure(
        id="probe",
        rank=Rank.PROBE,
        signs=(
            logged(
                r"STARTUP (?P<how>\w{2,5}) probe failed (?P<failures>\d{1,5}) times? "
                r"consecutively.{0,120}?on port (?P<port>\d{1,5}).{0,200}?Connection failed with "
                r"status (?P<status>\w{1,60})"
            ),
            logged(
                r"STARTUP (?P<how>\w{2,5}) probe failed (?P<failures>\d{1,5}) times? "
                r"consecutively(?:.{0,120}?on port (?P<port>\d{1,5}))?"
            ),
        ),
        causes=(
            (
                "The container did not answer on port {port} within {probe_time}, the time of the "
                "startup probe."
            ),
            "The container did not answer on port {port} within the time of the startup probe.",
            _LATE,
        ),
        advice=(
            LONGER_PROBE,
            Advice(
                RemedyKind.OPEN_LINK,
                "See the log: the engine may still be loading, or listen on another port.",
                url="{logs_url}",
            ),
        ),
        source="1Password/scim-examples#309",
        confidence=Confidence.LIKELY,
        derive=_last_failure,
    ),
    KnownFailure(
        id="not-listening",
        rank=Rank.UNREADY,
        signs=(
            said(
                r"failed to start and listen on the port defined (?:provided )?by the "
                r"PORT=(?P<port>\d{1,5}) environment variable"
            ),
            said(r"Failed to start and then listen on the port defined by the PORT"),
        ),
        causes=(
            "The container did not listen on port {port} in time.",
            "The container did not listen on its port in time.",
        ),
        advice=(LONGER_PROBE, FIRST_ERROR),
        source="googlecodelabs/feedback#1814",
        confidence=Confidence.LIKELY,
    ),
    KnownFailure(
        id="probe-checks",
        rank=Rank.UNREADY,
        signs=(
            said(r"container failed the configured startup probe checks"),
            reason("HEALTH_CHECK_CONTAINER_ERROR"),
        ),
        causes=(
            (
                "The container did not answer {probe_path} on port {port} within {probe_time}, "
                "the time of the startup probe."
            ),
            _LATE,
        ),
        advice=(LONGER_PROBE, FIRST_ERROR),
        source="terraform-google-modules/terraform-docs-samples#254",
        confidence=Confidence.LIKELY,
    ),
    KnownFailure(
        id="readiness-deadline",
        rank=Rank.UNREADY,
        signs=(said(r"Resource readiness deadline exceeded"),),
        causes=(
            (
                "Cloud Run gave up waiting for the revision and its resources; it does not say "
                "what was missing."
            ),
        ),
        advice=(
            Advice(RemedyKind.REDEPLOY, "Deploy again."),
            Advice(
                RemedyKind.NONE,
                "If it happens again, check that Cloud Run's service agent may read the image, and "
                "that the service account, secrets and network are there.",
            ),
            FIRST_ERROR,
        ),
        source="NucleusEngineering/serverless#3",
        confidence=Confidence.LIKELY,
    ),
    KnownFailure(
        id="signal",
        rank=Rank.CONTAINER,
        signs=(logged(r"Container terminated on signal (?P<signal>\d{1,2})"),),
        causes=(
            "The container was ended by the signal {signal} ({meaning}). {last}",
            "The container was ended by the signal {signal}: {meaning}.",
            "The container was ended by the signal {signal}.",
        ),
        advice=(FIRST_ERROR,),
        source=_SYSTEM_LOG,
        confidence=Confidence.LIKELY,
        derive=_signal,
    ),
    KnownFailure(
        id="disk-full",
        rank=Rank.ENGINE,
        signs=(logged(r"No space left on device"),),
        causes=(DISK_FULL,),
        advice=(
            MORE_MEMORY,
            WRITE_LESS,
        ),
        source="Linux: text of ENOSPC",
    ),
)
