"""What a model is offered with, and what follows from what somebody changes of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from llm_widgets.domain import gpus
from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.domain.names import shown
from llm_widgets.domain.start_styles import BALANCED
from llm_widgets.engines import proposals, registry, start_styles, streaming
from llm_widgets.errors import Fix, InvalidInputError, NotFoundError
from llm_widgets.serving import recipes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_widgets.domain.manifest import ModelManifest
    from llm_widgets.domain.services import Deployment
    from llm_widgets.engines.proposals import Proposal
    from llm_widgets.manager.projects import Defaults

HARDWARE = ("accelerator", "cpu", "memory_gib")
"""Fields that follow others, unless somebody asks for them."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is deployed: a model in a bucket, and where the bucket is.

    Raises
    ------
    NotFoundError
        The model is not ready.
    """

    bucket: str
    location: str
    record: ModelRecord

    def __post_init__(self) -> None:
        """Refuse a model that is being imported, or whose import failed."""
        if self.record.status is not ModelStatus.READY:
            raise NotFoundError(f"{self.bucket} has no model {self.record.id} that is ready.")


def offer(
    defaults: Defaults,
    subject: Subject,
    manifest: ModelManifest | None = None,
    framework: str = "",
) -> Deployment:
    """Return the deployment that fits a model best, beside its bucket where a GPU is.

    Parameters
    ----------
    manifest
        What was kept of the model when it was imported, once it has been read.
    framework
        Id of the engine; the one that is preferred for the model's hub when empty.

    Raises
    ------
    InvalidInputError
        The engine does not serve such a model.
    """
    region = subject.location if gpus.in_region(subject.location) else defaults.region
    offered = recipes.defaults(
        subject.record,
        bucket=subject.bucket,
        project=defaults.project.id,
        region=region,
        service_account=defaults.service_account,
        manifest=manifest,
        framework=framework,
    )
    return replace(offered, **_network(defaults, region))


def proposal(subject: Subject, manifest: ModelManifest | None, framework: str) -> Proposal | None:
    """Return what an engine is told because of a model's family; ``None`` for nothing."""
    engine = registry.of(framework)
    return engine.proposal(subject.record.id, manifest) if engine else None


def with_proposal(wanted: Deployment, proposed: Proposal | None, *, told: bool) -> Deployment:
    """Return a deployment whose engine is told, or is not told, what its family is served with."""
    engine = registry.of(wanted.framework)
    if engine is None or proposed is None:
        return wanted
    change = proposals.add if told else proposals.remove
    return change(wanted, proposed, engine.command_line)


def with_changes(base: Deployment, changes: Mapping[str, Any]) -> Deployment:
    """Change fields of a deployment; what the engine is told of them follows.

    An engine that is told otherwise by the person, in arguments or variables, is left alone.

    Parameters
    ----------
    changes
        Field of :class:`llm_widgets.domain.services.Deployment` to its value.
    """
    rest = dict(changes)
    port = rest.pop("port", base.port)
    mount_path = rest.pop("mount_path", base.mount_path)
    concurrency = rest.pop("concurrency", base.concurrency)
    made = recipes.with_port(replace(base, **rest), port)
    return recipes.with_concurrency(recipes.with_mount_path(made, mount_path), concurrency)


def followed(
    defaults: Defaults, before: Deployment, wanted: Deployment, size: int = 0
) -> Deployment:
    """Return a deployment whose hardware, probe, network and weights follow what was changed.

    Parameters
    ----------
    size
        Bytes of the model; 0 where that is not known.
    """
    wanted = recipes.adapted(before, wanted)
    engine = registry.of(wanted.framework)
    wanted = streaming.followed(engine, before, wanted, size) if engine and size else wanted
    before_network = _network(defaults, before.region)
    taken = {name: getattr(wanted, name) for name in before_network} == before_network
    if wanted.region == before.region or not taken:
        return wanted
    return replace(wanted, **_network(defaults, wanted.region))


def asked_for(
    defaults: Defaults, offered: Deployment, changes: Mapping[str, Any], size: int = 0
) -> Deployment:
    """Return what is offered with what somebody asks for; what was not asked for follows it.

    Parameters
    ----------
    size
        Bytes of the model; 0 where that is not known.
    """
    wanted = followed(defaults, offered, with_changes(offered, changes), size)
    return replace(wanted, **_hardware_of(changes))


def with_code(wanted: Deployment, *, runs: bool | None) -> Deployment:
    """Return a deployment whose engine is told whether to run a model's own code.

    Parameters
    ----------
    runs
        ``None`` leaves the arguments as they are.
    """
    engine = registry.of(wanted.framework)
    return wanted if engine is None or runs is None else engine.with_code(wanted, runs=runs)


def with_streaming(wanted: Deployment, *, on: bool | None) -> Deployment:
    """Return a deployment whose engine streams the weights, or reads them through the mount.

    Parameters
    ----------
    on
        ``None`` leaves the arguments as they are.

    Raises
    ------
    InvalidInputError
        They can't be streamed.
    """
    engine = registry.of(wanted.framework)
    if engine is None or on is None:
        return wanted
    if on and not streaming.can(engine, wanted):
        raise InvalidInputError(
            f"{engine.label} can't stream these weights from Cloud Storage.",
            field="stream_weights",
            fix=Fix(text="Leave it out: the weights are read through the mount."),
        )
    return streaming.turned(engine, wanted, on=on)


def with_start(wanted: Deployment, style: str) -> Deployment:
    """Return a deployment that starts in a style; as it is where none is named.

    Raises
    ------
    InvalidInputError
        Its engine knows no such style.
    """
    engine = registry.of(wanted.framework)
    if not style or engine is None:
        return wanted
    known = [each.id for each in engine.start_styles]
    if style not in known and style != BALANCED:
        raise InvalidInputError(
            f"{engine.label} can't be started as {shown(style)}.",
            field="start",
            fix=Fix(text=f"Choose one of {', '.join(known)}." if known else "Leave it out."),
        )
    return start_styles.with_style(engine, wanted, style)


def changed(before: Deployment, changes: Mapping[str, Any]) -> Deployment:
    """Return a service's deployment with what somebody asks for; the other hardware follows."""
    wanted = recipes.adapted(before, with_changes(before, changes))
    return replace(wanted, **_hardware_of(changes))


def _hardware_of(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was asked for of what would follow else."""
    return {name: changes[name] for name in HARDWARE if name in changes}


def _network(defaults: Defaults, region: str) -> dict[str, Any]:
    network = defaults.network(region)
    connector = network.connector(defaults.project.id, region)
    return {"subnet": network.subnet_access, "connector": connector}
