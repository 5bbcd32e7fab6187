"""Create a bucket for models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain import gpus, names
from llm_widgets.errors import InvalidInputError, ManagerError
from llm_widgets.widgets.dialog import Field, FormDialog, Option, Values

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.state.models import ModelsState
    from llm_widgets.state.session import Session


class BucketDialog:
    """The form; ``dialog`` is what goes into the page."""

    def __init__(self, session: Session, state: ModelsState) -> None:
        self._session = session
        self._state = state
        self._then: Callable[[], None] | None = None
        self.dialog = FormDialog(
            title="Create bucket",
            text="It is made with uniform access and can never be made public.",
            submit_label="Create",
        )
        self.dialog.on_submit(self._submitted)

    def show(self, then: Callable[[], None] | None = None) -> None:
        """Open the form; ``then`` is called once the bucket is there."""
        self._then = then
        project = self._session.project_id
        region = self._session.settings.region
        self.dialog.set_fields(
            [
                Field(
                    "bucket",
                    "Name",
                    required=True,
                    value=f"{project}-models" if not self._state.buckets else None,
                    help="Shared by all of Google Cloud, so it must be unique.",
                    placeholder=f"{project}-models",
                ),
                Field(
                    "region",
                    "Region",
                    "select",
                    value=region if region in gpus.regions() else None,
                    options=tuple(Option(name, _region_label(name)) for name in gpus.regions()),
                    help="Regions that have GPUs: a service reads its model from its own region.",
                ),
            ]
        )
        self.dialog.show()

    def _submitted(self, values: Values) -> None:
        try:
            name = names.bucket(values["bucket"])
        except InvalidInputError as error:
            self.dialog.fail(errors={"bucket": error.message})
            return
        self._state.create_bucket(name, values["region"], self._created, self._failed)

    def _created(self, _name: str) -> None:
        self.dialog.close()
        if self._then:
            self._then()

    def _failed(self, error: ManagerError) -> None:
        if isinstance(error, InvalidInputError) and error.field in {"bucket", "region"}:
            self.dialog.fail(errors={error.field: error.message})
        else:
            self.dialog.fail(str(error))


def _region_label(region: str) -> str:
    here = gpus.in_region(region)
    named = ", ".join(
        gpu.label + (" by invitation" if region in gpu.invited_regions else "") for gpu in here
    )
    return f"{region} — {named}"
