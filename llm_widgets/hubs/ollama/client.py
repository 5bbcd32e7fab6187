"""A registry in Ollama's form, as far as one model goes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import requests

from llm_widgets.config import Endpoint
from llm_widgets.errors import Fix, HubError
from llm_widgets.hubs import facts, http
from llm_widgets.hubs.failures import Refusal, refuse_page
from llm_widgets.hubs.huggingface.addresses import SHORT_HOST
from llm_widgets.hubs.huggingface.client import ENDPOINT as HUGGING_FACE
from llm_widgets.hubs.ollama import failures
from llm_widgets.hubs.ollama.documents import MANIFEST_TYPE

if TYPE_CHECKING:
    from llm_widgets.hubs.headers import ReadRange
    from llm_widgets.hubs.ollama.documents import Layer
    from llm_widgets.hubs.ollama.names import Name

ENDPOINT = Endpoint("LLM_WIDGETS_OLLAMA_REGISTRY", "https://registry.ollama.ai")

NEWEST_OLLAMA = "0.33.0"
"""The newest Ollama whose models are known here; the registry refuses models that need a newer
one to clients that name an older one."""

LARGEST_TEXT = 4 << 20
"""Bytes of the largest configuration or licence that is read."""

_HEADERS = {"Accept": MANIFEST_TYPE, "User-Agent": f"ollama/{NEWEST_OLLAMA} (llm-widgets)"}
_LARGEST_MANIFEST = 4 << 20  # bytes


class Registry:
    """The part of a registry that belongs to one model.

    Parameters
    ----------
    registry, hugging_face
        Base URLs of Ollama's registry, and of the hub that answers for ``hf.co/…`` names.
    """

    license = ""

    def __init__(self, name: Name, *, registry: str, hugging_face: str) -> None:
        self._name = name
        base = registry
        if name.host == SHORT_HOST:
            # The real hub answers as a registry under its short name only.
            is_real = hugging_face == HUGGING_FACE.default
            base = f"https://{name.host}" if is_real else hugging_face
        self._base = f"{base}/v2/{name.namespace}/{name.model}"
        self._session = http.session()
        self._manifest: bytes | Refusal | None = None

    def asked(self) -> bytes | Refusal:
        """Ask for the manifest, once."""
        if self._manifest is None:
            url = f"{self._base}/manifests/{self._name.tag}"
            self._manifest = self._ask(url, _LARGEST_MANIFEST)
        return self._manifest

    def manifest(self) -> bytes:
        """Read the manifest, byte for byte as it must be stored."""
        return self._given(self.asked())

    def blob_url(self, layer: Layer) -> str:
        """Return the address of a blob; the registry redirects from it to a signed one."""
        return self.url_of(layer.sha256)

    def url_of(self, sha256: str) -> str:
        """Return the address of the blob with a digest, in hexadecimal."""
        return f"{self._base}/blobs/sha256:{sha256}"

    def blob(self, layer: Layer) -> bytes:
        """Read a short blob and check it."""
        content = self._given(self._ask(self.blob_url(layer), LARGEST_TEXT))
        if len(content) != layer.size or hashlib.sha256(content).hexdigest() != layer.sha256:
            raise HubError(
                f"The registry sent other bytes for {self._name.id} than its manifest promises.",
                cause=f"Blob {layer.digest}.",
                fix=Fix(text="Try again."),
            )
        return content

    def range_reader(self) -> ReadRange:
        """Return what reads parts of blobs."""
        return http.range_reader(self._session, headers=_HEADERS, seconds=facts.SECONDS)

    def _ask(self, url: str, limit: int) -> bytes | Refusal:
        answer = http.get(self._session, url, limit=limit, headers=_HEADERS)
        refusal = Refusal(answer.status, answer.headers, answer.body)
        if answer.status != requests.codes.ok:
            return refusal
        refuse_page(refusal, hub=self._name.host)
        return answer.body

    def _given(self, answer: bytes | Refusal) -> bytes:
        if isinstance(answer, Refusal):
            raise failures.explained(answer, self._name)
        return answer
