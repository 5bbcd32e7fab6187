"""Buckets of which it can't be told whether they hold models, with the reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.widgets.layout import card
from llm_widgets.widgets.table import Column, DataTable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from llm_widgets.page.models.models import BucketModels

_COLUMNS = (
    Column("bucket", "Bucket"),
    Column("location", "Location"),
    Column("reason", "Reason"),
    Column("fix", "Fix", "code"),
)


class UnreadableCard:
    """Draws them; ``box`` is what goes into the page."""

    def __init__(self) -> None:
        self._table = DataTable(caption="Buckets that can't be read", columns=_COLUMNS)
        self.box = card(
            "Buckets that can't be read",
            self._table,
            text="They may hold models that are not shown here.",
        )

    def show(self, buckets: Sequence[BucketModels]) -> None:
        """Draw what is known of them."""
        self._table.rows = [
            {
                "id": bucket.name,
                "bucket": bucket.name,
                "location": bucket.location,
                "reason": {
                    "text": bucket.problem.message,
                    "note": bucket.problem.fix.text if bucket.problem.fix else "",
                },
                "fix": (bucket.problem.fix.command or None) if bucket.problem.fix else None,
            }
            for bucket in buckets
            if bucket.problem
        ]
