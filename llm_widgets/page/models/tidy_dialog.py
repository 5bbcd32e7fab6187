"""Asks before a folder or an empty bucket is deleted: its name has to be typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain.units import bytes_text
from llm_widgets.widgets.dialog import ConfirmDialog

if TYPE_CHECKING:
    from llm_widgets.domain.storage_use import Finding
    from llm_widgets.errors import ManagerError
    from llm_widgets.page.models.storage import StorageState


class TidyDialog:
    """The dialog; ``dialog`` is what goes into the page."""

    def __init__(self, state: StorageState) -> None:
        self._state = state
        self._bucket = self._folder = ""
        self.dialog = ConfirmDialog(
            busy_label="Checking that nothing uses it, then deleting …",
        )
        self.dialog.on_submit(lambda _: self._submitted())

    def show_folder(self, bucket: str, finding: Finding) -> None:
        """Ask for a folder that no model owns."""
        self._bucket, self._folder = bucket, finding.folder
        count = len(finding.objects)
        files = "1 file" if count == 1 else f"{count} files"
        use = self._state.measured[bucket].use
        self.dialog.ask(
            title=f"Delete {finding.folder}?",
            text=f"This deletes {files} ({bytes_text(finding.size)}) in "
            f"gs://{bucket}/{finding.folder}, and nothing else. "
            + " ".join(use.effects if use else ()),
            type_name=finding.folder,
        )
        self.dialog.show()

    def show_bucket(self, bucket: str) -> None:
        """Ask for a bucket without a model."""
        self._bucket, self._folder = bucket, ""
        self.dialog.ask(
            title=f"Delete the bucket {bucket}?",
            text="This deletes the bucket if it holds nothing and no service mounts it. Anyone can "
            "then take its name.",
            type_name=bucket,
        )
        self.dialog.show()

    def _submitted(self) -> None:
        if self._folder:
            self._state.delete_folder(
                self._bucket, self._folder, deleted=self.dialog.close, failed=self._failed
            )
        else:
            self._state.delete_bucket(self._bucket, deleted=self.dialog.close, failed=self._failed)

    def _failed(self, error: ManagerError) -> None:
        self.dialog.fail(str(error))
