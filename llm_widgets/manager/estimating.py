"""Whether a model of a hub will run, and what it costs: asked before any account is there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from llm_widgets import hubs
from llm_widgets.config import settings
from llm_widgets.domain import gpus
from llm_widgets.domain.manifest import ManifestFile, ModelManifest
from llm_widgets.domain.tables import Listing, Shown, Values
from llm_widgets.engines import registry, streaming
from llm_widgets.manager import memory
from llm_widgets.serving import cost, egress, gpu_memory, recipes

if TYPE_CHECKING:
    from llm_widgets.config import Settings
    from llm_widgets.domain.imports import HubModel
    from llm_widgets.domain.memory import Estimate
    from llm_widgets.domain.services import Deployment

_NOWHERE = "no-project"  # a deployment that is never sent has a project too
_COLUMNS = ("model", "gpu", "fits", "needed_bytes", "usable_bytes", "context", "dollars_per_hour")


@dataclass(frozen=True, slots=True)
class Fit(Shown):
    """Whether a model fits into a GPU.

    Attributes
    ----------
    deployment
        What it would be offered with.
    memory
        The estimate; ``None`` where the engine can't be asked.
    size
        Bytes of the model's files.
    """

    model: str
    deployment: Deployment
    memory: Estimate | None
    size: int = 0

    @property
    def network(self) -> str:
        """What makes its weights load faster, in a sentence; empty for a small model."""
        found = egress.before(self.deployment, self.size)
        return found.text if found else ""

    @property
    def fits(self) -> bool | None:
        """Whether it fits; ``None`` where that is not known."""
        return self.memory.fits if self.memory and self.memory.known else None

    def shown(self) -> Values:
        """Return what a list of GPUs tells of it."""
        found = self.memory
        known = found if found and found.known else None
        price = cost.of_deployment(self.deployment)
        return {
            "model": self.model,
            "engine": self.deployment.framework,
            "gpu": self.deployment.accelerator,
            "fits": self.fits,
            "is_close": known.is_close if known else None,
            "needed_bytes": known.total if known else None,
            "usable_bytes": found.usable if found else None,
            "context": gpu_memory.context_of(self.deployment) or None,
            "network": self.network,
            "streams_weights": self._streams,
            "longest_context": known.longest_context if known else None,
            "reason": found.reason if found else "",
            "advice": list(found.advice) if found else [],
            "regions": [r for gpu in gpus.GPUS if self._has(gpu) for r in gpu.regions],
            "dollars_per_hour": float(round(price.hour, 4)) if price else None,
        }

    @property
    def _streams(self) -> bool | None:
        """Whether weights are read past the mount; ``None`` where they can't be."""
        made, engine = self.deployment, registry.of(self.deployment.framework)
        is_possible = engine is not None and streaming.can(engine, made)
        return streaming.is_on(engine, made) if engine and is_possible else None

    def _has(self, gpu: gpus.Gpu) -> bool:
        return gpu.accelerator == self.deployment.accelerator


def estimate(
    source: str,
    model_id: str,
    *,
    revision: str = "",
    token: str = "",
    accelerator: str = "",
    context_length: int | None = None,
    framework: str = "",
    chosen: Settings | None = None,
) -> Listing[Fit]:
    """Tell for each GPU of Cloud Run whether a model of a hub fits, and what it costs an hour.

    Only the hub is asked: it takes no account of Google Cloud.

    Parameters
    ----------
    source
        Id of the hub, for example ``"huggingface"`` or ``"ollama"``.
    token
        The hub's token, for gated and private models; ``"HF_TOKEN"`` for the one of that variable.
    accelerator
        Look at this GPU only.
    context_length
        Tokens of a request; what the engine's recipe thinks best when left out.

    Raises
    ------
    ManagerError
        The hub does not have the model, or no engine serves it.

    Examples
    --------
    >>> for fit in estimate("ollama", "smollm2:135m"):
    ...     print(fit.deployment.accelerator, fit.fits)
    nvidia-l4 True
    nvidia-rtx-pro-6000 True
    """
    using = chosen or settings()
    given = hubs.token(source, token, using)
    found = hubs.inspect(source, model_id, using, token=given, revision=revision)
    return fits_of(
        found, accelerator=accelerator, context_length=context_length, framework=framework
    )


def fits_of(
    found: HubModel,
    *,
    accelerator: str = "",
    context_length: int | None = None,
    framework: str = "",
) -> Listing[Fit]:
    """Tell for each GPU whether a model fits of which a hub has told: see :func:`estimate`."""
    kept = _manifest(found)
    record = replace(kept.record(), size=found.size)
    known = memory.model_of(record, kept)
    fits = []
    for gpu in (gpu for gpu in gpus.GPUS if accelerator in ("", gpu.accelerator)):
        offered = recipes.defaults(
            record,
            project=_NOWHERE,
            region=gpu.regions[0],
            bucket=_NOWHERE,
            accelerator=gpu.accelerator,
            context_length=context_length,
            manifest=kept,
            framework=framework,
        )
        fits.append(Fit(found.id, offered, gpu_memory.estimate(known, offered), record.size))
    return Listing(fits, _COLUMNS)


def _manifest(found: HubModel) -> ModelManifest:
    """Return what would be kept of a model if it were imported now."""
    now = datetime.now(UTC)
    files = tuple(
        ManifestFile(file.path, file.size, file.digest, "", file.part) for file in found.chosen
    )
    return ModelManifest(
        "", found.source, found.id, found.revision, "model", files, now, now, facts=found.facts
    )
