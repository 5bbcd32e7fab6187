"""Asks before services are deleted: what goes, and what stays."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.widgets.dialog import FormDialog, Values
from llm_widgets.widgets.fields import Field

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from llm_widgets.domain.services import ServiceSummary
    from llm_widgets.errors import ManagerError
    from llm_widgets.page.services.services import ServicesState

_WITH_MODEL = "with_model"


class DeleteDialog:
    """The dialog; ``dialog`` is what goes into the page.

    Parameters
    ----------
    begun
        Called with the names of the services once they are being deleted.
    """

    def __init__(self, state: ServicesState, *, begun: Callable[[Sequence[str]], None]) -> None:
        self._state = state
        self._begun = begun
        self._asked: Sequence[ServiceSummary] = ()
        self.dialog = FormDialog(
            submit_label="Delete",
            busy_label="Checking which other services use the model …",
            danger=True,
        )
        self.dialog.on_submit(self._submitted)

    def show(self, found: Sequence[ServiceSummary]) -> None:
        """Ask for a service, or for several at once."""
        self._asked = found
        if len(found) == 1:
            self._ask_for_one(found[0])
        else:
            self._ask_for_several(found)
        self.dialog.show()

    def _ask_for_one(self, service: ServiceSummary) -> None:
        url = f"its URL {service.url}" if service.url else "its URL"
        files = f"in gs://{service.bucket}" if service.bucket else "in their bucket"
        self._draw(
            f"Delete {service.id}?",
            f"This deletes the service in {service.region}, with all its revisions, {url} and "
            f"its callers. Calls then fail, and billing stops.\nThe model's files stay {files}; "
            "so do the service account, secrets and the log.",
        )
        self.dialog.set_fields([_files_too(service)] if service.bucket else [])

    def _ask_for_several(self, found: Sequence[ServiceSummary]) -> None:
        self._draw(
            f"Delete {len(found)} services?",
            "This deletes the services with all their revisions, URLs and callers. Calls then "
            "fail, and billing stops.\nThe models' files stay in their buckets; so do the service "
            "accounts, secrets and the logs.",
            found,
        )
        self.dialog.set_fields([])

    def _draw(self, title: str, text: str, found: Sequence[ServiceSummary] = ()) -> None:
        with self.dialog.hold_sync():
            self.dialog.title, self.dialog.text = title, text
            self.dialog.wide = bool(found)
            self.dialog.changes = [
                {
                    "label": _what_stays(service),
                    "removed": [service.url or "No URL yet"],
                    "added": [],
                }
                for service in found
            ]

    def _submitted(self, values: Values) -> None:
        if len(self._asked) == 1:
            self._state.delete(
                self._asked[0],
                with_model=bool(values.get(_WITH_MODEL)),
                begun=self._going,
                failed=self._failed,
            )
        elif self._asked:
            self._going()
            self._state.delete_all(self._asked)

    def _going(self) -> None:
        self.dialog.close()
        self._begun([service.name for service in self._asked])

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


def _what_stays(service: ServiceSummary) -> str:
    """Return what a service is, and which of its files stay where."""
    model = f": {service.model_id} stays" if service.model_id else ""
    bucket = f" in gs://{service.bucket}" if model and service.bucket else ""
    return f"{service.id} ({service.region}){model}{bucket}"
