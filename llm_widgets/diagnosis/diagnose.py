"""From what is known of a failure to its cause."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from llm_widgets.diagnosis import answers
from llm_widgets.diagnosis.catalogue import catalogue
from llm_widgets.diagnosis.classes.classify import class_of
from llm_widgets.diagnosis.evidence import Evidence, LogLine, begins, readable, texts
from llm_widgets.diagnosis.log_records import Level, records
from llm_widgets.diagnosis.matching import Found, search
from llm_widgets.diagnosis.offers import offers
from llm_widgets.diagnosis.refused import Refused, refused
from llm_widgets.diagnosis.report import issues_url, report
from llm_widgets.diagnosis.root_cause import RootCause, around, last_said, root_cause
from llm_widgets.diagnosis.template_values import known
from llm_widgets.diagnosis.tried import not_again
from llm_widgets.domain.failures.advice import FIRST_ERROR
from llm_widgets.domain.failures.context import Context
from llm_widgets.domain.failures.known_failure import Confidence, Place, Rank
from llm_widgets.domain.failures.remedies import Advice, Remedy, RemedyKind, filled, in_sentence
from llm_widgets.domain.tables import Shown, Values
from llm_widgets.engines import registry

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from llm_widgets.engines.base import Engine

REFUSED = "refused"
"""Id of the diagnosis of a refusal of Google's."""

UNKNOWN = "unknown"
"""Id of the diagnosis of a failure that neither the catalogue nor the log explains."""

_LONGEST_PROOF = 600  # characters
_LAST_LINES = 20
_SEVERE = ("ERROR", "CRITICAL", "ALERT", "EMERGENCY")
_LOADING = re.compile(r"load_model|load_weights|create_weights|initialize_model|get_model")
_VARIABLE = re.compile(r"\b[A-Z][A-Z0-9]{1,20}(?:_[A-Z0-9]{1,30}){1,8}\b")
_LAST_FILES = 3  # of a traceback: those before are the engine's frame around all that it does
_PACKAGE = re.compile(r"-packages/([A-Za-z]\w{1,40})[/.]")
_FLAG = re.compile(r"--[a-z][\w-]{1,60}|\b[a-z]{2,20}(?:_[a-z]{1,20}){1,6}\b")
_SEARCH = Advice(
    RemedyKind.OPEN_LINK, "Search for the error in the issues of {engine}.", url="{issues}"
)
_LOGS = Advice(RemedyKind.OPEN_LINK, "See the whole log.", url="{logs_url}")


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
class Diagnosis(Shown):
    """Why something failed.

    Attributes
    ----------
    id
        Of the failure in the catalogue, of the class of the error, or ``unknown``.
    cause
        One sentence; for an error that the catalogue does not have, its own words.
    proof
        ``None`` only when there is no text at all.
    remedies
        At least one, the best first.
    source
        From where this failure is known.
    meaning
        What can be said of an error that the catalogue does not have, in a sentence.
    lines
        Lines of the log around that error; the last ones where there is none.
    report
        What to tell the authors of the engine; empty for what is known.
    passes
        Whether it goes away by itself.
    """

    id: str
    cause: str
    proof: Proof | None
    remedies: tuple[Remedy, ...]
    confidence: Confidence
    source: str = ""
    meaning: str = ""
    lines: tuple[LogLine, ...] = ()
    report: str = ""
    passes: bool = False

    def shown(self) -> Values:
        """Return the cause, what proves it, and what to do."""
        return {
            "cause": self.cause,
            "meaning": self.meaning,
            "proof": f"{self.proof.place.label}: {self.proof.text}" if self.proof else "",
            "remedies": [
                " ".join(filter(None, (each.text, each.command, each.url)))
                for each in self.remedies
            ],
            "confidence": self.confidence.value,
            "passes": self.passes,
            "id": self.id,
        }


def explain(evidence: Evidence, context: Context | None = None) -> Diagnosis:
    """Return why something failed, or what there is to see when that is not known."""
    context = context or Context()
    cause = root_cause(evidence.log, begins(evidence.log))
    found = _known(evidence, context, cause) or _shown(evidence, context, cause)
    return _without_tried(found, context)


def diagnose(evidence: Evidence, context: Context | None = None) -> Diagnosis | None:
    """Find the cause of a failure.

    The error that decides is found by the form of the log (:func:`.root_cause`). What the
    catalogue knows of it explains it; what the catalogue finds elsewhere counts where it comes
    before any error of an engine, or where there is no such error. A refusal of Google's
    (:func:`.refused`) counts before all but what the catalogue knows of that sentence. So effects
    (a container that ended, a probe that failed) never hide the error that they follow from.

    Of several failures of the catalogue, the one with the lowest
    :class:`~.known_failure.Rank` is the cause; among these one whose text names its cause, then
    one of the deciding error, then the one that appears first, then the one that comes first in
    the catalogue.

    Returns
    -------
    Diagnosis | None
        ``None`` when the catalogue has none of what is found.
    """
    context = context or Context()
    found = _known(evidence, context, root_cause(evidence.log, begins(evidence.log)))
    return _without_tried(found, context) if found else None


