"""A table of things with actions on each of them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import traitlets as t

from llm_widgets.widgets._component import Component, callbacks
from llm_widgets.widgets._own_page import is_own_page

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from llm_widgets.widgets.storage import BrowserStorage

ColumnKind = Literal[
    "text", "word", "status", "link", "code", "bytes", "number", "time", "progress"
]
StatusState = Literal["ok", "warning", "error", "busy", "off", "info", "unknown"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a `DataTable`.

    Attributes
    ----------
    key
        Key of its value in each row.
    label
        Heading.
    kind
        What its values are, and how they are drawn; ``None`` always shows as a dash:

        - ``text``: a string, or ``{"text", "note"}`` with a second, quieter line;
        - ``word``: like ``text``, and not broken into lines where there is room for a table;
        - ``status``: ``{"state": StatusState, "text", "note"}``;
        - ``link``: ``{"href", "text", "note", "copy"}``; only http, https and mailto are followed;
          ``copy`` adds a button that copies the address;
        - ``code``: a string in fixed width with a copy button;
        - ``bytes``: a number of bytes, shown in decimal units, right aligned;
        - ``number``: a number, right aligned;
        - ``time``: an ISO 8601 time, shown as "5 minutes ago", or ``{"time", "note"}``;
        - ``progress``: ``{"value": 0.0 … 1.0, "text"}``.
    sortable
        Whether a click on the heading sorts.
    action
        When given, the text is a button that reports this action for its row, for example to
        open the details; a click anywhere else on the row reports the first such action.
    width
        Percent of the table's width. Where a column has one, widths do not follow what stands in
        the table, so that tables below one another are aligned.
    optional
        Whether it can be hidden, where there is room for a table; a menu offers it.
    """

    key: str
    label: str
    kind: ColumnKind = "text"
    sortable: bool = True
    action: str = ""
    width: int = 0
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Action:
    """Something that can be done to a row.

    Attributes
    ----------
    key
        What `DataTable.on_action` reports.
    label
        Words on the button.
    overflow
        Whether it stands in the row's menu instead of in the row.
    danger
        Whether it takes something away.
    """

    key: str
    label: str
    overflow: bool = False
    danger: bool = False


def places_of_row(**addresses: str) -> dict[str, str]:
    """Return the addresses of places that a row leads to, by its actions.

    Only our own page has addresses; in a notebook its rows have buttons in place of links.
    """
    return addresses if is_own_page() else {}


