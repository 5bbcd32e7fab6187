"""Tables of tensors read by range: from files that are there, and from hubs that misbehave."""

from __future__ import annotations

import json
import struct
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
import requests
from werkzeug import Response

from llm_widgets import hubs
from llm_widgets.config import Settings
from llm_widgets.domain.gpus import GPUS
from llm_widgets.domain.memory import (
    Attention,
    Tensor,
    from_facts,
)
from llm_widgets.engines.ollama.memory import estimate as estimate_ollama
from llm_widgets.engines.vllm.memory import estimate as estimate_vllm
from llm_widgets.errors import HubError, UnavailableError
from llm_widgets.hubs import gguf, headers, http
from local_cloud.hub.repositories import Repository
from local_cloud.hub.samples import TINY_LLAMA
from local_cloud.web import WebServer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from werkzeug import Request

    from local_cloud.hub import Hub

MIB = 1 << 20


class Shelf:
    """Files in memory, with a note of what was read of them."""

    def __init__(self, **files: bytes) -> None:
        self.files = files
        self.reads: list[tuple[str, int, int]] = []
        self.most_at_once = 0
        self._now = 0
        self._lock = threading.Lock()

    def read(self, url: str, start: int, end: int) -> bytes:
        with self._lock:
            self.reads.append((url, start, end))
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        time.sleep(0.002)
        with self._lock:
            self._now -= 1
        return self.files[url][start:end]

    def list(self) -> list[tuple[str, int]]:
        return [(name, len(content)) for name, content in self.files.items()]


def shard(tensors: dict[str, Any]) -> bytes:
    """Write a file of tensors that lie one behind the other; what is no tensor stays as it is."""
    end, laid_out = 0, {}
    for name, tensor in tensors.items():
        laid_out[name] = tensor
        if isinstance(tensor, dict) and "data_offsets" in tensor:
            start, end = end, end + tensor["data_offsets"][1]
            laid_out[name] = {**tensor, "data_offsets": [start, end]}
    text = json.dumps({"__metadata__": {"format": "pt"}, **laid_out}).encode()
    return struct.pack("<Q", len(text)) + text + bytes(max(0, end))


def entry(dtype: str, shape: list[int], size: int) -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [0, size]}


def text(value: str) -> bytes:
    return struct.pack("<Q", len(value.encode())) + value.encode()


def gguf_file(entries: list[tuple[str, int, bytes]], tensors: list[Tensor], kind: int) -> bytes:
    """Write a header; an entry is its key, the number of its type, and its bytes."""
    parts = [b"GGUF", struct.pack("<IQQ", 3, len(tensors), len(entries))]
    parts += [text(key) + struct.pack("<I", number) + value for key, number, value in entries]
    for tensor in tensors:
        parts.append(text(tensor.name) + struct.pack("<I", len(tensor.shape)))
        parts.append(b"".join(struct.pack("<Q", length) for length in tensor.shape))
        parts.append(struct.pack("<IQ", kind, 0))
    return b"".join(parts)


def words(count: int, length: int = 6) -> bytes:
    return struct.pack("<IQ", 8, count) + text("w" * length) * count


TENSOR = Tensor("blk.0.ffn_up.weight", "Q4_K", (4096, 14336), 4096 * 14336 // 256 * 144)


def test_shards_are_read_and_nothing_else_of_them() -> None:
    shelf = Shelf(
        one=shard({"a": entry("BF16", [4, MIB], 8 * MIB), "b": entry("I32", [3], 12)}),
        two=shard({"c": entry("F8_E4M3", [5 * MIB], 5 * MIB)}),
    )
    assert headers.safetensors(shelf.list(), shelf.read) == (
        Tensor("a", "BF16", (4, MIB), 8 * MIB),
        Tensor("b", "I32", (3,), 12),
        Tensor("c", "F8_E4M3", (5 * MIB,), 5 * MIB),
    )
    assert len(shelf.reads) == 2
    assert sum(end - start for _, start, end in shelf.reads) <= 2 * 128 * 1024


def test_a_long_header_takes_a_second_read() -> None:
    tensors = {f"model.layers.{i}.weight": entry("BF16", [200], 400) for i in range(4000)}
    shelf = Shelf(one=shard(tensors))
    assert len(headers.safetensors(shelf.list(), shelf.read)) == 4000
    (_, _, first), (_, second, _) = shelf.reads
    assert first == second


def test_many_shards_are_read_eight_at_once() -> None:
    files = {f"s{i}": shard({f"t{i}": entry("F16", [1], 2)}) for i in range(100)}
    shelf = Shelf(**files)
    assert [t.name for t in headers.safetensors(shelf.list(), shelf.read)] == [
        f"t{i}" for i in range(100)
    ]
    assert 1 < shelf.most_at_once <= 8


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The file is empty"),
        (b"\1\0", "too short"),
        (b"1234567", "A text stands there"),
        (b"Entry not found", "A text stands there"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "Git LFS"),
        (bytes(1000), "zeros only"),
        (struct.pack("<Q", 1 << 60) + b"{}", "announces a header"),
        (struct.pack("<Q", 100) + b"{}", "announces a header"),
        (struct.pack("<Q", 2) + b"[]", "not a JSON object"),
        (shard({"a": entry("BF16", [4], 8)})[:-1], "its tensors take"),
        (shard({"a": entry("BF16", [4], 8)}) + b"0", "its tensors take"),
        (struct.pack("<Q", 2) + b"{{", "can't be read"),
        (shard({"a": entry("BF16", [4, 8], 63)}), "can't be read"),
        (shard({"a": entry("BF16", [4], -8)}), "can't be read"),
        (shard({"a": {"dtype": "BF16"}}), "can't be read"),
        (shard({"a": 5}), "can't be read"),
        (b"<!DOCTYPE html><html></html>", "A web page stands there"),
        (b"\n<?xml version='1.0'?><Error>", "A web page stands there"),
    ],
)
def test_what_is_no_safetensors_file(content: bytes, said: str) -> None:
    shelf = Shelf(one=content)
    with pytest.raises(HubError) as error:
        headers.safetensors(shelf.list(), shelf.read)
    assert said in str(error.value)


