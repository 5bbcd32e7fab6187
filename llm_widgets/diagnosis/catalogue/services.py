"""Services that have nothing that answers."""

from __future__ import annotations

from llm_widgets.domain.failures.known_failure import (
    Confidence,
    KnownFailure,
    Rank,
    anywhere,
    logged,
    reason,
    said,
)
from llm_widgets.domain.failures.remedies import Advice, RemedyKind

_LOGS = Advice(
    RemedyKind.OPEN_LINK, "Its log has the details: look for the first error.", url="{logs_url}"
)

FAILURES: tuple[KnownFailure, ...] = (
    KnownFailure(
        id="request-timeout",
        rank=Rank.SERVICE,
        signs=(logged(r"request has been terminated because it has reached the maximum request"),),
        causes=("A request took longer than the service allows.",),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy it with a request timeout of an hour, the longest there is.",
                {"timeout": "3600"},
            ),
        ),
        source="Cloud Run documentation: troubleshooting, request timeouts",
    ),
    KnownFailure(
        id="no-instance",
        rank=Rank.SERVICE,
        signs=(
            anywhere(r"request was aborted because there was no available instance"),
            reason("MIN_INSTANCES_NOT_PROVISIONED"),
        ),
        causes=(
            (
                "There was no instance for a request: those there are were busy or starting, the "
                "service may have {instances} at most, or the region has no GPU free."
            ),
            (
                "There was no instance for a request: those there are were busy or starting, or "
                "the region has no GPU free."
            ),
        ),
        advice=(
            Advice(
                RemedyKind.NONE,
                "Try again in some minutes; if it goes on, allow it more instances.",
            ),
            Advice(
                RemedyKind.CHOOSE,
                "Use another region that has this GPU: {gpu_regions_text}.",
                {"regions": "{gpu_regions}"},
            ),
        ),
        source="hashicorp/terraform-provider-google#13193",
        confidence=Confidence.LIKELY,
    ),
    KnownFailure(
        id="connection-lost",
        rank=Rank.SERVICE,
        signs=(logged(r"malformed or connection to the instance had an error"),),
        causes=("An instance broke off while it answered: its container ended.",),
        advice=(_LOGS,),
        source="Cloud Run documentation: troubleshooting, malformed response",
        confidence=Confidence.LIKELY,
    ),
    KnownFailure(
        id="deadline",
        rank=Rank.SERVICE,
        signs=(
            reason("PROGRESS_DEADLINE_EXCEEDED"),
            said(r"timed out waiting for (?:the )?(?:revision|operation|service)"),
        ),
        causes=("Cloud Run gave up: the deployment took longer than it allows.",),
        advice=(Advice(RemedyKind.REDEPLOY, "Deploy it again."), _LOGS),
        source="Cloud Run API: Condition.CommonReason",
        confidence=Confidence.LIKELY,
    ),
    KnownFailure(
        id="google-failed",
        rank=Rank.SERVICE,
        signs=(
            said(r"An internal error (?:has )?occurred"),
            said(r"The service is currently unavailable"),
            reason("INTERNAL", "UNAVAILABLE"),
        ),
        causes=("Cloud Run itself failed; nothing is known to be wrong with the deployment.",),
        advice=(
            Advice(RemedyKind.REDEPLOY, "Deploy it again in some minutes."),
            Advice(
                RemedyKind.OPEN_LINK,
                "See whether Google reports trouble.",
                url="https://status.cloud.google.com/",
            ),
        ),
        source="Cloud Run API: INTERNAL of Condition.CommonReason",
        confidence=Confidence.LIKELY,
    ),
)
