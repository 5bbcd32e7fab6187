"""What a deployment is offered with: the model's recipe, its region's GPU, General's network."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from llm_widgets.domain import gpus
from llm_widgets.serving import recipes

if TYPE_CHECKING:
    from llm_widgets.domain.manifest import ModelManifest
    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.domain.services import Deployment
    from llm_widgets.page.session import Session


@dataclass(frozen=True, slots=True)
class Subject:
    """What is deployed: a model in a bucket, and where the bucket is."""

    bucket: str
    location: str
    record: ModelRecord


def offer(session: Session, subject: Subject, manifest: ModelManifest | None = None) -> Deployment:
    """Make the deployment that fits a model best, beside its bucket where a GPU is.

    Parameters
    ----------
    manifest
        What was kept of the model when it was imported, once it has been read.
    """
    project = session.project
    assert project is not None, "a model is shown in a project only"
    region = subject.location if gpus.in_region(subject.location) else session.settings.region
    offered = recipes.defaults(
        subject.record,
        bucket=subject.bucket,
        project=project.id,
        region=region,
        service_account=session.runtime_account or project.default_service_account,
        manifest=manifest,
    )
    return replace(offered, **_network(session, region))


def with_network(session: Session, before: Deployment, wanted: Deployment) -> Deployment:
    """Let the network of General follow the region, where it was taken from there."""
    defaults = _network(session, before.region)
    taken = {name: getattr(wanted, name) for name in defaults} == defaults
    if wanted.region == before.region or not taken:
        return wanted
    return replace(wanted, **_network(session, wanted.region))


def _network(session: Session, region: str) -> dict[str, Any]:
    network = session.network_for(region)
    connector = network.connector(session.project_id, region)
    return {"subnet": network.subnet_access, "connector": connector}
