"""The request of a deployment, to be read and copied."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as w

from llm_widgets.serving.export import Language, written
from llm_widgets.widgets.details import CopyText
from llm_widgets.widgets.layout import card

if TYPE_CHECKING:
    from llm_widgets.domain.services import Deployment


class RequestCard:
    """Shows a request in the language that is chosen; ``box`` is what goes into the page."""

    def __init__(self) -> None:
        self._deployment: Deployment | None = None
        self._text = CopyText(label="Request")
        self._language = w.Dropdown(
            description="Written as",
            options=[(language.value, language) for language in Language],
            value=Language.YAML,
        )
        self._language.observe(lambda _: self._draw(), "value")
        self.box = card(
            "Request",
            self._language,
            self._text,
            text="Exactly what is asked of Cloud Run, for those who keep it in a repository.",
        )

    def show(self, deployment: Deployment) -> None:
        """Show the request of a deployment."""
        self._deployment = deployment
        self._draw()

    def _draw(self) -> None:
        if self._deployment is not None:
            language = self._language.value
            self._text.text = written(self._deployment, language)
            self._text.label = f"Request as {language.value}"
