"""Forms that try a service of another task than chatting: what is asked, and the answer below."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from llm_widgets.domain.answers import Classified, Embedding, Ranked, Transcript
from llm_widgets.domain.loading import Task
from llm_widgets.manager import asking
from llm_widgets.serving.snippets import PASSAGES, QUERY, SENTENCES, TEXTS
from llm_widgets.widgets.details import CopyText, Detail, DetailList
from llm_widgets.widgets.fields import Field
from llm_widgets.widgets.form import Form
from llm_widgets.widgets.layout import button, card, row, show_if, stack
from llm_widgets.widgets.notice import Notice
from llm_widgets.widgets.picker import FilePicker
from llm_widgets.widgets.table import Column, DataTable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import ipywidgets as w

    from llm_widgets.page.services.trying import TryState

_SHOWN = 5  # numbers of a vector
_LABELS = 5  # of a text
_WAITING = "Waiting for an answer …"
_SOUND = ("audio/mpeg", "audio/wav", "audio/x-wav", "audio/flac", "audio/ogg", "audio/mp4")


class TaskPanel(Protocol):
    """What a form of one task has; ``box`` is what goes into the page."""

    box: w.Widget

    def close(self) -> None:
        """Draw no more."""


class _FormPanel:
    """A form whose answer is drawn below it."""

    def __init__(self, state: TryState, title: str, text: str, fields: list[Field]) -> None:
        self._state = state
        self._form = Form(label=title, fields=fields, submit_label=title, busy_label=_WAITING)
        self._notice = Notice()
        self._form.on_submit(self._ask)
        self.box: w.Widget = card(title, self._form, self._notice, *self._results(), text=text)
        state.observe(self._draw, ["busy", "answer", "error"])
        self._draw()

    def close(self) -> None:
        """Draw no more."""
        self._state.unobserve(self._draw, ["busy", "answer", "error"])

    def _results(self) -> list[w.Widget]:
        raise NotImplementedError

    def _ask(self, values: dict[str, Any]) -> None:
        raise NotImplementedError

    def _show(self, answer: object) -> None:
        raise NotImplementedError

    def _draw(self, _: object = None) -> None:
        if not self._state.busy:
            self._form.finish()
        if self._state.error:
            self._notice.show_error(self._state.error)
        else:
            self._notice.clear()
        self._show(self._state.answer)


class EmbeddingPanel(_FormPanel):
    """Two texts, the dimension of their vectors, and how near they are."""

    def __init__(self, state: TryState) -> None:
        self._facts = DetailList()
        super().__init__(
            state,
            "Embed",
            "Turns texts into vectors and compares them. 1 is the same direction; unrelated texts "
            "have lower values, and each model has its own range.",
            [
                _text("first", "First text", TEXTS[0]),
                _text("second", "Second text", TEXTS[1]),
            ],
        )

    def _results(self) -> list[w.Widget]:
        return [self._facts]

    def _ask(self, values: dict[str, Any]) -> None:
        self._state.embed([values["first"], values["second"]])

    def _show(self, answer: object) -> None:
        found = [each for each in _items(answer) if isinstance(each, Embedding)]
        if len(found) != 2:  # noqa: PLR2004 - the two texts
            self._facts.show([])
            return
        one, two = found
        near = one.similarity(two)
        self._facts.show(
            [
                Detail("Dimension", str(one.dimension)),
                Detail("Cosine similarity", "Unknown" if near is None else f"{near:.4f}"),
                Detail("First vector begins", _numbers(one), code=True, wide=True),
                Detail("Second vector begins", _numbers(two), code=True, wide=True),
            ]
        )


class RankingPanel(_FormPanel):
    """A query and passages, and the passages by their scores."""

    def __init__(self, state: TryState) -> None:
        self._table = DataTable(
            caption="Ranking",
            columns=[
                Column("place", "Rank", "number", sortable=False, width=10),
                Column("score", "Score", "number", sortable=False, width=15),
                Column("passage", "Passage", sortable=False, width=75),
            ],
            empty="No ranking yet.",
        )
        super().__init__(
            state,
            "Rank",
            "Sorts passages by how well they answer a query. A higher score is better; each engine "
            "has its own scale.",
            [
                Field(
                    "query",
                    "Query",
                    required=True,
                    value=QUERY,
                    is_long=True,
                ),
                Field(
                    "passages",
                    "Passages",
                    "rows",
                    required=True,
                    value=PASSAGES,
                    columns=("Passage",),
                    add_label="Add passage",
                ),
            ],
        )

    def _results(self) -> list[w.Widget]:
        return [self._table]

    def _ask(self, values: dict[str, Any]) -> None:
        self._state.rank(values["query"], [each for each in values["passages"] if each.strip()])

    def _show(self, answer: object) -> None:
        found = [each for each in _items(answer) if isinstance(each, Ranked)]
        self._table.rows = [
            {
                "id": str(each.index),
                "place": place,
                "score": f"{each.score:.4f}",
                "passage": each.passage,
            }
            for place, each in enumerate(found, 1)
        ]


class ClassifyingPanel(_FormPanel):
    """Texts, and their labels with scores."""

    def __init__(self, state: TryState) -> None:
        self._table = DataTable(
            caption="Labels",
            columns=[
                Column("text", "Text", sortable=False, width=55),
                Column("label", "Label", sortable=False, width=30),
                Column("score", "Score", "number", sortable=False, width=15),
            ],
            empty="No labels yet.",
        )
        super().__init__(
            state,
            "Classify",
            f"Labels texts; 1 is the highest score. The {_LABELS} best labels of each text are "
            "shown. vLLM names the first one, and numbers the others as the model does.",
            [
                Field(
                    "texts",
                    "Texts",
                    "rows",
                    required=True,
                    value=SENTENCES,
                    columns=("Text",),
                    add_label="Add text",
                ),
            ],
        )

    def _results(self) -> list[w.Widget]:
        return [self._table]

    def _ask(self, values: dict[str, Any]) -> None:
        self._state.classify([each for each in values["texts"] if each.strip()])

    def _show(self, answer: object) -> None:
        found = [each for each in _items(answer) if isinstance(each, Classified)]
        self._table.rows = [
            {
                "id": f"{place}/{rank}",
                "text": each.text,
                "label": label.name,
                "score": f"{label.score:.4f}",
            }
            for place, each in enumerate(found)
            for rank, label in enumerate(each.scores[:_LABELS])
        ]


class TranscribingPanel:
    """A file of sound, and what is said in it."""

    def __init__(self, state: TryState) -> None:
        self._state = state
        self._picker = FilePicker(
            label="Choose a recording", accept=list(_SOUND), most=asking.MOST_SOUND
        )
        self._send = button("Transcribe", style="primary")
        self._notice = Notice()
        self._text = CopyText(label="Transcript")
        self._send.on_click(lambda _: self._ask())
        self._picker.on_change(self._draw)
        self.box: w.Widget = card(
            "Transcribe",
            stack(self._picker, row(self._send), self._notice, self._text),
            text="Writes down what is said in a recording.",
        )
        state.observe(self._draw, ["busy", "answer", "error"])
        self._draw()

    def close(self) -> None:
        """Draw no more."""
        self._state.unobserve(self._draw, ["busy", "answer", "error"])

    def _ask(self) -> None:
        if file := self._picker.file:
            self._state.transcribe(asking.Recording(file.name, file.content))

    def _draw(self, _: object = None) -> None:
        state = self._state
        self._send.disabled = state.busy or self._picker.file is None
        if state.error:
            self._notice.show_error(state.error)
        elif state.busy:
            self._notice.show("info", _WAITING)
        else:
            self._notice.clear()
        said = state.answer.text if isinstance(state.answer, Transcript) else ""
        self._text.text = said
        show_if(said, self._text)


PANELS: Mapping[Task, Callable[[TryState], TaskPanel]] = {
    Task.EMBED: EmbeddingPanel,
    Task.RERANK: RankingPanel,
    Task.CLASSIFY: ClassifyingPanel,
    Task.TRANSCRIBE: TranscribingPanel,
}
"""The form of each task that is not a chat."""


def _text(key: str, label: str, value: str) -> Field:
    return Field(key, label, "textarea", required=True, value=value, is_long=True)


def _items(answer: object) -> list[object]:
    return list(answer) if isinstance(answer, list) else []


def _numbers(embedding: Embedding) -> str:
    shown = ", ".join(f"{number:.4f}" for number in embedding.vector[:_SHOWN])
    return f"{shown}, …" if embedding.dimension > _SHOWN else shown