class DataTable(Component, module="table"):
    """A table with sorting, filtering and actions, drawn row by row as its data changes.

    Rows are dictionaries with these keys:

    - ``id``: unique and stable, a string;
    - one key for each column, see `Column`;
    - ``name``: what the row is called in labels ("Delete NAME"); ``id`` if absent;
    - ``disabled``: ``{action key: reason}`` for actions that can't be used now; the reason is
      shown to the user;
    - ``hidden``: action keys that the row does not have;
    - ``places``: addresses that the columns' actions lead to, see `places_of_row`;
    - ``links``: ``{action key: address}`` for actions of the menu that only open a page.

    Parameters
    ----------
    caption
        Name of the table, for screen readers.
    columns, actions
        `Column` and `Action` objects.
    bulk
        `Action` objects for several rows at once: rows get checkboxes. A row that can't do any of
        them now, by its ``disabled`` and ``hidden``, can't be chosen.
    selected
        Ids of the rows that are chosen; those that are not there any more are dropped.
    hidden_columns
        Keys of optional columns that are hidden.
    rows
        The rows, see above.
    empty
        What stands there without rows.
    empty_action
        Label of a button beside it; none if empty.
    loading
        Whether the rows are still on their way.
    filterable
        Whether there is a filter box.

    Examples
    --------
    >>> table = DataTable(
    ...     caption="Models",
    ...     columns=[Column("name", "Name"), Column("size", "Size", "bytes")],
    ...     actions=[Action("deploy", "Deploy")],
    ...     rows=[{"id": "m1", "name": "smollm2:135m", "size": 271_000_000}],
    ... )
    >>> table.on_action(lambda action, row_id: print(action, row_id))
    """

    caption = t.Unicode().tag(sync=True)
    columns = t.List(t.Dict()).tag(sync=True)
    actions = t.List(t.Dict()).tag(sync=True)
    bulk = t.List(t.Dict()).tag(sync=True)
    selected = t.List(t.Unicode()).tag(sync=True)
    hidden_columns = t.List(t.Unicode()).tag(sync=True)
    rows = t.List(t.Dict()).tag(sync=True)
    empty = t.Unicode("Nothing here yet.").tag(sync=True)
    empty_action = t.Unicode().tag(sync=True)
    loading = t.Bool(default_value=False).tag(sync=True)
    filterable = t.Bool(default_value=False).tag(sync=True)

    def __init__(
        self,
        *,
        columns: Sequence[Column] = (),
        actions: Sequence[Action] = (),
        bulk: Sequence[Action] = (),
        **traits: Any,
    ) -> None:
        self._action_callbacks = callbacks()
        self._bulk_callbacks = callbacks()
        self._empty_callbacks = callbacks()
        super().__init__(
            columns=[asdict(column) for column in columns],
            actions=[asdict(action) for action in actions],
            bulk=[asdict(action) for action in bulk],
            **traits,
        )

    @t.validate("rows")
    def _check_rows(self, proposal: t.Bunch) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = proposal["value"]
        ids = [row.get("id") for row in rows]
        if not all(isinstance(each, str) and each for each in ids):
            raise t.TraitError("every row needs an id, a string")
        if len(set(ids)) != len(ids):
            raise t.TraitError("two rows have the same id")
        return rows

    @t.validate("selected")
    def _check_selected(self, proposal: t.Bunch) -> list[str]:
        chosen = set(proposal["value"])
        return [row["id"] for row in self.rows if row["id"] in chosen]

    @t.observe("rows")
    def _drop_selected(self, _: t.Bunch) -> None:
        self.selected = list(self.selected)

    @t.validate("hidden_columns")
    def _check_hidden_columns(self, proposal: t.Bunch) -> list[str]:
        hidden = set(proposal["value"])
        return [each["key"] for each in self.columns if each["optional"] and each["key"] in hidden]

    def may_set(self, name: str, value: object) -> bool:
        """Return whether the browser may set a trait: which rows are chosen, what is hidden."""
        is_choice = (name == "selected" and bool(self.bulk)) or name == "hidden_columns"
        return is_choice and isinstance(value, list) and all(isinstance(key, str) for key in value)

    def on_action(self, callback: Callable[[str, str], object], *, remove: bool = False) -> None:
        """Call ``callback(action_key, row_id)`` when a row's action is chosen."""
        self._action_callbacks.register_callback(callback, remove=remove)

    def on_bulk(
        self, callback: Callable[[str, list[str]], object], *, remove: bool = False
    ) -> None:
        """Call ``callback(action_key, row_ids)`` when an action for several rows is chosen."""
        self._bulk_callbacks.register_callback(callback, remove=remove)

    def on_empty_action(self, callback: Callable[[], object], *, remove: bool = False) -> None:
        """Call ``callback()`` when the button of the empty table is pressed."""
        self._empty_callbacks.register_callback(callback, remove=remove)

    def row(self, row_id: str) -> dict[str, Any] | None:
        """Return the row with an id, or ``None`` when it is not there (any more)."""
        return next((row for row in self.rows if row["id"] == row_id), None)

    def _on_action_message(self, content: dict[str, Any]) -> None:
        """Report an action, if the row is still there and may do it: the page may be behind."""
        action, row_id = content.get("action"), content.get("row")
        known = {each["key"] for each in self.actions} | {each["action"] for each in self.columns}
        if isinstance(action, str) and action in known - {""} and self._may(action, row_id):
            self._action_callbacks(action, row_id)

    def _on_bulk_message(self, content: dict[str, Any]) -> None:
        """Report an action for those of the rows that may do it."""
        action, ids = content.get("action"), content.get("rows")
        known = {each["key"] for each in self.bulk}
        if not isinstance(action, str) or action not in known or not isinstance(ids, list):
            return
        named = {each for each in ids if isinstance(each, str)}
        there = [row["id"] for row in self.rows if row["id"] in named]
        chosen = [each for each in there if self._may(action, each)]
        if chosen:
            self._bulk_callbacks(action, chosen)

    def _may(self, action: str, row_id: object) -> bool:
        """Return whether there is a row of an id that may do something."""
        row = self.row(row_id) if isinstance(row_id, str) else None
        return row is not None and not (
            action in row.get("disabled", {}) or action in row.get("hidden", [])
        )

    def _on_empty_action_message(self, _content: dict[str, Any]) -> None:
        self._empty_callbacks()


def keep_hidden_columns(table: DataTable, storage: BrowserStorage, name: str) -> None:
    """Keep in the browser which columns of a table are hidden, and begin with what it kept.

    Only our own page does: in a notebook the choice is kept for the life of the table.

    Parameters
    ----------
    name
        What the choice is called in the storage, whose ``validate`` lets lists of texts pass.
    """
    if not is_own_page():
        return

    def restore(saved: dict[str, Any]) -> None:
        table.hidden_columns = saved.get(name, [])

    def keep(change: t.Bunch) -> None:
        storage.set(**{name: change["new"] or None})

    storage.on_ready(restore)
    table.observe(keep, "hidden_columns")
