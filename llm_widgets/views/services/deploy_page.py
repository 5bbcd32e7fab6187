"""Deploying a model: everything that is asked of Cloud Run, on one page."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import ipywidgets as w

from llm_widgets.domain import gpus
from llm_widgets.state.deploy_values import values_of
from llm_widgets.views.services.deploy_fields import deploy_fields
from llm_widgets.views.services.diagnosis_card import DiagnosisCard, form_label
from llm_widgets.views.services.memory_card import MemoryCard
from llm_widgets.views.services.request_card import RequestCard
from llm_widgets.widgets.form import Form, Values
from llm_widgets.widgets.html import note, paragraph, set_text
from llm_widgets.widgets.layout import button, card, row, stack, toolbar
from llm_widgets.widgets.notice import Notice

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from llm_widgets.diagnosis import Remedy
    from llm_widgets.domain.services import Deployment
    from llm_widgets.state.deploy_form import DeployFormState

_HOURS = 24


class DeployPage:
    """The form with what it would cost and need; ``box`` is what goes into the page."""

    def __init__(
        self,
        state: DeployFormState,
        *,
        back: Callable[[], None],
        blockers: Sequence[w.Widget] = (),
    ) -> None:
        self._state = state
        self._title = toolbar("Deploy")
        self._model = paragraph("")
        self._cost = paragraph("")
        self._cost_note = note(
            f"Tier 1 regions, prices of {gpus.DATA_DATE}; others cost more. Nothing while no "
            "instance is awake; an instance stays awake some minutes after its last request."
        )
        self._access = Notice()
        self._place = Notice()
        self._accepted = Notice()
        self._form = Form(
            label="Deploy a model",
            submit_label="Deploy",
            busy_label="Asking Cloud Run …",
            check_label="Check",
            checking_label="Asking Cloud Run whether it would take this …",
            cancel_label="Cancel",
            live=True,
        )
        self._diagnosis = DiagnosisCard(self._remedy, form_label)
        self._request = RequestCard()
        self._memory = MemoryCard()
        go_back = button("Back", style="text", icon="arrow-left")
        go_back.on_click(lambda _: back())
        side = stack(
            card("Cost", self._cost, self._cost_note),
            self._memory.box,
            self._place,
            self._access,
        )
        split = w.Box(
            [side, stack(self._form, self._diagnosis.box, self._accepted, self._request.box)]
        )
        split.add_class("llm-split")
        self.box = stack(row(go_back), self._title, *blockers, self._model, split)

        self._form.on_input(self._typed)
        self._form.on_check(lambda values: state.check(values, self._answered))
        self._form.on_submit(lambda values: state.deploy(values, self._answered))
        self._form.on_cancel(back)
        self._access.on_action(state.grant_access)
        state.observe(self._opened, "offered")
        state.observe(self._draw, ["deployment", "accepted"])
        state.observe(lambda _: self._diagnosis.show(state.diagnosis), "diagnosis")
        state.memory.observe(self._draw_memory, ["estimate", "note"])
        state.observe(self._draw_problems, ["problems", "name_note"])
        state.observe(self._draw_access, ["access", "access_error", "deployment"])

    def _opened(self, _: object = None) -> None:
        state = self._state
        if state.offered is None or state.subject is None:
            return
        subject = state.subject
        self._title.children = toolbar(f"Deploy {subject.record.id}").children
        set_text(
            self._model,
            f"{state.offered.framework.label} serves {subject.record.id} from "
            f"gs://{subject.bucket}/{subject.record.prefix}, mounted read-only.",
        )
        self._form.start_over(deploy_fields(state.offered, state.offered, subject.location))
        self._draw()
        self._draw_access()
        self._draw_problems()

    def _typed(self, values: Values) -> None:
        state = self._state
        if state.offered is None or state.subject is None:
            return
        before = state.deployment
        state.change(values)
        now = state.deployment
        if now and before and _choices(now) != _choices(before):
            self._form.set_fields(deploy_fields(state.offered, now, state.subject.location))

    def _remedy(self, remedy: Remedy) -> None:
        """Fill a remedy's changes in; the defaults stay what they were."""
        state = self._state
        wanted = state.remedy(remedy)
        if wanted is None or state.offered is None or state.subject is None:
            return
        values = values_of(wanted)
        fields = deploy_fields(state.offered, wanted, state.subject.location)
        self._form.start_over(
            [replace(f, value=_value(values.get(f.key, f.value))) for f in fields]
        )

    def _answered(self) -> None:
        problems = self._state.problems
        if problems:
            self._show(problems)
        else:
            self._form.finish()

    def _show(self, problems: dict[str, str]) -> None:
        """Put each problem at its field, and those without one above the buttons."""
        fields = {field["key"] for field in self._form.fields}
        where = {"probe": "probe_failures", "network": "network_kind"}
        placed: dict[str, str] = {}
        rest: list[str] = []
        for field, text in problems.items():
            key = field if field in fields else where.get(field, "")
            if key in fields:
                placed[key] = text
            else:
                rest.append(text)
        self._form.fail("\n".join(rest), errors=placed)

    def _draw_problems(self, _: object = None) -> None:
        state = self._state
        if not self._form.busy:
            self._show(state.problems)
        free = state.name_note and "name" not in state.problems
        self._form.hint({"name": state.name_note} if free else {})

    def _draw(self, _: object = None) -> None:
        state = self._state
        deployment = state.deployment
        if deployment is None or state.subject is None:
            return
        set_text(self._cost, cost(deployment))
        self._request.show(deployment)
        if deployment.region == state.subject.location:
            self._place.clear()
        else:
            self._place.show(
                "warning",
                f"The bucket is in {state.subject.location}, the service in {deployment.region}.",
                detail="Every cold start reads the model across regions: slower, and it costs.",
            )
        if state.accepted:
            self._accepted.show("success", "Cloud Run would take this request as it stands.")
        else:
            self._accepted.clear()

    def _draw_memory(self, _: object = None) -> None:
        memory = self._state.memory
        self._memory.show(memory.estimate, memory.note)

    def _draw_access(self, _: object = None) -> None:
        state = self._state
        deployment = state.deployment
        if deployment is None:
            return
        who = deployment.service_account or "The service"
        if state.access_error:
            self._access.show_error(state.access_error)
        elif state.access == "granted":
            self._access.show("success", f"{who} may read gs://{deployment.bucket}.")
        elif state.access == "missing":
            self._access.show(
                "warning",
                f"{who} may not read gs://{deployment.bucket} by the bucket's own policy.",
                detail="Without it the mount fails. Deploying grants it too, if that is ticked.",
                action_label="Grant access",
            )
        else:
            self._access.show("info", f"Looking whether {who} may read gs://{deployment.bucket} …")


def cost(deployment: Deployment) -> str:
    """Say what a deployment costs while it runs."""
    gpu = gpus.by_accelerator(deployment.accelerator)
    second = deployment.cpu * gpus.CPU_PRICE + deployment.memory_gib * gpus.MEMORY_PRICE
    hour = second * 3600
    if gpu:
        hour = gpus.price_per_hour(
            gpu,
            cpu=deployment.cpu,
            memory_gib=deployment.memory_gib,
            redundant=deployment.zonal_redundancy,
        )
    text = f"About ${hour:.2f} for each hour that an instance is awake."
    if deployment.min_instances:
        day = hour * _HOURS * deployment.min_instances
        count = deployment.min_instances
        text += f" At least ${day:.2f} a day, as {count} instance{'s' * (count > 1)} always run."
    return text


def _value(value: Any) -> Any:
    """Give a value of a form as fields take it: rows are tuples."""
    if not isinstance(value, list):
        return value
    return tuple(tuple(row) if isinstance(row, list) else row for row in value)


def _choices(deployment: Deployment) -> tuple[str, str, float]:
    """Give what decides which other choices there are."""
    return (deployment.region, deployment.accelerator, deployment.cpu)