def unknown(evidence: Evidence, context: Context | None = None) -> Diagnosis:
    """Show the error that the log tells, or the words of Cloud Run and the end of the log."""
    return _shown(evidence, context or Context(), root_cause(evidence.log, begins(evidence.log)))


def _without_tried(found: Diagnosis, context: Context) -> Diagnosis:
    return replace(found, remedies=not_again(found.id, found.remedies, context))


def _known(evidence: Evidence, context: Context, cause: RootCause | None) -> Diagnosis | None:
    told = _values(cause, evidence, context)
    failures = search(texts(evidence), catalogue(context.framework), context, told)
    found = [each for each in failures if not _is_harmless(each, cause)]
    best = min(found, key=lambda each: _precedence(each, cause), default=None)
    is_said = best is not None and _is_said(best)
    if not is_said and (refusal := refused(evidence, context)):
        return _refusal(refusal, context)
    if best is None:
        return None
    if cause and not _explains(best, cause):
        return _in_its_own_words(cause, evidence, context)
    return _diagnosis(_whole(best, cause), context)


def _whole(found: Found, cause: RootCause | None) -> Found:
    """Complete a value that the deciding error has in its next line: "… raised:"."""
    if cause is None or not _is_of(found, cause):
        return found
    groups = {
        name: cause.text if value.endswith(":") and value in cause.line else value
        for name, value in found.groups.items()
    }
    return replace(found, groups=groups)


def _shown(evidence: Evidence, context: Context, cause: RootCause | None) -> Diagnosis:
    messages = [m for m in (evidence.operation, *evidence.conditions) if m.strip()]
    if cause and not evidence.operation.strip() and (cause.is_certain or not messages):
        return _in_its_own_words(cause, evidence, context)
    lines = tuple(line for line in evidence.log if line.text.strip())[-_LAST_LINES:]
    sentence, proof = _words_of_cloud_run(evidence, messages)
    severe = [line for line in lines if line.severity.upper() in _SEVERE]
    if (severe or lines) and (severe or proof is None):
        line = (severe or list(lines))[-1]
        shown = _clipped(readable(line.text), _LONGEST_PROOF)
        proof = Proof(shown, Place.LOG, line.time, line.severity)
    kind, told = answers.class_of(readable(messages[0])) if messages else (None, {})
    if kind is None:
        url = known(context).get("logs_url", "")
        link = RemedyKind.OPEN_LINK if url else RemedyKind.NONE
        remedy = Remedy(link, FIRST_ERROR.text, url=url)
        return Diagnosis(UNKNOWN, sentence, proof, (remedy,), Confidence.LIKELY, lines=lines)
    facts = known(context)
    values = {**facts, **told}
    return Diagnosis(
        id=kind.id,
        cause=sentence,
        proof=proof,
        remedies=offers(kind.advice, values, facts, context),
        confidence=Confidence.LIKELY,
        meaning=filled(kind.meaning, in_sentence(values)) or "",
        lines=lines,
    )


def _words_of_cloud_run(evidence: Evidence, messages: list[str]) -> tuple[str, Proof | None]:
    if messages:
        place = Place.OPERATION if evidence.operation.strip() else Place.CONDITION
        shown = _clipped(readable(messages[0]), _LONGEST_PROOF)
        return f"Cloud Run says: {shown}", Proof(shown, place)
    if evidence.reasons:
        reason = readable(evidence.reasons[0])
        sentence = f"Cloud Run gives the reason {reason}, and no message."
        return sentence, Proof(reason, Place.REASON)
    if any(line.text.strip() for line in evidence.log):
        return "Cloud Run gives no reason; these are the last lines of the log.", None
    return "Cloud Run gives no reason, and the log is empty.", None


def _precedence(found: Found, cause: RootCause | None) -> tuple[int, bool, bool, int]:
    """Sort causes before effects; what is equal stays in the order of the catalogue."""
    uncertain = found.kind.confidence is not Confidence.CERTAIN
    is_of = _is_of(found, cause)
    return (found.kind.rank, uncertain, not is_of, -1 if is_of else found.first)


def _is_harmless(found: Found, cause: RootCause | None) -> bool:
    """Return whether a failure of an engine is found only in what it calls no error.

    "For the best performance, please install …" is no reason why it does not start.
    """
    line = found.text.line
    if line is None or found.kind.rank not in (Rank.HARDWARE, Rank.ENGINE):
        return False
    if cause and found.text.position in cause.errors:
        return False
    record = next(records((line,)), None)
    calm = record is not None and record.level in (Level.INFO, Level.WARNING)
    return calm and bool(record and record.place.rpartition(":")[0].endswith(".py"))


def _is_of(found: Found, cause: RootCause | None) -> bool:
    """Return whether a failure of the catalogue is found in the words of the deciding error."""
    return cause is not None and any(
        sign.pattern.search(cause.whole) for sign in found.kind.signs if Place.LOG in sign.places
    )


def _is_said(found: Found) -> bool:
    """Return whether Cloud Run says itself that it could not begin to run the container."""
    in_words = found.text.place in (Place.OPERATION, Place.CONDITION)
    return in_words and found.kind.rank <= Rank.MOUNT