def test_too_many_shards() -> None:
    with pytest.raises(HubError, match="600 files"):
        headers.safetensors([("s", 10)] * 600, Shelf().read)


def test_a_hub_that_hangs_is_not_waited_for() -> None:
    over = threading.Event()

    def hang(url: str, start: int, end: int) -> bytes:
        del url, start, end
        over.wait(60)
        return b""

    before = time.monotonic()
    with pytest.raises(TimeoutError):
        headers.safetensors([("s", 100)] * 20, hang, seconds=0.3)
    assert time.monotonic() - before < 30
    over.set()


def test_gguf() -> None:
    entries = [
        ("general.architecture", 8, text("llama")),
        ("llama.block_count", 4, struct.pack("<I", 32)),
        ("llama.rope.freq_base", 6, struct.pack("<f", 10000.0)),
        (
            "llama.attention.head_count_kv",
            9,
            struct.pack("<IQ", 5, 3) + struct.pack("<3i", 8, 0, 8),
        ),
        ("some.switch", 7, b"\x01"),
        ("tokenizer.ggml.tokens", 9, words(300_000)),
        ("tokenizer.ggml.scores", 9, struct.pack("<IQ", 6, 300_000) + bytes(4 * 300_000)),
    ]
    content = gguf_file(entries, [TENSOR], 12)
    shelf = Shelf(file=content + bytes(30 * MIB))
    metadata, tensors = gguf.header("file", 10**10, shelf.read)
    assert tensors == (TENSOR,)
    assert metadata["general.architecture"] == "llama"
    assert metadata["llama.block_count"] == 32
    assert metadata["llama.attention.head_count_kv"] == [8, 0, 8]
    assert metadata["some.switch"] is True
    assert len(metadata["tokenizer.ggml.tokens"]) == 300_000
    # Pieces follow each other, and end soon after the header.
    assert [start for _, start, _ in shelf.reads] == [i * 2 * MIB for i in range(len(shelf.reads))]
    assert shelf.reads[-1][2] - len(content) <= 2 * MIB


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "ends too early"),
        (b"GGML" + bytes(100), "does not begin as a GGUF file"),
        (b"GGUF" + struct.pack("<I", 9) + bytes(100), "version 9 of the format"),
        (b"GGUF" + struct.pack("<IQQ", 3, 1, 1 << 50), "entries"),
        (b"GGUF" + struct.pack("<IQQ", 3, 0, 1) + struct.pack("<Q", 1 << 62), "longer than"),
        (gguf_file([("key", 77, b"")], [], 0), "values of type 77"),
        (gguf_file([("key", 9, struct.pack("<IQ", 9, 1) * 9)], [], 0), "too deep"),
        (gguf_file([("key", 9, words(1 << 20, 40))], [TENSOR], 0), "longer than"),
        (gguf_file([], [TENSOR], 99), "of type 99"),
        (gguf_file([], [TENSOR], 12)[:-10], "ends too early"),
    ],
)
def test_what_is_no_gguf_file(content: bytes, said: str) -> None:
    with pytest.raises(HubError) as error:
        gguf.header("file", 10**10, Shelf(file=content).read)
    assert said in str(error.value)


