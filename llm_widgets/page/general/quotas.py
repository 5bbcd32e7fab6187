"""GPUs and quotas of the project, and asking for more."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from traitlets import Instance

from llm_widgets.checks import quotas as checks
from llm_widgets.checks.quotas import Survey
from llm_widgets.domain import capacity, gpus, quotas
from llm_widgets.domain.capacity import Wanted
from llm_widgets.errors import InvalidInputError
from llm_widgets.manager import project_changes
from llm_widgets.page.general.rounds import RoundsState

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.checks.context import Context
    from llm_widgets.domain.capacity import Verdict
    from llm_widgets.domain.services import Deployment
    from llm_widgets.errors import ManagerError
    from llm_widgets.gcp.project.quotas import QuotaRequest


class QuotasState(RoundsState):
    """What is known of the quotas, filled as answers come.

    Attributes
    ----------
    survey
        The answers so far.
    """

    survey: Instance[Survey] = Instance(Survey, args=())

    def verdict(self, accelerator: str, region: str) -> Verdict | None:
        """Judge whether a service with a GPU fits in a region.

        ``None`` for a GPU that nobody knows, and before the answers are there.
        """
        gpu = gpus.by_accelerator(accelerator)
        if gpu is None or not self.survey.is_known(gpu, region):
            return None
        return capacity.verdict(gpu, self.survey.capacity(gpu, region))

    def shortage(self, deployment: Deployment) -> str:
        """Return why a deployment does not fit; empty where it does, and where that is unknown."""
        gpu = gpus.by_accelerator(deployment.accelerator)
        if gpu is None or not self.survey.is_known(gpu, deployment.region):
            return ""
        found = self.survey.capacity(gpu, deployment.region)
        return capacity.shortage(found, wanted_by(deployment))

    def refresh(self) -> None:
        """Ask for everything again."""

        def ask(context: Context, is_newest: Callable[[], bool]) -> None:
            def tell(kind: str, key: str, answer: Any) -> None:
                with self._lock:
                    if not is_newest():
                        return
                    known = {**getattr(self.survey, kind), key: answer}
                    if kind == "requests":
                        known = answer
                    errors = {k: e for k, e in self.survey.errors.items() if k != key}
                    changes = {"errors": errors, kind: known}
                    self.survey = replace(self.survey, **changes)

            checks.survey(context, tell)

        self._begin_round(ask, lambda _: None)

    def request(
        self,
        region: str,
        quota_id: str,
        value: float | None,
        *,
        email: str,
        done: Callable[[], None],
        failed: Callable[[ManagerError], None],
    ) -> None:
        """Ask Google for more: GPUs, vCPUs or GiB."""
        if value is None or value < 1:
            failed(InvalidInputError("Enter the new limit.", field="value"))
            return
        project, clients = self._session.project_id, self._session.clients

        def then(found: QuotaRequest) -> None:
            if found.is_pending:
                self._session.notify(
                    f"Requested {quotas.in_units(quota_id, found.preferred)} in {region}. Google "
                    "decides within minutes to days."
                )
            else:
                granted = quotas.in_units(quota_id, found.granted)
                self._session.notify(
                    f"{quotas.title(quota_id)} quota in {region} is now {granted}.", "success"
                )
            done()
            self.refresh()

        self._session.background.run(
            lambda: project_changes.ask_for_more(
                clients, project, region, quota_id, value, email=email
            ),
            then,
            failed,
        )

    def _project_changed(self, _: object) -> None:
        self.survey = Survey()
        self.checked_at = 0.0
        self.refresh()


def wanted_by(deployment: Deployment) -> Wanted:
    """Return what a deployment asks of the quotas."""
    return Wanted(
        deployment.max_instances,
        deployment.cpu,
        deployment.memory_gib,
        deployment.zonal_redundancy,
    )
