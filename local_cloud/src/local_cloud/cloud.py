"""The local cloud: everything put together, started and stopped."""

from __future__ import annotations

import json
import socket
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Protocol, TypeVar
from urllib.parse import urlsplit

from local_cloud.access import Access
from local_cloud.database import is_disk_full
from local_cloud.enablement import Enablement
from local_cloud.errors import LocalCloudError
from local_cloud.faults import Faults
from local_cloud.folder import FolderLock
from local_cloud.gcloud import variables
from local_cloud.gcloud.older_apis import OlderApis
from local_cloud.google.apis import GoogleApis
from local_cloud.google.grpc_server import GrpcServer
from local_cloud.hub import Hub
from local_cloud.invoking import Front
from local_cloud.logs import LogBook
from local_cloud.metrics import MetricBook
from local_cloud.mounting import mount_refusal
from local_cloud.runner.machine import Machine
from local_cloud.runner.runner import Runner
from local_cloud.seed import owner_account, seed
from local_cloud.storage import Storage
from local_cloud.store import Store
from local_cloud.switches import Switches
from local_cloud.tokens import Tokens
from local_cloud.visiting import Visits
from local_cloud.web import WebServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path


class _Serving(Protocol):
    """Anything that listens."""

    @property
    def url(self) -> str:
        """Its address."""
        ...


Server = TypeVar("Server", bound=_Serving)

_THREADS = 96
"""Calls of Google APIs that are answered at once: a client has up to 64 in flight."""

PROJECTS = ("local-project", "demo-project")


