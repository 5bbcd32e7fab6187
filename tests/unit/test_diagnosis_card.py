"""The card of a failure: what is known in a sentence, what is not in its own words."""

from __future__ import annotations

from llm_widgets.diagnosis import Diagnosis, Evidence, LogLine, explain
from llm_widgets.page.services.diagnosis_card import DiagnosisCard, service_label
from llm_widgets.widgets.details import CopyText
from llm_widgets.widgets.notice import Notice
from llm_widgets.widgets.stream import Stream
from tests.unit.failure_cases import VLLM

LINES = ("Traceback (most recent call last):", '  File "/opt/zorp.py", line 7, in start')


def shown(diagnosis: Diagnosis) -> DiagnosisCard:
    card = DiagnosisCard(lambda _remedy, _done: None, service_label)
    card.show(diagnosis)
    return card


def explained(*lines: str) -> Diagnosis:
    return explain(Evidence(log=tuple(map(LogLine, lines))), VLLM)


def test_an_unknown_error_is_the_headline_with_its_lines_and_a_report() -> None:
    error = "zorp.FluxError: no flux <b>7</b>"
    found = explained("starting", *LINES, error, "Container called exit(1).")

    card = shown(found)

    (headline, *_) = (part for part in card.box.children if isinstance(part, Notice))
    (report,) = (part for part in card.box.children if isinstance(part, CopyText))
    (lines,) = (part for part in card.box.children if isinstance(part, Stream))
    assert headline.text == error
    assert headline.detail.startswith(found.meaning)
    assert "zorp.FluxError" in report.text
    assert [item["text"] for item in lines.items][-2:] == [error, "Container called exit(1)."]


def test_a_known_failure_needs_neither() -> None:
    card = shown(explained("ModuleNotFoundError: No module named 'flash_attn'"))

    assert not [part for part in card.box.children if isinstance(part, CopyText | Stream)]
