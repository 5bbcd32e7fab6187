"""Refusals of Google's in what Cloud Run says, worded by the rules for all of its APIs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_widgets.diagnosis.evidence import Text, readable
from llm_widgets.domain.failures.known_failure import Place
from llm_widgets.domain.failures.remedies import Remedy, RemedyKind
from llm_widgets.errors import RateLimitError
from llm_widgets.gcp.refusals import reading, rules
from llm_widgets.gcp.refusals.doing import Doing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from llm_widgets.diagnosis.evidence import Evidence
    from llm_widgets.domain.failures.context import Context
    from llm_widgets.errors import ManagerError


@dataclass(frozen=True, slots=True)
class Refused:
    """A refusal, and the text or the reason that it is told by."""

    error: ManagerError
    text: Text

    @property
    def remedies(self) -> tuple[Remedy, ...]:
        """What to do about it; empty where nobody knows."""
        fix = self.error.fix
        found = (Remedy.of(fix),) if fix else ()
        if isinstance(self.error, RateLimitError):
            return (Remedy(RemedyKind.REDEPLOY, "Deploy again in a minute."), *found)
        return found


def refused(evidence: Evidence, context: Context) -> Refused | None:
    """Return the refusal that a request or a revision met; ``None`` where it met none."""
    if isinstance(evidence.error, rules.REFUSALS):
        said = Text(readable(evidence.operation), Place.OPERATION)
        return Refused(evidence.error, said)
    doing = Doing(
        "deploy the service",
        project=context.project,
        bucket=context.bucket,
        number=context.project_number,
        image=context.image,
        caller=context.caller,
    )
    for text, reason in _told(evidence):
        refusal = reading.of_text("" if text.place is Place.REASON else text.text, reason)
        if error := rules.special(refusal, doing):
            return Refused(error, text)
    return None


def _told(evidence: Evidence) -> Iterator[tuple[Text, str]]:
    """Yield what Cloud Run says, each text or reason for itself: sentences tell more."""
    if evidence.operation.strip():
        yield Text(readable(evidence.operation), Place.OPERATION), ""
    for condition in evidence.conditions:
        yield Text(readable(condition), Place.CONDITION), ""
    for reason in evidence.reasons:
        yield Text(readable(reason), Place.REASON), reason
