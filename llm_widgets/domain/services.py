"""Services: what is asked for in a deployment, and what runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING

from llm_widgets.domain.tables import Shown, Values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_widgets.domain.leases import Lease
    from llm_widgets.domain.loading import Task
    from llm_widgets.domain.pausing import Pause
    from llm_widgets.domain.recognition import Recognition

MANAGED_BY = ("managed-by", "llm-manager")
"""The label of every service that the product deploys."""

ENGINE_LABEL = "llm-engine"
"""Label that holds the framework."""

MODEL_ANNOTATION = "llm-manager/model"
"""Annotation that holds the model's id at its hub (labels can't hold ``/`` and ``:``)."""

BUCKET_ANNOTATION = "llm-manager/bucket"
"""Annotation that holds the bucket of the model's files."""

TASK_ANNOTATION = "llm-manager/task"
"""Annotation that holds what the model does, a value of :class:`.Task`."""

TRIED_ANNOTATION = "llm-manager/tried"
"""Remedies that were carried out for the service, see :mod:`.failures.tried`."""

SERVED_NAME_ANNOTATION = "llm-manager/served-model"
"""Annotation that holds the name by which the engine's API knows the model."""


_LONGEST_SHOWN = 256
"""Characters that are shown of what a service says of itself: more than any name of ours has.
Cloud Run allows annotations of 256 KiB."""

LONGEST_PROBE = {True: 1800, False: 600}
"""Seconds that ``period * failures`` of a startup probe may take, with and without a GPU (Cloud
Run's page on health checks)."""


def told_text(value: str) -> str:
    """Return what a service says of itself as it is shown: one line, cut where no name is as long.

    Whoever may change a service chooses these texts. What is drawn escapes them.
    """
    line = " ".join(value[: 2 * _LONGEST_SHOWN].split())
    return line if len(line) <= _LONGEST_SHOWN else f"{line[: _LONGEST_SHOWN - 1]}…"


class ServiceState(StrEnum):
    """How a service is, in words that the page shows."""

    DEPLOYING = "Deploying"
    READY = "Ready"
    ERROR = "Error"
    DELETING = "Deleting"
    OLD_SERVING = "New revision failed, old one serving"
    PAUSED = "Paused"


SERVING = (ServiceState.READY, ServiceState.OLD_SERVING)
"""States in which a service answers requests."""


class Ingress(StrEnum):
    """From where requests may come to a service; the values are those of ``gcloud``."""

    ALL = "all"
    INTERNAL = "internal"
    BALANCER = "internal-and-cloud-load-balancing"

    @property
    def label(self) -> str:
        """From where, to be read after "requests come"."""
        return {
            Ingress.ALL: "all traffic",
            Ingress.INTERNAL: "internal traffic only",
            Ingress.BALANCER: "internal traffic and Cloud Load Balancing",
        }[self]


@dataclass(frozen=True, slots=True)
class StartupProbe:
    """A startup probe; times in seconds.

    Cloud Run allows ``period * failures`` of at most :data:`LONGEST_PROBE`.

    Attributes
    ----------
    path
        What is asked for over HTTP; empty where it is enough that the port takes a connection.
    port
        Port that is asked; 0 for the one that takes requests.
    """

    path: str
    initial_delay: int = 0
    period: int = 10
    timeout: int = 5
    failures: int = 180
    port: int = 0


@dataclass(frozen=True, slots=True)
class SubnetAccess:
    """Direct VPC egress through a subnet, all traffic."""

    network: str
    subnetwork: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """A service as a person asks for it.

    Attributes
    ----------
    framework
        Id of the engine, as the label has it: also one that is not known here; empty where
        nothing tells.
    accelerator
        Value of ``node_selector.accelerator``; empty for none.
    cpu, memory_gib
        Limits of the container: vCPUs and GiB.
    timeout
        Longest request, seconds.
    mount_path
        Where the bucket appears in the container.
    folder
        Folder in the bucket that is mounted alone (``only-dir``); empty for the whole bucket.
    environment
        Variables with plain values.
    secrets
        Variables whose values come from Secret Manager: name to ``secret:version``.
    connector
        Resource name of a Serverless VPC Access connector; not together with ``subnet``.
    cache_gib
        Memory in which Cloud Storage FUSE keeps what it reads, GiB, out of ``memory_gib``;
        0 for none.
    task
        What the model does, as was found when it was imported; ``None`` where nobody knows. What
        the engine is told goes before it: see :func:`llm_widgets.engines.registry.task_of`.
    """

    project: str
    region: str
    name: str
    framework: str
    model_id: str
    served_name: str
    image: str
    port: int
    bucket: str
    folder: str
    mount_path: str
    probe: StartupProbe
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    mount_options: tuple[str, ...] = ()
    accelerator: str = ""
    cpu: float = 8
    memory_gib: float = 32
    min_instances: int = 0
    max_instances: int = 1
    concurrency: int = 8
    timeout: int = 3600
    zonal_redundancy: bool = False
    service_account: str = ""
    subnet: SubnetAccess | None = None
    connector: str = ""
    cache_gib: int = 0
    labels: Mapping[str, str] = field(default_factory=dict)
    ingress: Ingress = Ingress.ALL
    task: Task | None = None


