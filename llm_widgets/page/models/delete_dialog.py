"""Asks before a model is removed, and again where services use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.errors import InUseError, ManagerError
from llm_widgets.imports.remove import owns_files
from llm_widgets.widgets.dialog import FormDialog, Values
from llm_widgets.widgets.fields import Field

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.page.models.model import ModelPageState
    from llm_widgets.page.models.models import ModelsState

_FORCE = "force"


class DeleteDialog:
    """The dialog; ``dialog`` is what goes into the page.

    Parameters
    ----------
    deleted
        Called once the model is gone.
    """

    def __init__(
        self, state: ModelPageState, models: ModelsState, *, deleted: Callable[[], None]
    ) -> None:
        self._state = state
        self._models = models
        self._deleted = deleted
        self._asked: tuple[str, ModelRecord] | None = None
        self.dialog = FormDialog(
            submit_label="Delete",
            busy_label="Looking for services that use it, then deleting …",
            danger=True,
        )
        self.dialog.on_submit(self._submitted)

    def show(self, bucket: str, record: ModelRecord) -> None:
        """Ask for a model."""
        self._asked = bucket, record
        self.dialog.title = f"Delete {record.id}?"
        here = self._models.bucket(bucket)
        alone = here is not None and owns_files(here.models, record)
        files = (
            f"Its files under gs://{bucket}/{record.prefix} go, and its entry in the list."
            if alone
            else "Its entry in the list goes. Its files stay, as other models share their folder."
        )
        self.dialog.text = f"{files} A service that mounts it keeps it from being deleted."
        self.dialog.set_fields([])
        self.dialog.show()

    def _submitted(self, values: Values) -> None:
        if self._asked is None:
            return
        bucket, record = self._asked
        self._state.delete(
            bucket,
            record,
            force=bool(values.get(_FORCE)),
            deleted=self._done,
            failed=self._failed,
        )

    def _done(self) -> None:
        self.dialog.close()
        self._deleted()

    def _failed(self, error: ManagerError) -> None:
        if isinstance(error, InUseError) and not self.dialog.fields:
            self.dialog.set_fields(
                [
                    Field(
                        _FORCE,
                        "Delete it anyway",
                        "checkbox",
                        help="Services that use it fail when an instance starts next.",
                    )
                ]
            )
        self.dialog.fail(str(error))
