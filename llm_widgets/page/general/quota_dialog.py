"""Ask Google for more of a quota."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

from llm_widgets.domain import google_apis
from llm_widgets.domain.capacity import Kind, worth_asking
from llm_widgets.domain.quotas import CPU, MEMORY
from llm_widgets.errors import InvalidInputError, ManagerError
from llm_widgets.gcp.auth import identity
from llm_widgets.gcp.project import quotas
from llm_widgets.widgets.dialog import FormDialog, Values
from llm_widgets.widgets.fields import Field, Option

if TYPE_CHECKING:
    from llm_widgets.domain.capacity import Wanted
    from llm_widgets.domain.gpus import Gpu
    from llm_widgets.page.general.quotas import QuotasState
    from llm_widgets.page.session import Session


class QuotaDialog:
    """The form; ``dialog`` is what goes into the page."""

    def __init__(self, session: Session, state: QuotasState) -> None:
        self._session = session
        self._state = state
        self._region = ""
        self.dialog = FormDialog(title="Request quota", submit_label="Request", live=True)
        self.dialog.on_submit(self._submitted)
        self.dialog.on_input(self._tell)

    def show(self, gpu: Gpu, region: str, wanted: Wanted) -> None:
        """Open the form for a GPU in a region, filled in for what is wanted there."""
        self._region = region
        self.dialog.title = f"Request quota in {region}"
        self.dialog.text = "Small requests are granted within minutes; Google reviews larger ones."
        gpu_quota = gpu.quota_id()
        redundant = gpu.quota_id(redundant=True)
        kind, value = worth_asking(self._state.survey.capacity(gpu, region), wanted)
        quota_ids = {
            Kind.GPUS: redundant if wanted.redundant else gpu_quota,
            Kind.CPU: CPU,
            Kind.MEMORY: MEMORY,
        }
        self.dialog.set_fields(
            [
                Field(
                    "quota",
                    "Quota",
                    "select",
                    value=quota_ids[kind],
                    options=(
                        Option(gpu_quota, f"{gpu.short_label}, without zonal redundancy"),
                        Option(redundant, f"{gpu.short_label}, with zonal redundancy"),
                        Option(CPU, "vCPUs, all services"),
                        Option(MEMORY, "Memory in GiB, all services"),
                    ),
                ),
                Field(
                    "value",
                    "New limit",
                    "number",
                    required=True,
                    value=ceil(value),
                    minimum=1,
                    maximum=100_000,
                ),
                Field(
                    "email",
                    "Contact e-mail",
                    value=self._email(),
                    max_length=254,
                    pattern=r"[^@\s]+@[^@\s]+",
                    pattern_help="Enter an e-mail address.",
                    help="Google replies to this address; it needs permission to view quotas.",
                ),
            ]
        )
        self.dialog.show()
        self._tell({"quota": quota_ids[kind], "value": float(ceil(value)), "email": self._email()})

    def _email(self) -> str:
        """Offer the person's own address; nobody reads that of a service account."""
        try:
            who = identity.current(self._session.clients)
        except ManagerError:
            return ""
        return who.email if who.kind is identity.IdentityKind.USER else ""

    def _tell(self, values: Values) -> None:
        """Show the command that does the same."""
        quota_id, value = values.get("quota", ""), values.get("value") or 0
        email = values.get("email")
        raw = quotas.raw_value(quota_id, value)
        self.dialog.command = (
            f"gcloud beta quotas preferences create --service={google_apis.RUN} "
            f"--project={self._session.project_id} --quota-id={quota_id} "
            f"--preferred-value={raw} --dimensions=region={self._region} "
            f"--preference-id={quotas.preference_id(quota_id, self._region)}"
            + (f" --email={email}" if email else "")
        )

    def _submitted(self, values: Values) -> None:
        self._state.request(
            self._region,
            values.get("quota", ""),
            values.get("value"),
            email=values.get("email") or "",
            done=self.dialog.close,
            failed=self._failed,
        )

    def _failed(self, error: ManagerError) -> None:
        if isinstance(error, InvalidInputError) and error.field == "value":
            self.dialog.fail(errors={"value": error.message})
        else:
            self.dialog.fail(str(error))