class LocalCloud:
    """Google's APIs, a service runner and a sample hub, in this process.

    Parameters
    ----------
    data
        Folder of everything that is kept.
    port, grpc_port, hub_port
        0 takes the ports of the last start if they are free, otherwise free ones.
    projects
        Ids of the projects of a new folder. One account owns them; it is one of the first.
    offline
        Never ask the real hubs.
    images
        Images of your own: the name that a container gives (the whole repository, or the last
        part of it), and the program with its first arguments that runs in place of it.

    Attributes
    ----------
    credentials
        Key file of the service account that owns the projects.
    faults
        The switches for faults and denials.
    switches
        File with the header field that changes them over HTTP.

    Raises
    ------
    LocalCloudError
        A port or the folder cannot be had; the message and the fix are sentences.

    """

    def __init__(
        self,
        data: Path,
        *,
        port: int = 0,
        grpc_port: int = 0,
        hub_port: int = 0,
        projects: Sequence[str] = PROJECTS,
        offline: bool = False,
        images: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        data = data.resolve()
        self._data = data
        self._projects = tuple(projects)
        self._machine = Machine.here(images)
        with _enough_space(data), ExitStack() as closing:
            closing.callback(FolderLock(data).release)
            self._store = Store(data / "state.db")
            closing.callback(self._store.close)
            self._make(data, port, grpc_port, hub_port, closing, offline=offline)
            self._closing = closing.pop_all()

    def _make(
        self,
        data: Path,
        port: int,
        grpc_port: int,
        hub_port: int,
        closing: ExitStack,
        *,
        offline: bool,
    ) -> None:
        self.faults = Faults(self._store)
        self.switches = data / "switches.header"
        self._access = Access(self._store, self.faults)
        seed(self._store, self._access, self._projects)
        self._web = self._on_port(
            "http", port, lambda number: WebServer([], port=number, threads=_THREADS)
        )
        closing.callback(self._web.stop)
        self._hub = self._on_port(
            "hub", hub_port, lambda number: Hub(data, self.faults, offline=offline, port=number)
        )
        closing.callback(self._hub.stop)
        self._tokens = Tokens(self._store, self.url)
        self._keys = data / "keys"
        self.log = LogBook(data / "logs.db")
        closing.callback(self.log.close)
        self.metrics = MetricBook()
        runner = Runner(
            data,
            self.log,
            self._runtime_environment,
            metrics=self.metrics,
            machine=self._machine,
        )
        closing.callback(runner.shutdown)
        enablement = Enablement(self._store, self.faults)
        self._apis = GoogleApis(
            self._store,
            self.faults,
            self._access,
            enablement,
            runner=runner,
            log=self.log,
            metrics=self.metrics,
            url=self.url,
        )
        closing.callback(self._apis.stop)
        visits = Visits(self._store, self._access, self._tokens, self.faults, self._apis.proxy)
        runner.invoker = Front(
            self._access, self._tokens, self._apis.services, self.faults, visits
        ).refusal
        runner.secrets = self._apis.secrets.value
        runner.may_mount = mount_refusal(self._store, self._access)
        self._grpc = self._on_port(
            "grpc",
            grpc_port,
            lambda number: GrpcServer(self._apis.endpoints, self._access, port=number),
        )
        closing.callback(self._grpc.stop)
        storage = Storage(data, self._store, self._access, self.faults)
        self._apis.builds.source = storage.content
        self._web.routes += [
            OlderApis(self.url).route,
            Switches(self.faults, self.switches).route,
            self.faults.before_request,
            self._tokens.route,
            visits.route,
            self._apis.rest.route,
            storage.route,
        ]
        self.credentials = data / "credentials.json"
        self._write_key(self.credentials, owner_account(self._projects[0]))

    @property
    def url(self) -> str:
        """Address of the Google APIs, without a slash at the end."""
        return self._web.url

    @property
    def grpc_address(self) -> str:
        """Host and port of the APIs over gRPC."""
        return urlsplit(self._grpc.url).netloc

    @property
    def hub_url(self) -> str:
        """Address of the sample hub, without a slash at the end."""
        return self._hub.url

    def start(self) -> None:
        """Serve, and bring back the services that were ready.

        Raises
        ------
        LocalCloudError
            The disk is full.

        """
        with _enough_space(self._data):
            self._web.start()
            self._grpc.start()
            self._hub.start()
            self._apis.start()

    def stop(self) -> None:
        """Stop serving, and every process that was started."""
        self._closing.close()

    def key(self, email: str) -> Path:
        """Write a key file of a service account, and return where it is."""
        path = self._keys / f"{email}.json"
        self._write_key(path, email)
        return path

    def environment(self) -> dict[str, str]:
        """Return the variables that lead clients here: Google's own, gcloud, hubs, yours."""
        return {
            **self._endpoints(),
            "LOCAL_CLOUD_SWITCHES": str(self.switches),
            "GOOGLE_APPLICATION_CREDENTIALS": str(self.credentials),
            "GOOGLE_CLOUD_PROJECT": self._projects[0],
            **variables.variables(
                self.url, self.credentials, self._projects[0], self._data / "gcloud"
            ),
        }

    def _endpoints(self) -> dict[str, str]:
        return {
            "LOCAL_CLOUD_ENDPOINT": self.url,
            "LOCAL_CLOUD_GRPC": self.grpc_address,
            "LOCAL_CLOUD_OLLAMA_REGISTRY": self.hub_url,
            "HF_ENDPOINT": self.hub_url,
        }

    def _runtime_environment(self, email: str) -> dict[str, str]:
        """Return what stands for the metadata server in a container of this account."""
        record = self._store.get("service_account", email) or {"project": self._projects[0]}
        return {
            **self._endpoints(),
            "GOOGLE_APPLICATION_CREDENTIALS": str(self.key(email)),
            "GOOGLE_CLOUD_PROJECT": record["project"],
        }

    def _write_key(self, path: Path, email: str) -> None:
        path.parent.mkdir(mode=0o700, exist_ok=True)
        text = json.dumps(self._tokens.credentials_for(email), indent=2)
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")

    def _on_port(self, name: str, given: int, make: Callable[[int], Server]) -> Server:
        """Make a server on the port given, or on that of the last start, or on a free one."""
        kept = (self._store.get("local", f"port-{name}") or {"port": 0})["port"]
        try:
            server = make(given or kept or _free_port())
            server.url  # noqa: B018 - a web server listens from when its address is asked for
        except LocalCloudError as error:
            if given or not kept:
                raise LocalCloudError(
                    f"Port {given} for {_SERVED[name]} cannot be used.",
                    "Stop the program that uses it, or choose another port.",
                    cause=error.cause,
                ) from error
            server = make(_free_port())
        self._store.put("local", f"port-{name}", {"port": urlsplit(server.url).port})
        return server


@contextmanager
def _enough_space(data: Path) -> Iterator[None]:
    """Say in sentences that the start failed for want of space."""
    try:
        yield
    except OSError as error:
        if not is_disk_full(error):
            raise
        raise LocalCloudError(
            f"The disk that holds the data folder {data} is full.",
            "Free some space on it, or choose another folder with --data.",
        ) from error


_SERVED = {"http": "the Google APIs", "grpc": "gRPC", "hub": "the sample hub"}


def _free_port() -> int:
    """Return a port that nobody uses now.

    Asking the server for port 0 would do, but such a port cannot be had again at once after a
    crash: only one that was asked for by its number is bound so that it can.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
