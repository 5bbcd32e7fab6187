"""Services: what is asked for in a deployment, and what runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

MANAGED_BY = ("managed-by", "llm-manager")
"""The label of every service that the product deploys."""

ENGINE_LABEL = "llm-engine"
"""Label that holds the framework."""

MODEL_ANNOTATION = "llm-manager/model"
"""Annotation that holds the model's id at its hub (labels can't hold ``/`` and ``:``)."""

BUCKET_ANNOTATION = "llm-manager/bucket"
"""Annotation that holds the bucket of the model's files."""

SERVED_NAME_ANNOTATION = "llm-manager/served-model"
"""Annotation that holds the name by which the engine's API knows the model."""


LONGEST_PROBE = {True: 1800, False: 600}
"""Seconds that ``period * failures`` of a startup probe may take, with and without a GPU (Cloud
Run's page on health checks)."""


class ServiceState(StrEnum):
    """How a service is, in words that the page shows."""

    DEPLOYING = "Deploying"
    READY = "Ready"
    ERROR = "Error"
    DELETING = "Deleting"
    OLD_SERVING = "New revision failed, old one serving"


class Ingress(StrEnum):
    """From where requests may come to a service; the values are those of ``gcloud``."""

    ALL = "all"
    INTERNAL = "internal"
    BALANCER = "internal-and-cloud-load-balancing"

    @property
    def label(self) -> str:
        """From where, to be read after "requests come"."""
        return {
            Ingress.ALL: "from anywhere",
            Ingress.INTERNAL: "from this project's networks only",
            Ingress.BALANCER: "from these networks and a load balancer",
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


@dataclass(frozen=True, slots=True)
class ServiceSummary:
    """A service as the dashboard shows it.

    Attributes
    ----------
    name
        Full resource name ``projects/P/locations/R/services/S``.
    reason
        Why it is in error, in the words of Cloud Run; empty otherwise.
    framework
        Id of the engine: see :class:`Deployment`.
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
