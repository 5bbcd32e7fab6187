"""What to import, and into which bucket."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain.models import Source
from llm_widgets.errors import GatedModelError, InvalidInputError, ManagerError
from llm_widgets.widgets.dialog import Field, FormDialog, Option, Values

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.state.import_form import ImportFormState
    from llm_widgets.state.models import ModelsState
    from llm_widgets.state.session import Session

NEW_BUCKET = "+new"  # no bucket can have this name
_SOURCES = (
    Option(
        Source.HUGGING_FACE.value,
        "Hugging Face (vLLM)",
        "Slower cold starts, but better performance for high-traffic use cases.",
    ),
    Option(Source.OLLAMA.value, "Ollama", "Fast cold start and fast single-user performance."),
)
_MODEL_KEYS = {Source.HUGGING_FACE: "hugging_face_id", Source.OLLAMA: "ollama_id"}


class ImportDialog:
    """The form; ``dialog`` is what goes into the page."""

    def __init__(
        self,
        session: Session,
        models: ModelsState,
        form: ImportFormState,
        *,
        checked: Callable[[], None],
        new_bucket: Callable[[], None],
    ) -> None:
        self._session = session
        self._models = models
        self._form = form
        self._checked = checked
        self._new_bucket = new_bucket
        self._suggested: dict[Source, tuple[str, ...]] = {}
        self.dialog = FormDialog(
            title="Import model",
            submit_label="Check",
            busy_label="Asking the hub …",
            wide=True,
            live=True,
        )
        self.dialog.on_submit(self._submitted)
        self.dialog.on_input(self._typed)

    def show(self) -> None:
        """Open the form, or that for a bucket when there is none yet."""
        if not self._models.buckets:
            self._new_bucket()
            return
        self.dialog.set_fields(self._fields())
        self.dialog.show()
        for source in Source:
            self._form.suggestions(
                source,
                lambda found, source=source: self._suggest(source, [each.id for each in found]),
            )

    def _suggest(self, source: Source, ids: list[str]) -> None:
        if self._suggested.get(source) != tuple(ids):
            self._suggested[source] = tuple(ids)
            self.dialog.set_fields(self._fields())

    def _fields(self) -> list[Field]:
        buckets = [Option(b.name, f"{b.name} ({b.location})") for b in self._models.buckets]
        return [
            Field("source", "Source", "cards", options=_SOURCES, value=Source.OLLAMA.value),
            self._model_field(Source.HUGGING_FACE, "meta-llama/Llama-3.1-8B-Instruct"),
            self._model_field(Source.OLLAMA, "gemma3:4b"),
            Field(
                "token",
                "Hugging Face token",
                "password",
                help="Only for gated or private models. It is kept in Secret Manager, "
                "nowhere else.",
                show_when=("source", Source.HUGGING_FACE.value),
            ),
            Field(
                "bucket",
                "Bucket",
                "select",
                options=(*buckets, Option(NEW_BUCKET, "Create a new bucket …")),
            ),
        ]

    def _model_field(self, source: Source, example: str) -> Field:
        return Field(
            _MODEL_KEYS[source],
            "Model ID",
            required=True,
            placeholder=example,
            help=f"As {source.label} writes it, for example {example}.",
            suggestions=self._suggested.get(source, ()),
            show_when=("source", source.value),
        )

    def _typed(self, values: Values) -> None:
        source = Source(values["source"])
        key = _MODEL_KEYS[source]

        def told(sentence: str, error: ManagerError | None) -> None:
            if isinstance(error, GatedModelError):
                self.dialog.hint({key: f"{error.message} Enter a token below."})
            elif error:
                self.dialog.hint({key: error.message})
            else:
                self.dialog.hint({key: sentence})

        self._form.look_up(source, values.get(key, ""), told)

    def _submitted(self, values: Values) -> None:
        if values["bucket"] == NEW_BUCKET:
            self.dialog.close()
            self._new_bucket()
            return
        source = Source(values["source"])
        key = _MODEL_KEYS[source]

        def done() -> None:
            self.dialog.close()
            self._checked()

        def failed(error: ManagerError) -> None:
            if isinstance(error, InvalidInputError):
                self.dialog.fail(errors={key: error.message})
            else:
                self.dialog.fail(str(error))

        self._form.check(
            values["bucket"],
            source,
            values[key],
            token=values.get("token", ""),
            done=done,
            failed=failed,
        )