@dataclass(frozen=True, slots=True)
class InstanceSize:
    """What one instance has, all its containers together.

    Attributes
    ----------
    accelerator
        Value of ``node_selector.accelerator``; empty for none.
    cpu, memory_gib
        vCPUs and GiB.
    redundant
        Whether the GPU has zonal redundancy.
    by_request
        Whether it is billed only while it has requests, at other prices.
    """

    accelerator: str
    cpu: float
    memory_gib: float
    redundant: bool = False
    by_request: bool = False


@dataclass(frozen=True, slots=True)
class ServiceSummary(Shown):
    """A service as the dashboard shows it.

    Attributes
    ----------
    name
        Full resource name ``projects/P/locations/R/services/S``.
    uid
        What Cloud Run tells it by from another one that had the same name before.
    reason
        Why it is in error, in the words of Cloud Run; empty otherwise.
    framework
        Id of the engine: see :class:`Deployment`.
    created_by, updated_by
        Who deployed it, and who changed it last; see :func:`llm_widgets.domain.actors.told`.
    size
        What an instance has; ``None`` where that can't be read.
    paused
        That it runs no instances, since when and by whom; ``None`` where it scales by itself.
    lease
        When it is to be paused, and by whom; ``None`` where nobody said so, or it is paused.
    task
        What it does; ``None`` where nothing tells.
    managed
        Whether this product deployed or adopted it; others are shown, and not changed.
    adopted
        Whether others deployed it, and it is managed now.
    recognition
        Of a service that others deployed: what it runs, and what tells so; ``None`` where
        nothing does.
    origin
        Of such a service, what it was deployed with; empty where nothing tells.
    """

    name: str
    state: ServiceState
    reason: str
    url: str
    framework: str
    model_id: str
    served_name: str
    bucket: str
    gpu: str
    min_instances: int
    max_instances: int
    updated_at: datetime | None
    updated_by: str
    etag: str
    created_by: str = ""
    size: InstanceSize | None = None
    paused: Pause | None = None
    lease: Lease | None = None
    task: Task | None = None
    managed: bool = True
    adopted: bool = False
    recognition: Recognition | None = None
    origin: str = ""
    uid: str = ""

    @property
    def id(self) -> str:
        """The last part of the name."""
        return self.name.rsplit("/", 1)[-1]

    @property
    def region(self) -> str:
        """The region, from the name."""
        return self.name.split("/")[3]

    @property
    def project(self) -> str:
        """The project, from the name."""
        return self.name.split("/")[1]

    def shown(self) -> Values:
        """Return what a list of services tells of it."""
        return {
            "name": self.id,
            "state": self.state.value,
            "region": self.region,
            "model": self.model_id,
            "engine": self.framework,
            "task": self.task.value if self.task else None,
            "gpu": self.gpu,
            "min_instances": self.min_instances,
            "max_instances": self.max_instances,
            "url": self.url,
            "reason": self.reason,
            "paused": self.paused.text or "yes" if self.paused else "",
            "lease": self.lease.text(datetime.now(UTC)) if self.lease else "",
            "bucket": self.bucket,
            "served_name": self.served_name,
            "updated_at": self.updated_at,
            "updated_by": self.updated_by,
            "created_by": self.created_by,
            "resource": self.name,
            "managed": "adopted" if self.adopted else "yes" if self.managed else "no",
            "deployed_with": self.origin,
            "recognised": self.recognition.confidence.value if self.recognition else "",
            "why": " ".join(self.recognition.reasons) if self.recognition else "",
        }
