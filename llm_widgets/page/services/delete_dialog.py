"""Asks before a service is deleted: what goes, and what stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.widgets.dialog import FormDialog, Values
from llm_widgets.widgets.fields import Field

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.services import ServiceSummary
    from llm_widgets.errors import ManagerError
    from llm_widgets.page.services.services import ServicesState

_WITH_MODEL = "with_model"


class DeleteDialog:
    """The dialog; ``dialog`` is what goes into the page.

    Parameters
    ----------
    begun
        Called with the name of the service once it is being deleted.
    """

    def __init__(self, state: ServicesState, *, begun: Callable[[str], None]) -> None:
        self._state = state
        self._begun = begun
        self._asked: ServiceSummary | None = None
        self.dialog = FormDialog(
            submit_label="Delete",
            busy_label="Checking which other services use the model …",
            danger=True,
        )
        self.dialog.on_submit(self._submitted)

    def show(self, service: ServiceSummary) -> None:
        """Ask for a service."""
        self._asked = service
        self.dialog.title = f"Delete {service.id}?"
        url = f"its URL {service.url}" if service.url else "its URL"
        files = f"in gs://{service.bucket}" if service.bucket else "in their bucket"
        self.dialog.text = (
            f"This deletes the service in {service.region}, with all its revisions, {url} and "
            f"its callers. Calls then fail, and billing stops.\nThe model's files stay {files}; "
            "so do the service account, secrets and the log."
        )
        self.dialog.set_fields([_files_too(service)] if service.bucket else [])
        self.dialog.show()

    def _submitted(self, values: Values) -> None:
        if self._asked is None:
            return
        self._state.delete(
            self._asked,
            with_model=bool(values.get(_WITH_MODEL)),
            begun=self._going,
            failed=self._failed,
        )

    def _going(self) -> None:
        self.dialog.close()
        if self._asked:
            self._begun(self._asked.name)

    def _failed(self, error: ManagerError) -> None:
        self.dialog.fail(str(error))


def _files_too(service: ServiceSummary) -> Field:
    model = service.model_id or "its model"
    return Field(
        _WITH_MODEL,
        "Delete the model's files too",
        "checkbox",
        help=f"Removes {model} from {service.bucket}, unless another service reads it.",
    )
