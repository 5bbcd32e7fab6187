"""The state of the Models tab as a page has it, for tests without a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.gcp.project.projects import Project
from llm_widgets.manager.import_check import ImportRequest
from llm_widgets.manager.import_target import Target, TargetKind
from llm_widgets.page.models.import_form import ImportFormState
from llm_widgets.page.models.model import ModelPageState
from llm_widgets.page.models.models import ModelsState
from llm_widgets.page.session import Session
from local_cloud.testing.waiting import until
from tests.contract.product import PROJECT, Product

if TYPE_CHECKING:
    from collections.abc import Iterator

    from traitlets import HasTraits

    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.errors import ManagerError
    from llm_widgets.manager.import_check import ImportCheck


class ModelsTab:
    """One open page, as far as the Models tab goes."""

    def __init__(self, product: Product, project: str = PROJECT) -> None:
        self.session = Session(product.settings)
        self.notices: list[str] = []
        self.session.on_notice(lambda text, _: self.notices.append(text))
        self.models = ModelsState(self.session)
        self.form = ImportFormState(self.session, self.models)
        self.model = ModelPageState(self.session, self.models)
        self.session.project = Project(project, "1", project)
        until(lambda: self.models.loaded and not self.models.loading)

    def refresh(self) -> None:
        """List again, and wait for it."""
        self.models.refresh()
        until(lambda: not self.models.loading)

    def check(
        self,
        source: str,
        model_id: str,
        target: Target | str,
        *,
        token: str = "",
        revision: str = "",
    ) -> ImportCheck:
        """Make a pre-flight; a failure is raised."""
        place = Target(TargetKind.EXISTING, target) if isinstance(target, str) else target
        answers: list[ManagerError | None] = []
        self.form.check(
            ImportRequest(source, model_id, place, revision, token),
            done=lambda: answers.append(None),
            failed=answers.append,
        )
        until(lambda: answers)
        if answers[0]:
            raise answers[0]
        assert self.form.checked
        return self.form.checked

    def start(self) -> None:
        """Start the import that was checked; a failure is raised."""
        started: list[bool] = []
        self.form.start(lambda: started.append(True))
        until(lambda: started or self.form.error)
        if self.form.error:
            raise self.form.error

    def ready(self, bucket: str, model_id: str) -> ModelRecord:
        """Wait until a model is ready."""

        def find() -> ModelRecord | None:
            here = self.models.bucket(bucket)
            models = here.models if here else ()
            return next((m for m in models if m.id == model_id and m.status == "completed"), None)

        return until(find)


def traits_text(*objects: HasTraits) -> str:
    """Write out every trait, as widget state or a log would."""
    return "\n".join(repr(each.trait_values()) for each in objects)


def opened(product: Product) -> Iterator[ModelsTab]:
    """Yield an open page, then close it."""
    tab = ModelsTab(product)
    yield tab
    tab.session.close()