def _explains(found: Found, cause: RootCause) -> bool:
    """Return whether a failure of the catalogue explains more than the deciding error says."""
    rank = found.kind.rank
    if rank < Rank.ENGINE or (rank is Rank.ENGINE and found.text.place is not Place.LOG):
        return True
    if rank in (Rank.KILLED_UNSAID, Rank.ENGINE_ENDED):
        return not cause.is_certain
    if _is_of(found, cause):
        return True
    if rank is Rank.ENGINE:
        return not cause.is_certain or found.text.position in cause.errors
    # Lines that call themselves errors may be harmless, but for a container that ended by itself.
    return not cause.is_certain and rank is not Rank.CONTAINER


def _values(cause: RootCause | None, evidence: Evidence, context: Context) -> dict[str, str]:
    """Return values for the templates that follow from the log as a whole."""
    values: dict[str, str] = {}
    engine = registry.of(context.framework)
    if engine and engine.measured:
        values.update(_newest(engine.measured, evidence))
    # While weights are loaded, nothing but a larger GPU or a smaller model makes room.
    if cause is None or not any(map(_LOADING.search, cause.frames)):
        values["may_free"] = "yes"
    if cause is None and (last := last_said(evidence.log, begins(evidence.log))):
        values["last"] = f"The last line before: {last}"
    if cause:
        given = (name for name in _VARIABLE.findall(cause.text) if name in context.environment)
        if first := next(given, ""):
            values["given_variable"] = first
        if cause.files and (package := _PACKAGE.search(cause.files[-1])):
            values["raising"] = package[1]
    if engine and cause:
        values.update(_turned_on(cause, engine, context))
    return values


def _turned_on(cause: RootCause, engine: Engine, context: Context) -> Iterator[tuple[str, str]]:
    """Yield the argument that an error names, and what turns on the feature that it is about."""
    named = (name if name[0] == "-" else f"--{name}" for name in _FLAG.findall(cause.text))
    flags = (name.replace("_", "-") for name in named)
    given = (name for name in flags if engine.command_line.has(context.args, name))
    if first := next(given, ""):
        yield "given", first
    words = " ".join((cause.text, *cause.files[-_LAST_FILES:]))
    about = (feature for feature in engine.features if feature.words.search(words))
    found = (feature.turned_on(context, engine.command_line) for feature in about)
    yield from next(filter(None, found), {}).items()


def _newest(pattern: re.Pattern[str], evidence: Evidence) -> dict[str, str]:
    """Return the groups of the newest line of a log that a pattern matches."""
    for line in reversed(evidence.log[begins(evidence.log) :]):
        if match := pattern.search(line.text):
            return {name: value for name, value in match.groupdict().items() if value}
    return {}


def _in_its_own_words(cause: RootCause, evidence: Evidence, context: Context) -> Diagnosis:
    """Return the diagnosis of an error that the catalogue does not have."""
    kind = class_of(cause)
    facts = known(context)
    told = {**facts, **_values(cause, evidence, context)}
    # The words searched for are the log's; where they are searched is not.
    trusted = {**facts, "issues": issues_url(cause.text, context)}
    link = (_SEARCH,) if trusted["issues"] else (_LOGS,)
    line = evidence.log[cause.position]
    lines = around(evidence.log, cause)
    shown = readable(line.text) if "\n" not in line.text.strip() else cause.line
    return Diagnosis(
        id=kind.id,
        cause=cause.text,
        proof=Proof(_clipped(shown, _LONGEST_PROOF), Place.LOG, line.time, line.severity),
        remedies=offers((*kind.advice, *link), told, trusted, context),
        confidence=Confidence.LIKELY,
        meaning=filled(kind.meaning, in_sentence(told)) or "",
        lines=lines,
        report=report(cause.text, lines, context),
    )


def _diagnosis(found: Found, context: Context) -> Diagnosis:
    kind, text, facts = found.kind, found.text, known(context)
    told: Mapping[str, str] = {**facts, **found.groups}
    # Whoever makes the container print something must not choose who is granted what.
    trusted = facts if text.place is Place.LOG else told
    sentences = (filled(cause, in_sentence(told)) for cause in kind.causes)
    line = text.line
    return Diagnosis(
        id=kind.id,
        cause=next((sentence for sentence in sentences if sentence), ""),
        proof=Proof(
            text=_window(text.text, found.span),
            place=text.place,
            time=line.time if line else None,
            severity=line.severity if line else "",
        ),
        remedies=offers(kind.advice, told, trusted, context),
        confidence=kind.confidence,
        source=kind.source,
    )


def _refusal(refusal: Refused, context: Context) -> Diagnosis:
    """Return the diagnosis of a refusal: in the words that it has wherever Google refuses."""
    return Diagnosis(
        id=REFUSED,
        cause=refusal.error.message,
        proof=Proof(_clipped(refusal.text.text, _LONGEST_PROOF), refusal.text.place),
        remedies=refusal.remedies or offers((_LOGS,), {}, known(context), context),
        confidence=Confidence.CERTAIN,
        source="Google APIs: llm_widgets.gcp.refusals",
    )


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
