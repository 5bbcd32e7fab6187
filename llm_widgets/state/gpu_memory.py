"""Whether what is being filled in fits into the GPU's memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from traitlets import HasTraits, Instance, Unicode

from llm_widgets.domain.memory import Estimate, from_facts
from llm_widgets.errors import InvalidInputError, ManagerError
from llm_widgets.jobs import verify
from llm_widgets.serving import gpu_memory
from llm_widgets.state.background import Latest

if TYPE_CHECKING:
    from llm_widgets.domain.manifest import ModelManifest
    from llm_widgets.domain.memory import MemoryModel
    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.domain.services import Deployment
    from llm_widgets.state.session import Session

_UNKNOWN = "It can't be told: nothing was kept of the model's layers when it was imported."
_NO_GPU = "Without a GPU, the model is held in the instance's memory."


class GpuMemoryState(HasTraits):
    """The estimate for a model and a deployment of it.

    Attributes
    ----------
    estimate
        ``None`` where ``note`` says why there is none.
    """

    estimate: Instance[Any] = Instance(Estimate, allow_none=True)
    note = Unicode()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._latest = Latest()
        self._model: MemoryModel | None = None
        self._deployment: Deployment | None = None
        self._loading = False

    def load(self, bucket: str, record: ModelRecord) -> None:
        """Read what was kept of a model when it was imported."""
        fresh = self._latest.begin()
        self._loading = True
        self._model = None
        self.estimate = None
        self.note = "Reading what was kept of the model …"

        def then(found: ModelManifest) -> None:
            if fresh():
                self._loading = False
                self._model = from_facts(found.facts)
                self.update(self._deployment)

        def failed(error: ManagerError) -> None:
            if fresh():
                self.note = f"It can't be told. {error.message}"

        self._session.background.run(
            lambda: verify.read_manifest(self._session.clients, bucket, record), then, failed
        )

    def update(self, deployment: Deployment | None) -> None:
        """Estimate a deployment of the model anew."""
        self._deployment = deployment
        if self._loading or deployment is None:
            return
        if self._model is None:
            self.note = _UNKNOWN
            return
        try:
            found = gpu_memory.estimate(self._model, deployment)
            note = _NO_GPU
        except InvalidInputError as error:
            found, note = None, error.message
        with self.hold_trait_notifications():
            self.note = note
            self.estimate = found
