"""From what is known of a failure to its cause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_widgets.diagnosis.catalogue import catalogue
from llm_widgets.diagnosis.evidence import Evidence, LogLine, Text, readable, texts
from llm_widgets.diagnosis.template_values import known
from llm_widgets.domain.failures.context import Context
from llm_widgets.domain.failures.known_failure import Confidence, KnownFailure, Place, Sign
from llm_widgets.domain.failures.remedies import Remedy, RemedyKind, filled, in_sentence
from llm_widgets.engines import registry

if TYPE_CHECKING:
    import re
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

UNKNOWN = "unknown"
"""Id of the diagnosis of a failure that the catalogue does not have."""

_LONGEST_PROOF = 600  # characters
_LAST_LINES = 20
_LOOK = Remedy(RemedyKind.NONE, "What the catalogue advises is done already: look into the log.")
_SEVERE = ("ERROR", "CRITICAL", "ALERT", "EMERGENCY")


@dataclass(frozen=True, slots=True)
class Proof:
    """The text that proves a diagnosis, as it was found. It is text: a page must escape it.

    Attributes
    ----------
    time
        When it was logged; ``None`` for what is not from a log.
    """

    text: str
    place: Place
    time: datetime | None = None
    severity: str = ""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why something failed.

    Attributes
    ----------
    id
        Of the failure in the catalogue, or ``unknown``.
    cause
        One sentence.
    proof
        ``None`` only when there is no text at all.
    remedies
        At least one, the best first.
    source
        From where this failure is known.
    lines
        The last lines of the log, for a failure that is not known.
    """

    id: str
    cause: str
    proof: Proof | None
    remedies: tuple[Remedy, ...]
    confidence: Confidence
    source: str = ""
    lines: tuple[LogLine, ...] = ()


@dataclass(frozen=True, slots=True)
class _Found:
    """A failure of the catalogue that was found.

    Attributes
    ----------
    first
        Position in the log where it appears first: what comes later may follow from it.
    """

    kind: KnownFailure
    text: Text
    span: tuple[int, int]
    groups: dict[str, str]
    first: int


def explain(evidence: Evidence, context: Context | None = None) -> Diagnosis:
    """Say why something failed, or show what there is when that is not known."""
    return diagnose(evidence, context) or unknown(evidence, context)


def diagnose(evidence: Evidence, context: Context | None = None) -> Diagnosis | None:
    """Find the cause of a failure.

    Of several failures that are found, the one with the lowest :class:`~.kinds.Rank` is the
    cause; among these one whose text names its cause, then the one that appears first, then the
    one that comes first in the catalogue.

    Returns
    -------
    Diagnosis | None
        ``None`` when the catalogue does not have it.
    """
    context = context or Context()
    found = _found(evidence, context)
    if not found:
        return None
    return _diagnosis(min(found, key=_precedence), context)


def unknown(evidence: Evidence, context: Context | None = None) -> Diagnosis:
    """Show the words of Cloud Run and the end of the log: for failures that are not known."""
    lines = tuple(line for line in evidence.log if line.text.strip())[-_LAST_LINES:]
    messages = [m for m in (evidence.operation, *evidence.conditions) if m.strip()]
    severe = [line for line in lines if line.severity.upper() in _SEVERE]
    proof: Proof | None = None
    if messages:
        place = Place.OPERATION if evidence.operation.strip() else Place.CONDITION
        cause = f"Cloud Run says: {_clipped(readable(messages[0]), _LONGEST_PROOF)}"
        proof = Proof(_clipped(readable(messages[0]), _LONGEST_PROOF), place)
    elif evidence.reasons:
        cause = f"Cloud Run gives the reason {readable(evidence.reasons[0])}, and no message."
        proof = Proof(readable(evidence.reasons[0]), Place.REASON)
    elif lines:
        cause = "Cloud Run gives no reason; these are the last lines of the log."
    else:
        cause = "Cloud Run gives no reason, and the log is empty."
    if (severe or lines) and (severe or proof is None):
        line = (severe or list(lines))[-1]
        shown = _clipped(readable(line.text), _LONGEST_PROOF)
        proof = Proof(shown, Place.LOG, line.time, line.severity)
    url = known(context or Context()).get("logs_url", "")
    kind = RemedyKind.OPEN_LINK if url else RemedyKind.NONE
    remedy = Remedy(kind, "Look for the first error in the log.", url=url)
    return Diagnosis(UNKNOWN, cause, proof, (remedy,), Confidence.LIKELY, lines=lines)


