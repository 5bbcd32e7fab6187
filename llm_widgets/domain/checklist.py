"""The checklist: what a project needs before models are imported and deployed in it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from llm_widgets.domain.tables import Shown, Values

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llm_widgets.errors import Fix


class CheckState(StrEnum):
    """How a row is, in words that the page and the terminal show."""

    CHECKING = "Checking"
    OK = "OK"
    MISSING = "Missing"
    UNKNOWN = "Can't tell"


class Work(StrEnum):
    """What a person may want to do."""

    IMPORT = "import"
    DEPLOY = "deploy"


BOTH = frozenset({Work.IMPORT, Work.DEPLOY})


@dataclass(frozen=True, slots=True)
class Subject:
    """What is checked, and what it is for.

    Attributes
    ----------
    key
        Unique and stable, for example ``"permissions/run"``.
    """

    key: str
    title: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a check found.

    Attributes
    ----------
    text
        One sentence.
    detail
        More, for example the words of an API.
    fix
        What to do; its ``action`` is what the product can do itself.
    action_label
        Words on the button for that action.
    blocks
        What can't be done as long as this is missing.
    """

    state: CheckState
    text: str = ""
    detail: str = ""
    fix: Fix | None = None
    action_label: str = ""
    blocks: frozenset[Work] = frozenset()


@dataclass(frozen=True, slots=True)
class Row(Shown):
    """A row of the checklist."""

    subject: Subject
    answer: Answer = Answer(CheckState.CHECKING)

    @property
    def key(self) -> str:
        """Key of the subject."""
        return self.subject.key

    @property
    def state(self) -> CheckState:
        """State of the answer."""
        return self.answer.state

    def shown(self) -> Values:
        """Return what a list of checks tells of it."""
        fix = self.answer.fix
        told = (fix.text, fix.command, fix.url) if fix and self.state is not CheckState.OK else ()
        return {
            "check": self.subject.title,
            "state": self.state.value,
            "found": self.answer.text,
            "detail": self.answer.detail,
            "fix": " ".join(filter(None, told)),
            "blocks": sorted(self.answer.blocks),
            "key": self.key,
        }


def blockers(rows: Iterable[Row], work: Work) -> list[Row]:
    """Return the rows for which a kind of work would fail, in their order.

    What can't be told blocks nothing: it may well be there.
    """
    return [row for row in rows if row.state is CheckState.MISSING and work in row.answer.blocks]


def replaced(rows: Iterable[Row], row: Row) -> tuple[Row, ...]:
    """Return the rows with one in the place of the row that has its key."""
    return tuple(row if each.key == row.key else each for each in rows)


def summary(rows: Iterable[Row]) -> str:
    """Return in a few words how many rows are in which state."""
    states = [row.state for row in rows]
    if not states:
        return ""
    if all(state is CheckState.OK for state in states):
        return f"All {len(states)} checks passed"
    parts = [
        (states.count(CheckState.OK), "of {} checks passed"),
        (states.count(CheckState.MISSING), "missing"),
        (states.count(CheckState.UNKNOWN), "unknown"),
        (states.count(CheckState.CHECKING), "checking"),
    ]
    said = [
        f"{count} {words.format(len(states))}"
        for index, (count, words) in enumerate(parts)
        if count or not index
    ]
    return ", ".join(said)
