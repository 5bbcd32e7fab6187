"""Deploying a model: everything that is asked of Cloud Run, on one page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.engines import registry
from llm_widgets.gcp.iam.effective_access import Access
from llm_widgets.manager.remedies import is_beside
from llm_widgets.page.services.cost_card import CostCard
from llm_widgets.page.services.deploy_fields import advanced, deploy_fields, summaries
from llm_widgets.page.services.deploy_values import values_of
from llm_widgets.page.services.diagnosis_card import DiagnosisCard, form_label
from llm_widgets.page.services.family_card import FamilyCard
from llm_widgets.page.services.field_errors import placed
from llm_widgets.page.services.memory_card import MemoryCard
from llm_widgets.page.services.text_tabs_card import TextTabs
from llm_widgets.serving import concurrency
from llm_widgets.serving.export import Language, written
from llm_widgets.widgets.form import Form, Values
from llm_widgets.widgets.html import paragraph, set_text
from llm_widgets.widgets.layout import button, row, split, stack, toolbar
from llm_widgets.widgets.notice import Notice

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    import ipywidgets as w

    from llm_widgets.diagnosis import Remedy
    from llm_widgets.domain.services import Deployment
    from llm_widgets.page.services.deploy_form import DeployFormState
    from llm_widgets.widgets.fields import Field


class DeployPage:
    """The form with what it would cost and need; ``box`` is what goes into the page."""

    def __init__(
        self,
        state: DeployFormState,
        *,
        back: Callable[[], None],
        blockers: Sequence[w.Widget] = (),
        is_local: bool = False,
    ) -> None:
        self._state = state
        self._is_refused = False
        self._title = toolbar("Deploy")
        self._model = paragraph("")
        self._cost = CostCard(state.prices)
        self._access = Notice()
        self._place = Notice()
        self._network = Notice()
        self._form = Form(
            label="Deploy a model",
            submit_label="Deploy",
            busy_label="Asking Cloud Run …",
            check_label="Check",
            checking_label="Checking with Cloud Run …",
            cancel_label="Cancel",
            live=True,
        )
        self._diagnosis = DiagnosisCard(self._remedy, form_label, is_local=is_local)
        self._diagnosis.box.add_class("llm-answer")
        self._request = TextTabs(
            "Request",
            "The equivalent configuration, to keep in a repository.",
        )
        self._memory = MemoryCard(
            state.memory, lambda tokens: self._fill(self._state.use_context(tokens))
        )
        self._family = FamilyCard(state, lambda: self._fill(self._state.turn_proposal()))
        go_back = button("Back", style="text", icon="arrow-left")
        go_back.on_click(lambda _: self._form.cancel())
        side = stack(
            self._place,
            self._network,
            self._access,
            self._cost.box,
            self._memory.box,
            self._family.box,
        )
        main = stack(self._form, self._diagnosis.box)
        self.box = stack(
            row(go_back),
            self._title,
            *blockers,
            self._model,
            split(main, side),
            self._request.box,
        )

        self._form.on_input(self._typed)
        self._form.on_check(
            lambda values: self._taking(values, lambda them: state.check(them, self._answered))
        )
        self._form.on_submit(
            lambda values: self._taking(values, lambda them: state.deploy(them, self._answered))
        )
        self._form.on_cancel(back)
        self._access.on_action(self._grant)
        self._network.on_action(lambda: self._fill(state.use_subnet()))
        state.observe(self._opened, "offered")
        state.observe(self._keep, "is_whole")
        state.on_deployed(lambda _: self._form.forget())
        state.observe(lambda _: self._set_fields(), "has_code")
        state.observe(self._draw, "deployment")
        state.observe(lambda _: self._diagnosis.show(state.diagnosis), "diagnosis")
        state.memory.observe(self._draw_refusal, ["estimate", "too_small"])
        state.observe(self._draw_problems, ["problems", "name_note"])
        state.observe(self._draw_access, ["deployment", "grants"])
        state.bucket_access.observe(self._draw_access, ["verdict", "error"])

    def _opened(self, change: dict[str, Any]) -> None:
        state = self._state
        if state.offered is None or state.subject is None:
            self._form.start_over([])  # the next one must not begin with fields of this one
            return
        subject = state.subject
        self._title.children = toolbar(f"Deploy {subject.record.id}").children
        set_text(
            self._model,
            f"{registry.label_of(state.offered.framework)} serves {subject.record.id} from "
            f"gs://{subject.bucket}/{subject.record.prefix}, mounted read-only.",
        )
        if change["old"] is None:
            self._form.start_over(self._described())
        else:  # the same model, of which more is known now
            self._set_fields()
            self._fill(state.offered)
        self._draw()
        self._draw_access()
        self._draw_problems()

    def _keep(self, _: object) -> None:
        subject = self._state.subject
        if self._state.is_whole and subject:
            self._form.keep_as(" ".join(["deploy", subject.bucket, *subject.record.key]))

    def _described(self) -> list[Field]:
        state = self._state
        if state.offered is None or state.deployment is None or state.subject is None:
            return []
        self._is_refused = state.memory.is_refused
        return deploy_fields(
            state.offered,
            state.deployment,
            state.subject.location,
            engines=state.engines,
            is_refused=self._is_refused,
            has_code=state.has_code,
        )

    def _set_fields(self) -> None:
        described = self._described()
        if described:
            self._form.set_fields(described)

    def _typed(self, values: Values) -> None:
        if self._state.offered is not None:
            self._taking(values, self._state.change)
            self._draw_problems()

    def _taking(self, values: Values, take: Callable[[Values], None]) -> None:
        """Have the state take values, and show what followed them."""
        state = self._state
        before = state.deployment
        take(values)
        now = state.deployment
        if now and before and _choices(now) != _choices(before):
            self._set_fields()
        if state.followed:
            self._form.fill(state.followed)

    def _remedy(self, remedy: Remedy, ended: Callable[[], None]) -> None:
        if is_beside(remedy):
            self._state.remedy_beside(remedy, ended)
        else:
            self._fill(self._state.remedy(remedy))
            ended()

    def _fill(self, wanted: Deployment | None) -> None:
        """Put a deployment into the form; what restores the defaults stays."""
        if wanted is not None:
            self._form.done = ""
            self._set_fields()
            self._form.fill(values_of(wanted))

    def _grant(self) -> None:
        if self._state.deployment is not None:
            self._state.bucket_access.grant(self._state.deployment)

    def _draw_refusal(self, _: object = None) -> None:
        """Ask whether to insist only while the GPU is too small."""
        if self._state.memory.is_refused != self._is_refused:
            self._set_fields()

    def _answered(self) -> None:
        problems = self._state.problems
        if problems:
            self._show(problems)
        else:
            accepted = self._state.accepted
            self._form.finish("Check passed: Cloud Run accepts this configuration." * accepted)

    def _show(self, problems: dict[str, str]) -> None:
        """Put each problem at its field, and those without one above the buttons."""
        text, errors = placed(problems, [field["key"] for field in self._form.fields])
        self._form.fail(text, errors=errors)

    def _draw_problems(self, _: object = None) -> None:
        state = self._state
        if not self._form.busy:
            self._show(state.problems)
        self._draw_hints()

    def _draw_hints(self) -> None:
        state = self._state
        hints = {"name": state.name_note}
        if state.deployment:
            hints["concurrency"] = concurrency.unset(state.deployment)
        self._form.hint(
            {key: text for key, text in hints.items() if text and key not in state.problems}
        )

    def _draw(self, _: object = None) -> None:
        state = self._state
        deployment = state.deployment
        if deployment is None or state.subject is None:
            return
        self._draw_hints()
        self._cost.show(deployment)
        self._form.folded = summaries(deployment)
        self._form.advanced = advanced(state.offered or deployment, deployment)
        self._request.show(tuple(Language), lambda name: written(deployment, Language(name)))
        self._draw_network()
        if deployment.region == state.subject.location:
            self._place.clear()
        else:
            self._place.show(
                "warning",
                f"The bucket is in {state.subject.location}, the service in {deployment.region}.",
                detail="Cold starts are slower and incur transfer costs between regions.",
            )

    def _draw_network(self) -> None:
        advice = self._state.network_advice
        if advice is None:
            self._network.clear()
            return
        self._network.show(
            "info",
            advice.text,
            detail=advice.change,
            command=advice.command,
            action_label="Use the default subnet",
        )

    def _draw_access(self, _: object = None) -> None:
        deployment, found = self._state.deployment, self._state.bucket_access
        if deployment is None:
            return
        who = deployment.service_account or "The service"
        what = f"gs://{deployment.bucket}"
        if found.error:
            self._access.show_error(found.error)
        elif found.verdict is None:
            self._access.show("info", f"Checking whether {who} can read {what} …")
        elif found.verdict.access is Access.GRANTED:
            self._access.show("success", f"{who} can read {what}.")
        else:
            is_missing = found.verdict.access is Access.MISSING
            told = (
                f"{who} can't read {what} yet."
                if is_missing
                else f"Unknown whether {who} can read {what}. {found.verdict.reason}"
            )
            if self._state.grants:
                self._access.show(
                    "info", told, detail="Deploying grants access.", action_label="Grant now"
                )
            else:
                self._access.show(
                    "warning" if is_missing else "info",
                    told,
                    detail="Grant access, or tick “Let it read the bucket”.",
                    action_label="Grant access",
                )


def _choices(deployment: Deployment) -> tuple[str, str, float]:
    """Return what decides which other choices there are."""
    return (deployment.region, deployment.accelerator, deployment.cpu)
