"""How a service is: its deployment step by step, why it failed, its configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as w

from llm_widgets.domain import gpus, links
from llm_widgets.domain.services import told_text
from llm_widgets.domain.units import duration_text
from llm_widgets.engines import registry
from llm_widgets.gcp.client import messages
from llm_widgets.page.services.diagnosis_card import DiagnosisCard, service_label
from llm_widgets.page.services.form_entry import CONCURRENCY
from llm_widgets.page.services.log_panel import log_stream
from llm_widgets.page.services.services_table import CONSOLE
from llm_widgets.page.services.start_card import StartCard
from llm_widgets.serving import codec, concurrency
from llm_widgets.serving.deployment_steps import StepState
from llm_widgets.widgets.details import Detail, DetailList
from llm_widgets.widgets.layout import card, stack
from llm_widgets.widgets.notice import Notice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from llm_widgets.diagnosis import Remedy
    from llm_widgets.domain.services import Deployment, ServiceSummary
    from llm_widgets.gcp.run.summaries import ConditionFact
    from llm_widgets.page.services.service import ServicePageState
    from llm_widgets.page.services.service_edit import ServiceEditState
    from llm_widgets.serving.deployment_steps import StepReached
    from llm_widgets.widgets.table import StatusState

_STEPS: dict[StepState, StatusState] = {
    StepState.DONE: "ok",
    StepState.ACTIVE: "busy",
    StepState.WAITING: "off",
    StepState.FAILED: "error",
}
_CONDITIONS: dict[str, StatusState] = {
    "SUCCEEDED": "ok",
    "FAILED": "error",
    "RECONCILING": "busy",
    "PENDING": "busy",
}


class OverviewCard:
    """Draws how a service is; ``box`` is what goes into the page."""

    def __init__(self, state: ServicePageState, edit: ServiceEditState, *, is_local: bool) -> None:
        self._state = state
        self._steps = DetailList()
        self._details = DetailList()
        self._conditions = DetailList()
        self._error = Notice()

        def redeploy(remedy: Remedy, ended: Callable[[], None]) -> None:
            edit.remedy(dict(state.document), remedy, ended)

        self._diagnosis = DiagnosisCard(
            redeploy,
            lambda remedy: service_label(remedy) if state.is_managed else "",
            is_local=is_local,
        )
        deployment = w.Box(
            [
                card("Deployment", self._steps),
                card("Live log", log_stream(state.log, "Live log", "240px")),
            ]
        )
        deployment.add_class("llm-halves")
        self._deployment = deployment
        self.box = stack(
            self._error,
            self._diagnosis.box,
            deployment,
            StartCard(state, redeploy).box,
            card("Configuration", self._details),
            card("Conditions", self._conditions),
            *(() if is_local else (card("Cloud Console", _console(state.name)),)),
        )
        state.observe(self._draw, ["summary", "document", "measured"])
        state.observe(self._draw_steps, "steps")
        state.observe(self._draw_conditions, "conditions")
        state.observe(self._draw_diagnosis, "diagnosis")
        state.observe(self._draw_error, "error")
        for draw in (self._draw, self._draw_steps, self._draw_conditions, self._draw_diagnosis):
            draw()

    def _draw_error(self, _: object = None) -> None:
        if self._state.error:
            self._error.show_error(self._state.error)
        else:
            self._error.clear()

    def _draw_steps(self, _: object = None) -> None:
        first: datetime | None = next((each.at for each in self._state.steps if each.at), None)
        self._steps.show([_step(each, first) for each in self._state.steps])

    def _draw_conditions(self, _: object = None) -> None:
        told: dict[str, str] = {}
        for fact in self._state.conditions:
            told.setdefault(_told(fact), fact.type)
        self._conditions.show([_condition(fact, told) for fact in self._state.conditions])

    def _draw_diagnosis(self, _: object = None) -> None:
        self._diagnosis.show(self._state.diagnosis)

    def _draw(self, _: object = None) -> None:
        service = self._state.summary
        if service is None:
            return
        details = [
            Detail("Model", service.model_id),
            Detail("Framework", registry.label_of(service.framework) or "Unknown"),
            *_recognised(service),
            Detail("Instances", f"{service.min_instances} to {service.max_instances}"),
            Detail("Deployed by", service.created_by),
            Detail("Last changed by", service.updated_by),
        ]
        if self._state.document:
            now = codec.deployment_of(self._state.document)
            gpu = gpus.by_accelerator(now.accelerator)
            details += [
                Detail("GPU", gpu.label if gpu else told_text(now.accelerator) or "None"),
                Detail("vCPUs and memory", f"{now.cpu:g} vCPU, {now.memory_gib:g} GiB"),
                Detail(CONCURRENCY, str(now.concurrency), note=told_text(concurrency.told(now))),
                Detail("Request timeout", f"{now.timeout} s"),
                Detail("Image", told_text(now.image), code=True),
                Detail("Port", str(now.port)),
                Detail("Model's files", told_text(_files(now)), code=bool(now.bucket)),
                Detail("Service account", told_text(now.service_account)),
                Detail("Ingress", now.ingress.label),
            ]
            if self._state.measured:
                details.append(Detail("GPU memory", self._state.measured, wide=True))
        self._details.show(details)


def _recognised(service: ServiceSummary) -> list[Detail]:
    """Return why a service that others deployed counts as one of its engine."""
    known = service.recognition
    if known is None:
        return []
    told = known.confidence.value.capitalize()
    return [
        Detail("Recognised", told, note=told_text(" ".join(known.reasons)), wide=True),
        Detail("Deployed with", service.origin),
    ]


def _step(reached: StepReached, first: datetime | None) -> Detail:
    text = {
        StepState.DONE: "done",
        StepState.ACTIVE: "in progress",
        StepState.WAITING: "pending",
        StepState.FAILED: "failed",
    }[reached.state]
    if reached.at:
        text = reached.at.astimezone().strftime("%H:%M:%S")
    after = ""
    if reached.at and first and reached.at > first:
        after = f"+{duration_text((reached.at - first).total_seconds())}"
    return Detail(reached.step.value, text, state=_STEPS[reached.state], note=after)


def _told(fact: ConditionFact) -> str:
    return " · ".join(part for part in (fact.reason, messages.brief(fact.message)) if part)


def _condition(fact: ConditionFact, first: Mapping[str, str]) -> Detail:
    """Write a condition; ``first`` has what was told by which condition first."""
    state = _CONDITIONS.get(fact.state, "unknown")
    told = _told(fact)
    other = first.get(told, fact.type)
    note = told if not told or other == fact.type else f"as {other}"
    wide = bool(told) and note == told
    text = fact.state.capitalize() or "Unknown"
    return Detail(fact.type, text, state=state, note=note, wide=wide)


def _console(name: str) -> w.Widget:
    return DetailList(
        [Detail(label, "Open", href=links.service(name, tab)) for label, tab in CONSOLE]
    )


def _files(deployment: Deployment) -> str:
    """Return where the files of the model are."""
    return f"gs://{deployment.bucket}/{deployment.folder}" if deployment.bucket else "No bucket"
