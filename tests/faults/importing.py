"""Imports from a faulty source into a bucket, and what is looked at afterwards."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from llm_widgets.domain.imports import DigestKind, HubModel
from llm_widgets.gcp.client.clients import Clients
from llm_widgets.gcp.storage.metadata import read_metadata
from llm_widgets.gcp.storage.objects import SmallObjects
from llm_widgets.imports.plan import plan_import
from llm_widgets.imports.start import read_progress
from llm_widgets.imports.store import ImportFolder
from llm_widgets.imports.worker import run_import
from llm_widgets.transfer import crc
from llm_widgets.transfer.connections import Connections
from llm_widgets.transfer.multipart import MultipartUpload
from llm_widgets.transfer.options import MIB, Options
from llm_widgets.transfer.xml_api import Authorizer, Bucket
from tests.faults.faulty_source import MODEL, SHA, FaultySource

if TYPE_CHECKING:
    from llm_widgets.domain.imports import HubFile, ImportPlan
    from llm_widgets.domain.models import ModelRecord
    from llm_widgets.domain.progress import ImportProgress, ImportState
    from llm_widgets.transfer.share import Task

PART = 5 * MIB  # the smallest that Cloud Storage takes
PATIENT = Options(
    workers=4,
    part_size=PART,
    connect_timeout=20,
    stall_timeout=20,
    give_up_after=20,
    first_wait=0.02,
    longest_wait=0.2,
    save_every=0.2,
    shard_from=4 * PART,
)
"""Small parts and short waits; on a busy machine an answer may take its time."""

QUICK = replace(PATIENT, give_up_after=3)
"""For what is to be given up."""

WORKER = """
import sys
from llm_widgets.gcp.client.clients import Clients
from llm_widgets.imports.worker import run_import
from llm_widgets.transfer.share import Task
from tests.faults.importing import PATIENT
task = Task.from_environment()
print(run_import(Clients(), *sys.argv[1:3], task=task, options=PATIENT).value)
"""


def noise(size: int, seed: int = 0) -> bytes:
    """Return bytes that no two places have in common."""
    return random.Random(seed).randbytes(size)


def two_files() -> dict[str, bytes]:
    """Return a model of five parts and a small file."""
    return {
        "model.safetensors": noise(4 * PART + 12345),
        "config.json": b'{"model_type": "llama"}',
    }


def hub_model(source: FaultySource, revision: str = SHA) -> HubModel:
    """Return what a pre-flight would find at a source."""
    kinds = {
        name: DigestKind.GIT_SHA1 if name.endswith(".json") else DigestKind.SHA256
        for name in source.files
    }
    files = tuple(source.hub_file(name, kind=kind) for name, kind in kinds.items())
    return HubModel("huggingface", MODEL, revision, files, license="mit")


@dataclass
class Imports:
    """Imports into one bucket."""

    clients: Clients
    bucket: str
    project: str
    environment: dict[str, str]

    @property
    def objects(self) -> SmallObjects:
        return SmallObjects(self.clients.storage(), self.bucket)

    def plan(self, source: FaultySource) -> ImportPlan:
        """Write the plan of a model's import from a source, which is the configured hub then."""
        hub = {"HF_ENDPOINT": source.hub}
        settings = replace(self.clients.settings, variables=hub)
        self.clients = Clients(settings, self.clients.credentials)
        self.environment = {**self.environment, **hub}
        model = hub_model(source)
        plan = plan_import(model, bucket=self.bucket, project=self.project)
        ImportFolder(self.objects, plan.id).write_plan(plan)
        return plan

    def begin_upload(
        self, plan: ImportPlan, file: HubFile, parts: dict[int, bytes]
    ) -> MultipartUpload:
        """Upload parts of a file, by number from 1 on, as a worker that died has left them."""
        clients, name = self.clients, plan.object_name(file)
        endpoint = clients.settings.google_endpoint
        authorizer = Authorizer(clients.credentials)
        bucket = Bucket(self.bucket, endpoint, authorizer, PATIENT, threading.Event(), print)
        connections = Connections(PATIENT)
        upload = MultipartUpload.start(connections, bucket, name)
        for number, content in parts.items():
            upload.put(connections, number, [content], crc.extend(0, content))
        connections.close()
        return upload

    def run(
        self, plan: ImportPlan, task: Task | None = None, options: Options = PATIENT
    ) -> ImportState:
        return run_import(self.clients, self.bucket, plan.id, task=task, options=options)

    def start_process(self, plan: ImportPlan, task: Task | None = None) -> subprocess.Popen[str]:
        """Start a worker in a process of its own, with small parts."""
        told = {}
        if task:
            told = {
                "CLOUD_RUN_TASK_INDEX": str(task.index),
                "CLOUD_RUN_TASK_COUNT": str(task.count),
                "CLOUD_RUN_TASK_ATTEMPT": str(task.attempt),
                "CLOUD_RUN_EXECUTION": task.run,
            }
        return subprocess.Popen(
            [sys.executable, "-c", WORKER, self.bucket, plan.id],
            env={**os.environ, **self.environment, **told},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def progress(self, plan: ImportPlan) -> ImportProgress:
        progress = read_progress(self.clients, self.bucket, plan.id)
        assert progress
        return progress

    def told(self, plan: ImportPlan) -> str:
        """Return the sentence beside the progress; empty where there is none yet."""
        progress = read_progress(self.clients, self.bucket, plan.id)
        return progress.message if progress else ""

    def record(self) -> ModelRecord:
        (record,) = read_metadata(self.clients.storage(), self.bucket)[0].models
        return record

    def names(self, prefix: str = "") -> list[str]:
        return [stored.name for stored in self.objects.list(prefix)]

    def is_right(self, plan: ImportPlan, source: FaultySource) -> bool:
        """Compare every byte in the bucket with the source, and look for leftovers."""
        bucket = self.clients.storage().bucket(self.bucket)
        found = {
            file.path: bucket.blob(plan.object_name(file)).download_as_bytes()
            for file in plan.files
        }
        return found == source.files and not self.names(f"{plan.folder}/files/")
