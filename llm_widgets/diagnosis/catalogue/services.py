"""Services that have nothing that answers."""

from __future__ import annotations

from llm_widgets.domain.failures.advice import AGAIN_LATER, FIRST_ERROR
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

FAILURES: tuple[KnownFailure, ...] = (
    KnownFailure(
        id="request-timeout",
        rank=Rank.SERVICE,
        signs=(logged(r"request has been terminated because it has reached the maximum request"),),
        causes=("A request took longer than the service allows.",),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with a request timeout of an hour, the longest there is.",
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
                "Try again in some minutes. If requests still fail, raise maximum instances.",
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
        id="instance-not-started",
        rank=Rank.SERVICE,
        signs=(anywhere(r"instance could not start successfully"),),
        causes=(
            "A request failed because its instance did not start; the log of the start says why.",
        ),
        advice=(
            Advice(
                RemedyKind.OPEN_LINK,
                "Look for the first error of the start in the log: mostly memory, the startup "
                "probe, "
                "a secret or the mounted bucket.",
                url="{logs_url}",
            ),
            Advice(RemedyKind.REDEPLOY, "Deploy again."),
        ),
        source="Cloud Run documentation: troubleshooting, instance could not start",
        confidence=Confidence.LIKELY,
    ),
    KnownFailure(
        id="most-instances",
        rank=Rank.SERVICE,
        signs=(logged(r"reached its maximum container instance limit"),),
        causes=(
            "All {instances} instances that the service may have are busy.",
            "All instances that the service may have are busy.",
        ),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with up to {more_instances} instances; each needs a GPU of the quota.",
                {"max_instances": "{more_instances}"},
            ),
            Advice(
                RemedyKind.NONE,
                "Or allow more requests for an instance (concurrency), if the engine takes them.",
            ),
        ),
        source="Cloud Run documentation: troubleshooting, 429",
    ),
    KnownFailure(
        id="not-authenticated",
        rank=Rank.SERVICE,
        signs=(
            logged(r"The request was not authenticated"),
            logged(r"The request was not authorized to (?:access|invoke) this service"),
            logged(r"access token could not be verified"),
        ),
        causes=(
            (
                "The caller of a request lacks permission to call the service, or sent no "
                "identity token."
            ),
        ),
        advice=(
            Advice(
                RemedyKind.RUN_COMMAND,
                "Let callers in: grant roles/run.invoker on the service to who calls it.",
                command="gcloud run services add-iam-policy-binding {service} --region={region} "
                "--project={project} --member={caller} --role=roles/run.invoker",
            ),
            Advice(
                RemedyKind.NONE,
                "Have roles/run.invoker on the service granted to the caller, and send an identity "
                "token in the header Authorization.",
            ),
        ),
        source="Cloud Run documentation: troubleshooting, 401 and 403",
    ),
    KnownFailure(
        id="connection-lost",
        rank=Rank.SERVICE,
        signs=(logged(r"malformed or connection to the instance had an error"),),
        causes=("An instance broke off while it answered: its container ended.",),
        advice=(FIRST_ERROR,),
        source="Cloud Run documentation: troubleshooting, malformed response",
        confidence=Confidence.LIKELY,
    ),
    KnownFailure(
        id="answer-too-large",
        rank=Rank.SERVICE,
        signs=(logged(r"Response size was too large\. Please consider reducing response size"),),
        causes=("An answer was larger than the 32 MiB that Cloud Run passes on at once.",),
        advice=(Advice(RemedyKind.NONE, "Have the answer streamed, or ask for a shorter one."),),
        source="Cloud Run documentation: quotas, size of responses over HTTP/1",
    ),
    KnownFailure(
        id="deadline",
        rank=Rank.SERVICE,
        signs=(
            reason("PROGRESS_DEADLINE_EXCEEDED"),
            said(r"timed out waiting for (?:the )?(?:revision|operation|service)"),
        ),
        causes=("Cloud Run gave up: the deployment took longer than it allows.",),
        advice=(Advice(RemedyKind.REDEPLOY, "Deploy again."), FIRST_ERROR),
        source="Cloud Run API: PROGRESS_DEADLINE_EXCEEDED of Condition.CommonReason",
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
            AGAIN_LATER,
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
