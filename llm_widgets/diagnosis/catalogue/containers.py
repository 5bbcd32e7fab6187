"""Containers that end or do not answer: effects, mostly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain.failures.advice import ADDRESS, LONGER_PROBE, MORE_MEMORY, UNANSWERED
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

_MEANINGS = {
    "126": "the program may not be run",
    "127": "there is no such program in the image",
    "132": "the processor does not know an instruction of the program",
    "134": "the program gave up",
    "137": "it was killed, mostly for want of memory",
    "139": "the program crashed",
    "143": "it was asked to end",
}
_LOGS = Advice(
    RemedyKind.OPEN_LINK, "Its log has the details: look for the first error.", url="{logs_url}"
)


def _exit(groups: Groups, context: Context) -> Groups | None:  # noqa: ARG001 - all take both
    if groups["code"] == "0":
        return {**groups, "meaning": "it was done, and a service must go on"}
    meaning = _MEANINGS.get(groups["code"])
    return {**groups, "meaning": meaning} if meaning else groups


def _last_failure(groups: Groups, context: Context) -> Groups | None:
    """Leave out failures that a starting container is allowed."""
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
                "Deploy it with the engine on port {port}.",
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
            "The container ended by itself with the code {code}: {meaning}.",
            "The container ended by itself with the code {code}.",
        ),
        advice=(_LOGS,),
        source="Cloud Run: system log of a revision",
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
            "It did not answer on port {port} within {probe_time}, the time of the startup probe.",
            "It did not answer on port {port} within the time of the startup probe.",
            "It did not answer within the time of the startup probe.",
        ),
        advice=(
            LONGER_PROBE,
            Advice(
                RemedyKind.OPEN_LINK,
                "See in its log how far it came: it may be loading, or listening elsewhere.",
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
        advice=(LONGER_PROBE, _LOGS),
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
                "It did not answer {probe_path} on port {port} within {probe_time}, the time of "
                "the startup probe."
            ),
            "It did not answer within the time of the startup probe.",
        ),
        advice=(LONGER_PROBE, _LOGS),
        source="terraform-google-modules/terraform-docs-samples#254",
        confidence=Confidence.LIKELY,
    ),
    KnownFailure(
        id="disk-full",
        rank=Rank.ENGINE,
        signs=(logged(r"No space left on device"),),
        causes=("The container's file system is full; it lies in the container's memory.",),
        advice=(
            MORE_MEMORY,
            Advice(RemedyKind.NONE, "Let it write less, or give it more memory."),
        ),
        source="Linux: text of ENOSPC",
    ),
)
