"""Asks before a model is removed, and again where services use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.errors import InUseError, ManagerError
from llm_widgets.imports.remove import owns_files
from llm_widgets.widgets.dialog import ConfirmDialog, Values
from llm_widgets.widgets.fields import Field

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.page.models.model import ModelPageState
    from llm_widgets.page.models.models import ModelsState

_FORCE = "force"
_ANYWAY = Field(
    _FORCE,
    "Delete anyway",
    "checkbox",
    help="Services that use the model fail when an instance starts.",
)


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
        self.dialog = ConfirmDialog(
            busy_label="Checking which services use the model, then deleting …"
        )
        self.dialog.on_submit(self._submitted)

    def show(self, bucket: str, record: ModelRecord, *, type_name: bool = False) -> None:
        """Ask for a model.

        Parameters
        ----------
        type_name
            Whether its id has to be typed.
        """
        self._asked = bucket, record
        self.dialog.title = f"Delete {record.id}?"
        here = self._models.bucket(bucket)
        alone = here is not None and owns_files(here.models, record)
        files = (
            f"This deletes its files in gs://{bucket}/{record.prefix}."
            if alone
            else (
                "This removes the model from the list. Its files stay: other models share "
                "their folder."
            )
        )
        self.dialog.text = f"{files} A model that a service uses can't be deleted."
        self.dialog.ask(type_name=record.id if type_name else "")
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
        if isinstance(error, InUseError):
            self.dialog.insist(_ANYWAY)
        self.dialog.fail(str(error))
