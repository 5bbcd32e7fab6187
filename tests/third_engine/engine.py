"""An engine that nobody has: all that it takes to add one, beside its line in the registry.

It says again what it is told, in OpenAI's protocol, after a while in which it "loads".
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from llm_widgets.domain.failures.known_failure import KnownFailure, Rank, logged
from llm_widgets.domain.failures.remedies import Advice, RemedyKind
from llm_widgets.domain.loading import Verdict
from llm_widgets.domain.memory.estimate import Estimate, Part, memory_bytes
from llm_widgets.domain.memory.measured import Measured
from llm_widgets.domain.starts import Mark
from llm_widgets.engines.base import Api, Texts
from llm_widgets.engines.command_line import CommandLine
from llm_widgets.engines.offers import Readiness
from llm_widgets.engines.recognising import Signs
from llm_widgets.engines.settings import Argument, Variable, tokens
from llm_widgets.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from llm_widgets.domain.failures.context import Context
    from llm_widgets.domain.gpus import Gpu
    from llm_widgets.domain.loading import Contents, Task
    from llm_widgets.domain.manifest import ModelManifest
    from llm_widgets.domain.memory import MemoryModel
    from llm_widgets.domain.services import Deployment
    from llm_widgets.engines.offers import Wanted
    from llm_widgets.engines.proposals import Proposal
    from llm_widgets.engines.settings import Container

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

FAILURE = KnownFailure(
    id="parrot-voice",
    rank=Rank.ENGINE,
    signs=(logged(r"Parrot lost its voice: (?P<why>\w{1,40})"),),
    causes=("Parrot can't speak, because of {why}.",),
    advice=(
        Advice(
            RemedyKind.REDEPLOY,
            "Deploy with {fewer} feathers.",
            {"max_model_len": "{fewer}"},
        ),
        Advice(RemedyKind.NONE, "Give it a cracker."),
    ),
    source="parrot/parrot#1",
)


class Parrot:
    """Repeats what it is told."""

    id = "parrot"
    label = "Parrot"
    hubs = ("huggingface",)
    api = Api("/talk")
    ready = Readiness("/awake")
    command_line = CommandLine(switches=frozenset({"--loud"}))
    context = Variable("PARROT_FEATHERS", "2000")
    parallel = Argument("--beaks", "1", command_line)
    port = Argument("--perch", "7000", command_line)
    folder = Argument("--nest", "", command_line)
    memory_share = None
    signs = Signs(
        own=re.compile("/birds/parrot(:|$)"),
        named=re.compile("parrot"),
        programs=(("parrot", "talk"),),
    )
    failures = (FAILURE,)
    issues = "https://example.com/issues"
    measured = None
    start_styles = ()
    streaming = None
    start_marks = (Mark("Waking", re.compile("Parrot wakes up")),)
    listening = (logged(r"Parrot sits on perch (?P<listens>\d{2,5})"),)
    loading = re.compile(r"Parrot wakes up")
    texts = Texts(
        image="Any parrot will do.",
        command="What it does all day.",
        args="What it is told once.",
        probe="Says that it is awake.",
        tools="Teach it.",
        reasoning="Wait.",
        install="Buy a parrot.",
        install_url="https://parrot.example/",
    )

    def image(self, accelerator: str) -> str:  # noqa: ARG002 - Engine has it
        return "local/python:3"

    def container_bytes(
        self,
        model: MemoryModel,  # noqa: ARG002 - Engine has it
        deployment: Deployment,  # noqa: ARG002 - Engine has it
    ) -> int:
        return 0

    def recognises(self, image: str) -> bool:
        return "parrot" in image

    def judge(self, contents: Contents) -> Verdict:  # noqa: ARG002 - Engine has it
        return Verdict()

    def deployment(self, wanted: Wanted) -> Deployment:
        made = wanted.deployment(
            self.id,
            image=self.image(""),
            port=7000,
            ready=self.ready,
            mount_path="/nest",
            concurrency=3,
        )
        return replace(
            made,
            served_name="polly",
            probe=replace(made.probe, period=1, timeout=1, failures=60),
            command=("-c", SCRIPT),
            args=("--loud", "--perch=7000", "--nest=/nest", "--beaks", "3"),
            environment={"PARROT_FEATHERS": str(wanted.context_length or 2000)},
        )

    def proposal(self, model_id: str, manifest: ModelManifest | None) -> None:  # noqa: ARG002 - Engine has it
        return None

    def task(self, container: Container, said: Task | None) -> Task | None:  # noqa: ARG002 - Engine has it
        return said

    def reasons(self, deployment: Deployment, proposal: Proposal | None) -> bool:  # noqa: ARG002 - Engine has it
        return False

    def thinking(self, model_id: str, *, on: bool) -> dict[str, bool]:  # noqa: ARG002 - Engine has it
        return {}

    def default_parallel(self, deployment: Deployment) -> int | None:  # noqa: ARG002 - Engine has it
        return 1

    def runs_code(self, deployment: Deployment) -> bool | None:  # noqa: ARG002 - Engine has it
        return None

    def with_code(self, deployment: Deployment, *, runs: bool) -> Deployment:  # noqa: ARG002 - Engine has it
        return deployment

    def command_text(self, command: Sequence[str]) -> str:
        return "Repeats what it hears" if SCRIPT in command else ""

    def context_of(self, deployment: Deployment) -> int:
        return tokens(self.context.told(deployment), "environment")

    def estimate(self, model: MemoryModel, gpu: Gpu, deployment: Deployment) -> Estimate:
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
            reason="" if total <= usable else "Does not fit: too many feathers.",
            advice=("Feed it.",),
        )

    def memory_settings(self, deployment: Deployment) -> dict[str, str]:
        return {self.context.name: self.context.told(deployment)}

    def told_argument(self, deployment: Deployment, lines: Iterable[str]) -> str:  # noqa: ARG002 - Engine has it
        """Return nothing: it tells none."""
        return ""

    def kept_arguments(self, before: Deployment, after: Deployment) -> Deployment:  # noqa: ARG002 - Engine has it
        """Return the deployment as it is."""
        return after

    def measured_start(self, lines: Iterable[str]) -> Measured | None:
        heard = next((line for line in lines if "Parrot weighs" in line), None)
        return Measured(int(heard.rsplit(" ", 1)[-1]), 0) if heard else None

    def problems(self, deployment: Deployment) -> Iterator[InvalidInputError]:
        if "PARROT_MUTE" in deployment.environment:
            yield InvalidInputError("A mute parrot serves nobody.", field="environment")

    def template_values(self, context: Context) -> Iterator[tuple[str, str]]:
        yield "fewer", str(int(self.context.told(context)) // 2)
