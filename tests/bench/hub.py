"""A hub served by nginx: files of random bytes behind a redirect to another host name."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from llm_widgets.domain.imports import Digest, DigestKind, HubFile, HubModel
from llm_widgets.transfer import crc

if TYPE_CHECKING:
    from pathlib import Path

REPO = "acme/llm"
SHA = "0" * 39 + "1"
BLOCK = 16 << 20


@dataclass(frozen=True)
class Entry:
    """A file of the hub: bytes, SHA-256 in hexadecimal, CRC-32C in base64."""

    name: str
    size: int
    sha256: str
    crc32c: str


def make_files(folder: Path, count: int, size: int) -> list[Entry]:
    """Make ``count`` files of ``size`` random bytes, or use those of an earlier run."""
    folder.mkdir(parents=True, exist_ok=True)
    listing = folder / f"files-{count}-{size}.json"
    if listing.exists():
        return [Entry(**entry) for entry in json.loads(listing.read_text())]
    entries = []
    for index in range(count):
        name = f"model-{index + 1:05d}-of-{count:05d}.safetensors"
        digest, checksum, left = hashlib.sha256(), 0, size
        path = folder / f"{count}-{size}-{index}"
        with path.open("wb") as out:
            while left:
                block = os.urandom(min(BLOCK, left))
                out.write(block)
                digest.update(block)
                checksum = crc.extend(checksum, block)
                left -= len(block)
        path.rename(folder / digest.hexdigest())
        entries.append(Entry(name, size, digest.hexdigest(), crc.text(checksum)))
    listing.write_text(json.dumps([asdict(entry) for entry in entries]))
    return entries


class NginxHub:
    """nginx as hub and as content network, for these files.

    Parameters
    ----------
    network
        URL of another content network that has the only file, or empty.
    """

    def __init__(self, folder: Path, entries: list[Entry], port: int, *, network: str = "") -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._entries = entries
        work = folder / "nginx"
        work.mkdir(exist_ok=True)
        (work / "info.json").write_text(json.dumps(_info(entries)))
        (work / "tree.json").write_text(json.dumps(_tree(entries)))
        (work / "nginx.conf").write_text(_configuration(folder, work, entries, port, network))
        self._process = subprocess.Popen(
            ["nginx", "-p", str(work), "-c", str(work / "nginx.conf"), "-g", "daemon off;"]
        )
        time.sleep(0.5)
        if self._process.poll() is not None:
            raise RuntimeError("nginx did not start")

    def model(self) -> HubModel:
        """Return what a pre-flight would find."""
        files = tuple(
            HubFile(
                entry.name,
                entry.size,
                Digest(DigestKind.SHA256, entry.sha256),
                url=f"{self.url}/{REPO}/resolve/{SHA}/{entry.name}",
            )
            for entry in self._entries
        )
        return HubModel("huggingface", REPO, SHA, files)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(10)


def _info(entries: list[Entry]) -> dict[str, object]:
    siblings = [{"rfilename": entry.name} for entry in entries]
    return {
        "_id": "x",
        "id": REPO,
        "modelId": REPO,
        "sha": SHA,
        "siblings": siblings,
        "private": False,
        "tags": [],
        "downloads": 0,
        "likes": 0,
    }


def _tree(entries: list[Entry]) -> list[dict[str, object]]:
    return [
        {
            "type": "file",
            "path": entry.name,
            "size": entry.size,
            "oid": "1" * 40,
            "lfs": {"oid": entry.sha256, "size": entry.size, "pointerSize": 135},
        }
        for entry in entries
    ]


def _configuration(folder: Path, work: Path, entries: list[Entry], port: int, network: str) -> str:
    network = network or "$scheme://localhost:$server_port/cdn/$digest"
    digests = " ".join(f'"{entry.name}" "{entry.sha256}";' for entry in entries)
    sizes = " ".join(f'"{entry.name}" "{entry.size}";' for entry in entries)
    temporary = "\n".join(
        f"{kind}_temp_path {work}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    return f"""
worker_processes 2; pid {work}/pid; error_log {work}/error.log;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; sendfile_max_chunk 2m; tcp_nopush on;
  keepalive_requests 100000; default_type application/octet-stream; map_hash_bucket_size 256;
  {temporary}
  map $uri $linked {{ "~^/cdn/(?<x>.*)$" $x; }}
  map $file $digest {{ default ""; {digests} }}
  map $file $length {{ default ""; {sizes} }}
  server {{
    listen 127.0.0.1:{port} backlog=512;
    location = /api/models/{REPO}/revision/main {{ alias {work}/info.json; }}
    location = /api/models/{REPO}/revision/{SHA} {{ alias {work}/info.json; }}
    location ~ ^/api/models/{REPO}/tree/ {{ root {work}; rewrite .* /tree.json break; }}
    location ~ ^/{REPO}/resolve/[^/]+/(?<file>.+)$ {{
      add_header X-Repo-Commit {SHA} always;
      add_header X-Linked-Size $length always;
      add_header X-Linked-ETag '"$digest"' always;
      add_header ETag '"$digest"' always;
      add_header Accept-Ranges bytes always;
      return 302 {network}?signature=abc;
    }}
    location /cdn/ {{ alias {folder}/; etag off; add_header ETag '"$linked"'; }}
  }}
}}
"""