def test_a_gguf_header_takes_no_longer_than_it_may() -> None:
    def slow(url: str, start: int, end: int) -> bytes:
        del url
        time.sleep(0.2)
        return bytes(end - start) if start else b"GGUF" + struct.pack("<IQQ", 3, 9, 9) + bytes(10)

    with pytest.raises(TimeoutError):
        gguf.header("file", 10**10, slow, seconds=0.1)


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[Request], Response]], str]]:
    servers = []

    def start(route: Callable[[Request], Response]) -> str:
        server = WebServer([route])
        server.start()
        servers.append(server)
        return f"{server.url}/file"

    yield start
    for server in servers:
        server.stop()


def read(url: str, start: int, end: int, seconds: float = 5) -> bytes:
    return http.range_reader(requests.Session(), token="hf_x", seconds=seconds)(url, start, end)


def test_ranges_of_a_hub_that_knows_none(serve: Any) -> None:
    url = serve(lambda _: Response(bytes(range(256)) * 1000))
    assert read(url, 10, 20) == bytes(range(10, 20))
    assert read(url, 0, 3) == b"\0\1\2"


def test_tokens_stay_with_the_first_host(serve: Any) -> None:
    seen: list[tuple[str, str | None, str | None]] = []

    def far(request: Request) -> Response:
        seen.append(("far", request.headers.get("Authorization"), request.headers.get("Range")))
        return Response(b"abc", status=206)

    elsewhere = serve(far).replace("127.0.0.1", "localhost")

    def near(request: Request) -> Response:
        seen.append(("near", request.headers.get("Authorization"), request.headers.get("Range")))
        return Response(status=302, headers={"Location": elsewhere})

    assert read(serve(near), 5, 8) == b"abc"
    assert seen == [("near", "Bearer hf_x", "bytes=5-7"), ("far", None, "bytes=5-7")]


def test_refusals_and_silence(serve: Any) -> None:
    with pytest.raises(HubError, match="HTTP 403"):
        read(serve(lambda _: Response(status=403)), 0, 5)

    def drip(_: Request) -> Response:
        def pieces() -> Iterator[bytes]:
            for _ in range(100):
                time.sleep(0.05)
                yield b"x" * 70_000

        return Response(pieces(), status=206)

    with pytest.raises(UnavailableError, match="can't be reached"):
        read(serve(drip), 0, 10**9, seconds=0.3)
    with pytest.raises(UnavailableError):
        read("http://127.0.0.1:9/file", 0, 5)


def test_facts_of_a_hugging_face_model(hub: Hub) -> None:
    settings = Settings(variables={"HF_ENDPOINT": hub.url})
    found = hubs.inspect("huggingface", TINY_LLAMA, settings)
    model = from_facts(json.loads(json.dumps(found.facts)))
    assert model is not None
    assert not model.unknown
    assert model.weights == 393_856 * 2  # its parameters, as the hub counts them
    assert [type(layer) for layer in model.layers] == [Attention]
    assert model.context_length == 512
    estimate = estimate_vllm(model, GPUS[0], context=512, concurrency=8)
    assert estimate.fits
    assert estimate.longest_context == 512


def test_facts_of_an_ollama_model(hub: Hub) -> None:
    settings = Settings(variables={"HF_ENDPOINT": hub.url, "LLM_WIDGETS_OLLAMA_REGISTRY": hub.url})
    found = hubs.inspect("ollama", "smollm2:135m", settings)
    model = from_facts(json.loads(json.dumps(found.facts)))
    assert model is not None
    assert not model.unknown
    assert model.layers == (Attention(30, heads=3, key=64, value=64),)
    assert (model.hidden, model.vocab, model.context_length) == (576, 49152, 8192)
    weights = max(file.size for file in found.files)
    assert 0.95 * weights < model.weights + model.host_weights < weights
    assert estimate_ollama(model, GPUS[0], context=8192, parallel=4).fits


def test_shapes_that_contradict_the_size_are_refused(hub: Hub) -> None:
    config = json.dumps({"model_type": "llama", "num_hidden_layers": 2}).encode()
    files = {"config.json": config, "model.safetensors": shard({"a": entry("BF16", [4], 9)})}
    hub.repositories.add_commit(
        Repository("made-here/broken"), files, title="Add", date="2026-11-01T00:00:00.000Z"
    )
    settings = Settings(variables={"HF_ENDPOINT": hub.url})
    with pytest.raises(HubError, match="can't be read"):
        hubs.inspect("huggingface", "made-here/broken", settings)
    found = hubs.inspect("huggingface", "made-here/broken", settings, look_inside=False)
    assert "memory" not in found.facts
    assert from_facts(found.facts) is None
