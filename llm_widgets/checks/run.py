"""Runs checks, all at once, and tells each row as its answer comes."""

from __future__ import annotations

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from llm_widgets.checks import (
    apis,
    billing,
    import_account,
    permissions,
    remedies,
    runtime,
    secret_manager,
)
from llm_widgets.domain.checklist import Answer, CheckState, Row, Subject
from llm_widgets.errors import Fix, ManagerError, unexpected
from llm_widgets.gcp.iam import propagation

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from llm_widgets.checks.context import Context

_log = logging.getLogger(__name__)

_PAUSES = (1, 2, 4, 8, *(15,) * 31)
"""Seconds between two looks whether a change has taken effect: as long as grants may take.

See :data:`llm_widgets.gcp.iam.propagation.LONGEST`.
"""

MOST_AT_ONCE = 64
"""Checks in flight: as many as there are connections."""


@dataclass(frozen=True, slots=True)
class Check:
    """One question to the cloud.

    Attributes
    ----------
    subjects
        The rows that its answer fills.
    ask
        Gives an answer for each of them, by key; a :class:`ManagerError` means that nothing
        can be told.
    """

    subjects: tuple[Subject, ...]
    ask: Callable[[Context], Mapping[str, Answer]]


CHECKS: tuple[Check, ...] = (
    Check((apis.SUBJECT,), apis.ask),
    Check((billing.SUBJECT,), billing.ask),
    Check(permissions.PROJECT_SUBJECTS, permissions.ask_project),
    Check((permissions.BUCKETS,), permissions.ask_buckets),
    Check((runtime.ACCOUNT,), runtime.ask_account),
    Check((runtime.ACT_AS,), runtime.ask_act_as),
    Check((runtime.READING,), runtime.ask_reading),
    Check((import_account.ACCOUNT,), import_account.ask_account),
    Check((import_account.ACT_AS,), import_account.ask_act_as),
    Check((secret_manager.SUBJECT,), secret_manager.ask),
)
"""The checks of the checklist, in the order of the page."""


def empty_rows(checks: Sequence[Check] = CHECKS) -> tuple[Row, ...]:
    """Return the rows before anything is known."""
    return tuple(Row(subject) for check in checks for subject in check.subjects)


def run(
    context: Context,
    tell: Callable[[Row], None],
    checks: Sequence[Check] = CHECKS,
) -> None:
    """Run checks, all at once, and come back when the last has answered.

    Parameters
    ----------
    tell
        Called with each row as it is answered, from several threads at once.
    """

    def one(check: Check) -> None:
        for subject, answer in _answers(check, context):
            tell(Row(subject, answer))

    if not checks:
        return
    with ThreadPoolExecutor(min(MOST_AT_ONCE, len(checks)), thread_name_prefix="check") as pool:
        list(pool.map(one, checks))


def wait_until_ok(context: Callable[[], Context], key: str, tell: Callable[[Row], None]) -> bool:
    """Ask for a row again until it is in order; say whether it came to that.

    Grants and enabled APIs take effect within minutes, not at once.

    Parameters
    ----------
    context
        Gives a context that knows nothing yet.
    tell
        Called with the rows of the check as they are answered.
    """
    check = next(check for check in CHECKS if key in {each.key for each in check.subjects})
    for pause in (0, *_PAUSES):
        time.sleep(pause)
        answered: list[Row] = []
        run(context(), answered.append, [check])
        for row in answered:
            tell(row)
        if any(row.key == key and row.state is CheckState.OK for row in answered):
            return True
    return False


def could_not_tell(error: ManagerError, context: Context) -> Answer:
    """Word a question that got no answer."""
    return Answer(
        CheckState.UNKNOWN,
        error.message,
        detail=error.cause,
        fix=context.localized(error.fix) if error.fix else None,
        action_label="Enable" if error.fix and error.fix.action else "",
    )


def _answers(check: Check, context: Context) -> list[tuple[Subject, Answer]]:
    try:
        found = check.ask(context)
    except ManagerError as error:
        answer = could_not_tell(error, context)
    except Exception as error:  # noqa: BLE001 - one check that breaks must not take the others with it
        _log.exception("A check failed in a way that has no sentence of its own")
        failure = unexpected(error)
        answer = Answer(CheckState.UNKNOWN, failure.message, detail=failure.cause)
    else:
        return [(each, _while_it_spreads(found[each.key], context)) for each in check.subjects]
    return [(subject, answer) for subject in check.subjects]


def _while_it_spreads(answer: Answer, context: Context) -> Answer:
    """Return what is missing without the fix that was carried out and has no effect yet."""
    action = answer.fix.action if answer.fix else ""
    age = remedies.spreading(context, action) if action else None
    if age is None:
        return answer
    told = f"Granted {propagation.ago(age)}. It takes {propagation.HOW_LONG} to take effect."
    return replace(answer, fix=Fix(told), action_label="")
