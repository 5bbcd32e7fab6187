"""Importing a model: a search, the form, and below it what the pre-flight found."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from llm_widgets.errors import GatedModelError, ManagerError
from llm_widgets.hubs import registry
from llm_widgets.page.models.check_card import CheckCard
from llm_widgets.page.models.find_card import FindCard
from llm_widgets.page.models.finding import FindingState
from llm_widgets.page.models.import_fields import field_of, import_fields, request_of
from llm_widgets.widgets.form import Form, Values
from llm_widgets.widgets.layout import button, row, stack, toolbar
from llm_widgets.widgets.notice import Notice

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.manager.import_check import ImportRequest
    from llm_widgets.page.models.import_form import ImportFormState
    from llm_widgets.page.models.models import ModelsState
    from llm_widgets.page.session import Session
    from llm_widgets.widgets.fields import Field


class ImportPage:
    """One view from the id to the confirmed import; ``box`` is what goes into the page."""

    def __init__(
        self,
        session: Session,
        models: ModelsState,
        state: ImportFormState,
        *,
        back: Callable[[], None],
    ) -> None:
        self._session = session
        self._models = models
        self._state = state
        self._back = back
        self._first: dict[str, Any] = {}
        self._checked: Values = {}
        self._drawing = threading.Lock()  # answers come in threads: the last has to be drawn last
        self._form = Form(
            label="Import model",
            submit_label="Check",
            busy_label="Checking the hub and the bucket …",
            cancel_label="Cancel",
            live=True,
        )
        self._problem = Notice()
        self._problem.add_class("llm-answer")
        check = CheckCard(state, confirm=lambda: state.start(self.close), cancel=self.close)
        self._find = FindCard(FindingState(session), use=self._take)
        go_back = button("Back to models", style="text", icon="arrow-left")
        go_back.on_click(lambda _: self.close())
        self.box = stack(
            row(go_back),
            toolbar("Import model"),
            self._find.box,
            self._form,
            self._problem,
            check.box,
        )

        self._form.on_input(self._typed)
        self._form.on_submit(self._submitted)
        self._form.on_cancel(self.close)
        state.observe(self._redraw, "suggested")
        models.observe(self._redraw, ["buckets", "others", "waiting", "loaded"])

    def open(self, source: str = registry.FIRST, model_id: str = "", bucket: str = "") -> None:
        """Begin a new import, with what is given filled in."""
        self._state.forget()
        self._problem.clear()
        self._find.start_over()
        with self._drawing:
            self._first = {"source": source, "model_id": model_id, "bucket": bucket}
            self._form.start_over(self._fields())
        # What was typed on another way here must not take the place of what is given now.
        self._form.keep_as(f"import {source} {model_id} {bucket}")
        self._state.suggest()

    def _fields(self) -> list[Field]:
        return import_fields(
            project=self._session.project_id,
            region=self._session.settings.region,
            buckets=self._models.buckets,
            others=self._models.others,
            suggested=self._state.suggested,
            looking=not self._models.loaded or bool(self._models.waiting),
            **self._first,
        )

    def _redraw(self, _: object) -> None:
        with self._drawing:
            if self._first:
                self._form.set_fields(self._fields())

    def close(self) -> None:
        """Forget what was filled in, the token with it, and show the list."""
        self._state.forget()
        self._find.start_over()
        self._form.forget()
        with self._drawing:
            self._first = {}
            self._form.start_over([])
        self._back()

    def _take(self, source: str, model_id: str) -> None:
        """Fill in a model that was found, and look it up as if it had been typed."""
        values = {"source": source, registry.get(source).form.model_key: model_id}
        self._form.fill(values)
        self._typed(values)

    def _typed(self, values: Values) -> None:
        self._problem.clear()
        if self._state.checked and values != self._checked:
            self._state.forget()
        request = request_of(values)
        key = registry.get(request.source).form.model_key

        def told(sentence: str, error: ManagerError | None) -> None:
            if isinstance(error, GatedModelError) and error.field == "token":
                self._form.hint({key: f"{error.message} Enter your token, then check."})
            elif error:
                where = field_of(request, error) or key
                self._form.hint({})
                self._form.fail(errors={where: error.message})
            else:
                self._form.hint({key: sentence})

        self._state.look_up(request.source, request.model_id, request.revision, told)

    def _submitted(self, values: Values) -> None:
        self._problem.clear()
        request = request_of(values)
        self._checked = {key: value for key, value in values.items() if key != "token"}
        self._state.check(
            request, done=self._form.finish, failed=lambda error: self._failed(request, error)
        )

    def _failed(self, request: ImportRequest, error: ManagerError) -> None:
        field, fix = field_of(request, error), error.fix
        # What does not fit below a field, the cause and a link, is told below the form too.
        is_more = bool(error.cause or (fix and fix.url))
        said = [error.message, "" if is_more or fix is None else fix.text]
        self._form.hint({})
        self._form.fail(errors={field: " ".join(part for part in said if part)} if field else None)
        if is_more or not field:
            self._problem.show_error(error)
