"""An engine that nobody has: all that it takes to add one, beside its line in the registry.

It says again what it is told, in OpenAI's protocol, after a while in which it "loads".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from llm_widgets.domain import names
from llm_widgets.domain.failures.known_failure import logged
from llm_widgets.domain.memory.estimate import Estimate, Part, memory_bytes
from llm_widgets.domain.services import Deployment, StartupProbe
from llm_widgets.engines import hardware
from llm_widgets.engines.base import Chat, Readiness, Texts
from llm_widgets.engines.command_line import CommandLine
from llm_widgets.engines.settings import Argument, Variable, tokens
from llm_widgets.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from llm_widgets.domain.failures.context import Context
    from llm_widgets.domain.gpus import Gpu
    from llm_widgets.domain.manifest import ModelManifest
    from llm_widgets.domain.memory import MemoryModel
    from llm_widgets.domain.models import ModelRecord

SCRIPT = r"""
import json, os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
class Handler(BaseHTTPRequestHandler):
    def answer(self, kind, body):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.end_headers()
        self.wfile.write(body)
    def do_GET(self):
        self.answer("text/plain", b"awake")
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        said = "%s on %s" % (body["messages"][-1]["content"], self.path)
        event = {"choices": [{"delta": {"content": said}, "finish_reason": "stop"}]}
        self.answer("text/event-stream", f"data: {json.dumps(event)}\n\ndata: [DONE]\n\n".encode())
    def log_message(self, *args):
        pass
print("Parrot wakes up", flush=True)
ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


class Parrot:
    """Repeats what it is told."""

    id = "parrot"
    label = "Parrot"
    hubs = ("huggingface",)
    image = "local/python:3"
    chat = Chat("/talk")
    ready = Readiness("/awake")
    command_line = CommandLine(switches=frozenset({"--loud"}))
    context = Variable("PARROT_FEATHERS", "2000")
    parallel = Argument("--beaks", "1", command_line)
    port = Argument("--perch", "7000", command_line)
    folder = Argument("--nest", "", command_line)
    memory_share = None
    failures = ()
    listening = (logged(r"Parrot sits on perch (?P<listens>\d{2,5})"),)
    loading = re.compile(r"Parrot wakes up")
    texts = Texts(
        image="Any parrot will do.",
        command="What it does all day.",
        args="What it is told once.",
        probe="Says that it is awake.",
        install="Buy a parrot.",
        install_url="https://parrot.example/",
    )

    def recognises(self, image: str) -> bool:
        """Whether an image is one of it."""
        return "parrot" in image

    def deployment(
        self,
        record: ModelRecord,
        *,
        project: str,
        region: str,
        bucket: str,
        accelerator: str | None,
        context_length: int | None,
        manifest: ModelManifest | None,  # noqa: ARG002 - Engine has it
    ) -> Deployment:
        """Return the deployment that a model is offered first."""
        machine = hardware.choose(region, record.size, accelerator)
        return Deployment(
            project=project,
            region=region,
            name=names.service_suggestion(self.id, record.id),
            framework=self.id,
            model_id=record.id,
            served_name="polly",
            image=self.image,
            port=7000,
            bucket=bucket,
            folder=record.prefix,
            mount_path="/nest",
            probe=StartupProbe(self.ready.path, period=1, timeout=1, failures=60),
            command=("-c", SCRIPT),
            args=("--loud", "--perch=7000", "--nest=/nest", "--beaks", "3"),
            environment={"PARROT_FEATHERS": str(context_length or 2000)},
            accelerator=machine.accelerator,
            cpu=machine.cpu,
            memory_gib=machine.memory_gib,
            concurrency=3,
        )

    def command_text(self, command: Sequence[str]) -> str:
        """Say what its script does."""
        return "Repeats what it hears" if SCRIPT in command else ""

    def context_of(self, deployment: Deployment) -> int:
        """Return the tokens of a request."""
        return tokens(self.context.told(deployment), "environment")

    def estimate(self, model: MemoryModel, gpu: Gpu, deployment: Deployment) -> Estimate:
        """Estimate whether a model fits into a GPU."""
        feathers = self.context_of(deployment) * 2**20
        total = model.weights + feathers
        usable = memory_bytes(gpu)
        return Estimate(
            weights=Part(model.weights, "all that it has ever heard"),
            kv_cache=Part(feathers, "a mebibyte for each feather"),
            activations=Part(0, "nothing"),
            overhead=Part(0, "nothing"),
            usable=usable,
            band=(total, total),
            longest_context=max(0, usable - model.weights) // 2**20,
            concurrency_possible=1,
            reason="" if total <= usable else "It does not fit: too many feathers.",
            advice=("Feed it.",),
        )

    def problems(self, deployment: Deployment) -> Iterator[InvalidInputError]:
        """List what is wrong with a deployment."""
        if "PARROT_MUTE" in deployment.environment:
            yield InvalidInputError("A mute parrot serves nobody.", field="environment")

    def template_values(self, context: Context) -> Iterator[tuple[str, str]]:
        """Return values for the texts of its failures."""
        yield "fewer", str(int(self.context.told(context)) // 2)