def _precedence(found: _Found) -> tuple[int, bool, int]:
    """Sort causes before effects; what is equal stays in the order of the catalogue."""
    return (found.kind.rank, found.kind.confidence is not Confidence.CERTAIN, found.first)


def _found(evidence: Evidence, context: Context) -> list[_Found]:
    where = texts(evidence)
    failures = catalogue(context.framework)
    found: dict[str, _Found] = {}
    for kind in failures:
        if not kind.given and (match := _match(kind, where, context, {})):
            found[kind.id] = match
    for kind in failures:
        beside = [found[id_] for id_ in kind.given if id_ in found]
        if beside:
            groups = {name: value for each in beside for name, value in each.groups.items()}
            if match := _match(kind, where, context, groups):
                found[kind.id] = match
    return [found[kind.id] for kind in failures if kind.id in found]


def _match(
    kind: KnownFailure,
    where: Mapping[Place, list[Text]],
    context: Context,
    beside: Mapping[str, str],
) -> _Found | None:
    """Find the newest text that a kind's first matching sign matches."""
    for sign in kind.signs:
        matches = _matches(sign, where)
        newest = next(matches, None)
        if newest is None:
            continue
        text, match = newest
        told = {name: value for name, value in match.groupdict().items() if value}
        groups: dict[str, str] | None = {**beside, **told}
        if kind.derive is not None and groups is not None:
            groups = kind.derive(groups, context)
        if groups is None:
            continue
        first = min((other.position for other, _ in matches), default=text.position)
        return _Found(kind, text, match.span(), groups, min(first, text.position))
    return None


def _matches(sign: Sign, where: Mapping[Place, list[Text]]) -> Iterator[tuple[Text, re.Match[str]]]:
    for place in sign.places:
        newest_first: Iterable[Text] = where[place]
        if place is Place.LOG:
            newest_first = reversed(where[place])
        for text in newest_first:
            if match := sign.pattern.search(text.text):
                yield text, match


def _diagnosis(found: _Found, context: Context) -> Diagnosis:
    kind, text, facts = found.kind, found.text, known(context)
    told = {**facts, **found.groups}
    # Whoever makes the container print something must not choose who is granted what.
    trusted = facts if text.place is Place.LOG else told
    sentences = (filled(cause, in_sentence(told)) for cause in kind.causes)
    cause = next((sentence for sentence in sentences if sentence), "")
    line = text.line
    return Diagnosis(
        id=kind.id,
        cause=cause,
        proof=Proof(
            text=_window(text.text, found.span),
            place=text.place,
            time=line.time if line else None,
            severity=line.severity if line else "",
        ),
        remedies=_remedies(kind, told, trusted, context),
        confidence=kind.confidence,
        source=kind.source,
    )


def _remedies(
    kind: KnownFailure, told: Mapping[str, str], trusted: Mapping[str, str], context: Context
) -> tuple[Remedy, ...]:
    """Fill a kind's advice, without what would change nothing."""
    found: list[Remedy] = []
    for advice in kind.advice:
        remedy = None if advice.fallback and found else advice.remedy(told, trusted)
        if remedy and not _is_done(remedy, context):
            found.append(remedy)
    return tuple(found) or (_LOOK,)


def _is_done(remedy: Remedy, context: Context) -> bool:
    """Return whether the deployment is as a remedy would make it."""
    wanted = remedy.parameters
    engine = registry.of(context.framework)
    if remedy.kind is not RemedyKind.REDEPLOY or not wanted:
        return False
    is_so: dict[str, Callable[[str], bool]] = {
        "add_argument": lambda word: word in context.args,
        "add_mount_options": lambda text: set(text.split(",")) <= set(context.mount_options),
        "environment": lambda text: all(
            context.environment.get(pair.partition("=")[0]) == pair.partition("=")[2]
            for pair in text.split(";")
        ),
        "max_model_len": lambda value: bool(engine and engine.context.told(context) == value),
    }
    return all(name in is_so and is_so[name](value) for name, value in wanted.items())


def _window(text: str, span: tuple[int, int]) -> str:
    """Return the part of a long text that matched, with what is around it."""
    if len(text) <= _LONGEST_PROOF:
        return text
    room = max(0, _LONGEST_PROOF - (span[1] - span[0])) // 2
    begin = max(0, span[0] - room)
    end = min(len(text), begin + _LONGEST_PROOF)
    return ("…" if begin else "") + text[begin:end].strip() + ("…" if end < len(text) else "")


def _clipped(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
