"""The search for a model, above the form that imports it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets import hubs
from llm_widgets.domain import gpus
from llm_widgets.page.models.finding import row_of
from llm_widgets.widgets.fields import Field
from llm_widgets.widgets.form import Form
from llm_widgets.widgets.layout import button, row, show_if, stack
from llm_widgets.widgets.notice import Notice
from llm_widgets.widgets.table import Action, Column, DataTable

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.manager.model_search import FoundFit
    from llm_widgets.page.models.finding import FindingState

_TEXT = "find"
_FIELD = Field(
    _TEXT,
    "Part of its ID",
    placeholder="qwen3",
    required=True,
    help="Searches Hugging Face and the models of Ollama. Or enter the ID of a model below.",
    max_length=200,
    is_long=True,
    group="Find a model",
)
_COLUMNS = (
    Column("model", "Model"),
    Column("fits", "Fits", sortable=False),
    Column("parameters", "Parameters", "word", sortable=False),
    Column("size", "Size", "bytes"),
    Column("license", "Licence"),
    Column("downloads", "Downloads", "number"),
)
_USE, _LOOK, _SIBLINGS = "use", "look", "siblings"
_ACTIONS = (
    Action(_USE, "Use"),
    Action(_LOOK, "Does it fit?"),
    Action(_SIBLINGS, "Versions that fit"),
)
_ACCESS = {None: "", True: "Gated", False: "Open"}
_STEPS = ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "K"))


class FindCard:
    """Draws a search; ``box`` is what goes into the page.

    Parameters
    ----------
    use
        Called with the source and the id of a model that was chosen.
    """

    def __init__(self, state: FindingState, *, use: Callable[[str, str], None]) -> None:
        self._state = state
        self._use = use
        self._form = Form(label="Find a model", fields=[_FIELD], submit_label="", live=True)
        self._problem = Notice()
        self._table = DataTable(
            caption="Models found",
            columns=_COLUMNS,
            actions=_ACTIONS,
            empty="Nothing was found.",
        )
        self._more = button("More", style="outlined")
        self._foot = row(self._more)
        self._answer = stack(self._problem, self._table, self._foot)
        self._answer.add_class("llm-card")
        self.box = stack(self._form, self._answer)
        self._form.on_input(lambda values: state.typed(str(values.get(_TEXT) or "")))
        self._form.on_submit(self._submitted)
        self._table.on_action(self._act)
        self._more.on_click(lambda _: state.more())
        state.observe(
            self._draw,
            ["text", "base", "found", "searching", "looking", "is_more", "failed", "error"],
        )
        self._draw()

    def start_over(self) -> None:
        """Show an empty field, and nothing found."""
        self._state.forget()
        self._form.start_over([_FIELD])

    def _submitted(self, values: dict[str, Any]) -> None:
        self._form.finish()
        self._state.search(str(values.get(_TEXT) or ""))

    def _act(self, action: str, row_id: str) -> None:
        if action == _LOOK:
            self._state.look(row_id)
            return
        if action == _SIBLINGS:
            self._state.find_siblings(row_id)
            return
        models = (each.model for each in self._state.found)
        chosen = next((each for each in models if row_of(each) == row_id), None)
        if chosen:
            self.start_over()
            self._use(chosen.source, chosen.id)

    def _draw(self, _: object = None) -> None:
        state = self._state
        show_if(state.text, self._answer)
        self._table.loading = state.searching
        self._table.rows = [self._row(each) for each in state.found]
        show_if(not state.error, self._table)
        show_if(state.is_more, self._foot)
        self._more.disabled = state.searching
        self._more.description = "Searching …" if state.searching else "More"
        self._form.hint({_TEXT: _status(state)} if state.text else {})
        if state.error:
            self._problem.show_error(state.error)
        elif state.failed:
            self._problem.show(
                "warning",
                "Not all hubs answered: models may be missing.",
                detail="\n".join(_told(each) for each in state.failed),
            )
        else:
            self._problem.clear()

    def _row(self, found: FoundFit) -> dict[str, Any]:
        model, row_id = found.model, row_of(found.model)
        is_looking = row_id in self._state.looking
        is_told = found.into is not None or is_looking or not found.can_look
        about = [hubs.label(model.source), model.task]
        if model.base:
            about.append(f"quantized from {model.base}")
        licence = {"text": model.license or "Not stated", "note": _ACCESS[model.gated]}
        return {
            "id": row_id,
            "name": model.id,
            "model": {"text": model.id, "note": ", ".join(part for part in about if part)},
            "fits": {"text": "Looking …", "note": ""} if is_looking else _fits(found),
            "parameters": parameters_text(model.parameters),
            "size": model.size,
            "license": licence if model.license or _ACCESS[model.gated] else None,
            "downloads": model.downloads,
            "hidden": [
                *([_LOOK] if is_told else []),
                *([_SIBLINGS] if found.into != {} or is_looking else []),
            ],
        }


def parameters_text(count: int | None) -> str | None:
    """Write a number of parameters as names of models do: ``8.03B``; ``None`` for unknown."""
    if count is None:
        return None
    step, unit = next(((s, u) for s, u in _STEPS if count >= s), (1, ""))
    return f"{count / step:.3g}{unit}"


def _fits(found: FoundFit) -> dict[str, str]:
    into = found.into
    if into is None:
        return {"text": "Not known", "note": "" if found.can_look else found.reason}
    if not into:
        return {"text": "No GPU of Cloud Run", "note": ""}
    labels = [
        gpu.short_label.removeprefix("NVIDIA ") for gpu in gpus.GPUS if gpu.accelerator in into
    ]
    lengths = [f"{into[gpu.accelerator]:,}" for gpu in gpus.GPUS if gpu.accelerator in into]
    told = " and ".join(dict.fromkeys(lengths))
    return {"text": ", ".join(labels), "note": f"With up to {told} tokens, estimated"}


def _status(state: FindingState) -> str:
    if state.searching:
        return "Searching …"
    if state.error:
        return ""
    count = len(state.found)
    models = f"{count} model{'' if count == 1 else 's'}"
    if state.base:
        return f"{models} that fit, quantized from {state.base} by the word of their authors."
    is_sorted = all(each.model.downloads is not None for each in state.found)
    return f"{models}, sorted by downloads." if is_sorted else f"{models}."


def _told(error: Any) -> str:
    fix = error.fix.text if error.fix else ""
    return " ".join(part for part in (error.message, fix) if part)
