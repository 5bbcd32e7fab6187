"""The sample hub's server: samples first, then the real hubs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_cloud.hub import hugging_face, ollama
from local_cloud.hub.blobs import Blobs
from local_cloud.hub.downloads import Downloads
from local_cloud.hub.registry import OllamaModels
from local_cloud.hub.repositories import Repositories
from local_cloud.hub.samples import make_samples
from local_cloud.hub.upstream import Upstream
from local_cloud.web import WebServer

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from werkzeug import Request, Response

    from local_cloud.faults import Faults
    from local_cloud.web import Route

HUGGING_FACE = "https://huggingface.co"
# The real registry, and the hub that also answers as one for its GGUF files.
OLLAMA_REGISTRIES = ("https://registry.ollama.ai", "https://hf.co")


class Hub:
    """A Hugging Face Hub and an Ollama registry on one port of this machine.

    Parameters
    ----------
    data
        The local cloud's folder; everything of the hub lies in ``data/hub``.
    faults
        Switches that delay and fail requests and limit the bandwidth, or ``None``.
    offline
        Never ask the real hubs.
    port
        0 takes a free one.
    signed_url_seconds
        How long the signed addresses of large files are good for.
    hugging_face_url, registry_urls
        The hubs that are asked for what this one does not hold.

    Attributes
    ----------
    repositories, models
        What the hub holds; may be added to while it runs.
    downloads
        Has the life of signed addresses and whether ranges are ignored, changeable at any time.
    notes
        After the start: one sentence for each sample that could not be made.
    """

    def __init__(
        self,
        data: Path,
        faults: Faults | None,
        *,
        offline: bool,
        port: int = 0,
        signed_url_seconds: float = 3600,
        hugging_face_url: str = HUGGING_FACE,
        registry_urls: Sequence[str] = OLLAMA_REGISTRIES,
    ) -> None:
        folder = data / "hub"
        throttle = faults.throttle if faults else _as_it_is
        self.blobs = Blobs(folder / "blobs")
        self.repositories = Repositories(folder / "models", self.blobs)
        self.models = OllamaModels(folder / "ollama", self.blobs)
        self.downloads = Downloads(self.blobs, throttle, seconds=signed_url_seconds)
        self.notes: tuple[str, ...] = ()
        self._offline = offline
        self._hugging_face = Upstream(hugging_face_url, throttle)
        self._registries = [Upstream(url, throttle) for url in registry_urls]
        hub_api = hugging_face.HuggingFaceApi(self.repositories, self.blobs, self.downloads)
        registry_api = ollama.OllamaApi(self.models, self.repositories, self.blobs, self.downloads)
        routes: list[Route] = [
            self.downloads.route,
            registry_api.route,
            hub_api.route,
            self._elsewhere,
        ]
        if faults:
            routes.insert(0, faults.before_request)
        self._server = WebServer(routes, port=port)

    @property
    def url(self) -> str:
        """Base address of both hubs, for example ``http://127.0.0.1:8086``."""
        return self._server.url

    def start(self) -> None:
        """Make the samples that are missing, then serve in the background."""
        self.notes = make_samples(self.repositories, self.models, self.blobs)
        self._server.start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.stop()

    def _elsewhere(self, request: Request) -> Response:
        """Pass a request on to the real hub that it is meant for."""
        is_registry = request.path.startswith("/v2/")
        hubs = self._registries if is_registry else [self._hugging_face]
        answer = None
        for hub in [] if self._offline else hubs:
            answer = hub.forward(request) or answer
            if answer and answer.status_code != 404:  # noqa: PLR2004 - Not Found
                break
        if answer:
            return answer
        real = hubs[0].url
        why = f"{real} is not asked (offline)" if self._offline else f"{real} can't be reached"
        reason = f"It is not among the samples of this local hub, and {why}."
        if is_registry:
            return ollama.unknown(request, reason)
        return hugging_face.not_found(request, reason)


def _as_it_is(body: Iterable[bytes]) -> Iterable[bytes]:
    return body
