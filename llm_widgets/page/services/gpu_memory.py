"""Whether what is being filled in fits into the GPU's memory, and into the container's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from traitlets import HasTraits, Instance, Int, Unicode

from llm_widgets.domain.memory import Estimate, MemoryModel
from llm_widgets.engines import registry
from llm_widgets.errors import InvalidInputError, ManagerError
from llm_widgets.manager import memory
from llm_widgets.page.background import Latest
from llm_widgets.serving import container_memory, gpu_memory, measured_memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.domain.manifest import ModelManifest
    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.domain.services import Deployment
    from llm_widgets.page.session import Session

_READING = "Reading the model's facts …"
_UNKNOWN = "Unknown: the model is not in the bucket's list."
_NO_ENGINE = "Unknown: there is no estimate for {engine}."
_NO_GPU = "Without a GPU, the model is held in the instance's memory."


class GpuMemoryState(HasTraits):
    """The estimate for a model and a deployment of it.

    Attributes
    ----------
    estimate
        ``None`` where ``note`` says why there is none.
    too_small
        Why the container's memory does not suffice; empty where it does.
    context
        Tokens of a request that the engine is told; 0 where it finds the longest itself.
    measured
        What the engine measured when it started with the same, beside the estimate; empty where
        it never did.
    model
        What is known of the model's memory; ``None`` until it was read.
    """

    estimate: Instance[Any] = Instance(Estimate, allow_none=True)
    note = Unicode()
    too_small = Unicode()
    context = Int()
    measured = Unicode()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._latest = Latest()
        self.model: MemoryModel | None = None
        self._deployment: Deployment | None = None
        self._loading = False

    @property
    def is_refused(self) -> bool:
        """Whether what is filled in surely does not fit."""
        return bool(self.too_small or (self.estimate and self.estimate.is_refused))

    @property
    def longest_context(self) -> int:
        """Tokens of the longest request that fits; 0 when none does."""
        return self.estimate.longest_context if self.estimate else 0

    def load(
        self,
        bucket: str,
        record: ModelRecord,
        then: Callable[[ModelManifest | None], None] = lambda _: None,
    ) -> None:
        """Read what was kept of a model when it was imported.

        Parameters
        ----------
        then
            Called with it; with ``None`` where there is nothing.
        """
        fresh = self._latest.begin()
        self._loading = True
        self.model = None
        self.estimate = None
        self.note = _READING

        def found(manifest: ModelManifest | None) -> None:
            if not fresh():
                return
            self._loading = False
            self.model = memory.model_of(record, manifest)
            then(manifest)
            self.update(self._deployment)

        clients = self._session.clients
        self._session.background.run(
            lambda: memory.kept(clients, bucket, record), found, self._session.report
        )

    def load_served(self, bucket: str, folder: str) -> None:
        """Read what was kept of the model in a folder of a bucket."""
        fresh = self._latest.begin()
        self._loading = True
        self.model = None
        self.estimate = None
        self.note = _READING

        def then(record: ModelRecord | None) -> None:
            if fresh() and record:
                self.load(bucket, record)
            elif fresh():
                self._loading = False
                self.update(self._deployment)

        def failed(error: ManagerError) -> None:
            if fresh():
                self.note = f"Unknown. {error.message}"

        clients = self._session.clients
        self._session.background.run(lambda: memory.served(clients, bucket, folder), then, failed)

    def update(self, deployment: Deployment | None) -> None:
        """Estimate a deployment of the model anew."""
        self._deployment = deployment
        if self._loading or deployment is None:
            return
        if self.model is None:
            self.note = _UNKNOWN
            return
        note = _NO_GPU
        if registry.of(deployment.framework) is None:
            engine = f"“{deployment.framework}”" if deployment.framework else "this engine"
            note = _NO_ENGINE.format(engine=engine)
        try:
            found = gpu_memory.estimate(self.model, deployment)
            context = gpu_memory.context_of(deployment)
            too_small = container_memory.why_too_small(self.model, deployment)
            measured = measured_memory.compared(self.model, deployment)
        except InvalidInputError as error:
            found, note, context, too_small, measured = None, error.message, 0, "", ""
        with self.hold_trait_notifications():
            self.note = note
            self.too_small = too_small
            self.context = context
            self.measured = measured
            self.estimate = found
