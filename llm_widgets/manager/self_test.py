"""Asking a service that is ready a little of everything that it should do.

A wrong parser is no error of an engine: a tool call stays in the text, reasoning stands in the
answer. It is found here, and answered with the change that helps.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from llm_widgets.diagnosis import Remedy, RemedyKind
from llm_widgets.domain.loading import Task
from llm_widgets.domain.names import shown
from llm_widgets.domain.self_tests import Outcome, Tested
from llm_widgets.engines import proposals, registry
from llm_widgets.errors import InvalidInputError, ManagerError
from llm_widgets.gcp.run import answers, service_json
from llm_widgets.manager import asking, change, memory
from llm_widgets.serving.snippets import PASSAGES, PICTURE, QUERY, SENTENCES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from llm_widgets.domain.answers import ToolCall
    from llm_widgets.domain.services import Deployment, ServiceSummary
    from llm_widgets.engines.base import Engine
    from llm_widgets.engines.proposals import Proposal
    from llm_widgets.gcp.client.clients import Clients

_TOOL = "get_weather"
_TOOLS = [
    {
        "type": "function",
        "function": {
            "name": _TOOL,
            "description": "Return the weather of a city.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        },
    }
]
# How models write calls, each family in its own form: what a parser would have taken out.
_WRITTEN_CALL = re.compile(
    rf"<tool_call|\[TOOL_CALLS\]|<\|python_tag\|>|<function=|<\|tool|\"name\"\s*:\s*\"{_TOOL}\""
    rf"|{_TOOL}\s*\("
)
_WRITTEN_THOUGHT = re.compile(r"</think>|<think>|\[/?THINK\]|<\|channel\|>analysis")
_TOKENS = 512  # of an answer: enough for a short thought and a call
_CUT = 120  # characters of an answer that are told


@dataclass(frozen=True, slots=True)
class _Service:
    """What the tests know of a service."""

    clients: Clients
    summary: ServiceSummary
    deployment: Deployment
    engine: Engine
    proposal: Proposal | None
    task: Task | None

    def chat(self, content: object, **params: Any) -> answers.Message:
        """Ask the model something, and return its whole answer."""
        body = {
            "model": self.summary.served_name,
            "messages": [{"role": "user", "content": content}],
            "max_tokens": _TOKENS,
            "temperature": 0,
            **params,
        }
        path = asking.path_of(self.summary, Task.CHAT)
        return answers.message(
            answers.posted(self.clients, self.summary.url, path, body, service=self.summary.name)
        )

    def remedy(self) -> Remedy | None:
        """Return the arguments of the model's family that the engine is not told."""
        found = self.proposal
        if found is None or proposals.is_told(self.deployment, found):
            return None
        missing = [word for word in found.words if word not in self.deployment.args]
        return Remedy(
            RemedyKind.REDEPLOY,
            f"Add {' '.join(missing)}, which models of the family {found.family} are served with.",
            {"add_argument": "\n".join(missing)},
            failure="self-test",
        )


def run(clients: Clients, service: ServiceSummary) -> Iterator[Tested]:
    """Test a service as its task says, and yield what was found, one after the other.

    Raises
    ------
    ManagerError
        The service can't be read, or its engine is not known.
    """
    deployment = change.deployment_of(service_json.read(clients, service.name))
    engine = registry.of(service.framework)
    if engine is None:
        registry.api_of(service.framework)  # says so where it can't be asked at all
        text = f"There is no self-test for {registry.label_of(service.framework)}."
        yield Tested("Self-test", Outcome.SKIPPED, text)
        return
    task = service.task or memory.task_of(clients, deployment)
    manifest = memory.manifest_of(clients, deployment)
    known = _Service(
        clients,
        service,
        deployment,
        engine,
        engine.proposal(deployment.model_id, manifest),
        task,
    )
    match task:
        case Task.EMBED:
            yield _timed("Embeddings", lambda: _embeds(known))
        case Task.RERANK:
            yield _timed("Ranking", lambda: _ranks(known))
        case Task.CLASSIFY:
            yield _timed("Classification", lambda: _classifies(known))
        case Task.TRANSCRIBE:
            yield Tested(
                task.value.capitalize(),
                Outcome.SKIPPED,
                "There is no test for this task: try it with data of your own.",
            )
        case _:
            yield from _chats(known)


def _chats(known: _Service) -> Iterator[Tested]:
    heard: list[answers.Message] = []
    yield _timed("Answer", lambda: _answers(known, heard))
    if not heard:
        return  # nothing else would work
    yield _reasons(known, heard[0])
    yield _timed("Tool call", lambda: _calls(known))
    if known.task is Task.VISION:
        yield _timed("Picture", lambda: _sees(known))


def _timed(title: str, test: Callable[[], Tested]) -> Tested:
    """Run a test; a refusal is a failure of it."""
    begun = time.monotonic()
    try:
        found = test()
    except ManagerError as error:
        fix = error.fix.text if error.fix else ""
        text = f"{error.message} {error.cause}".strip()
        found = Tested(title, Outcome.FAILED, text, fix)
    return replace(found, title=title, seconds=round(time.monotonic() - begun, 2))


def _answers(known: _Service, heard: list[answers.Message]) -> Tested:
    said = known.chat("What is 17 + 25? Answer with the number.")
    heard.append(said)
    if not (said.text or said.thought or said.calls):
        return Tested("", Outcome.FAILED, "The answer is empty.")
    text = said.text or said.thought
    if said.text and "42" not in said.text:
        told = f"The model answers that 17 + 25 is: {_quoted(text)}"
        return Tested("", Outcome.WEAK, told, "A larger model is right more often.")
    return Tested("", Outcome.PASSED, f"The model answers: {_quoted(text)}")


def _reasons(known: _Service, said: answers.Message) -> Tested:
    title, reasons = "Reasoning", known.engine.reasons(known.deployment, known.proposal)
    if said.thought:
        return Tested(title, Outcome.PASSED, "The reasoning is separate from the answer.")
    if _WRITTEN_THOUGHT.search(said.text):
        remedy = known.remedy()
        return Tested(
            title,
            Outcome.FAILED,
            "The reasoning stands in the text of the answer: its parser is missing, or is that of "
            "another family.",
            "" if remedy else known.engine.texts.reasoning,
            remedy,
        )
    if reasons:
        return Tested(
            title,
            Outcome.WEAK,
            "The model answers without reasoning, though its family can reason.",
            "A request may have to turn it on.",
        )
    return Tested(title, Outcome.SKIPPED, "The model answers without reasoning.")


def _calls(known: _Service) -> Tested:
    try:
        said = known.chat(
            "What is the weather in Paris? Call the tool.", tools=_TOOLS, tool_choice="auto"
        )
    except InvalidInputError as error:
        remedy = known.remedy()
        outcome = Outcome.FAILED if remedy else Outcome.WEAK
        advice = "" if remedy else known.engine.texts.tools
        return Tested("", outcome, f"Tools are refused. {error.cause}".strip(), advice, remedy)
    if said.calls:
        return _call(said.calls[0])
    if _WRITTEN_CALL.search(said.text):
        remedy = known.remedy()
        return Tested(
            "",
            Outcome.FAILED,
            f"The tool call stays in the text of the answer: {_quoted(said.text)}",
            "" if remedy else known.engine.texts.tools,
            remedy,
        )
    remedy = known.remedy()
    told = f"The model answers in words where a tool call was due: {_quoted(said.text)}"
    if remedy:
        return Tested("", Outcome.FAILED, told, "", remedy)
    advice = "The model is too small for tools or not trained for them: choose a larger one."
    return Tested("", Outcome.WEAK, told, advice)


def _call(call: ToolCall) -> Tested:
    try:
        arguments = json.loads(call.arguments)
    except ValueError:
        arguments = None
    if call.name != _TOOL or not isinstance(arguments, dict):
        text = f"The model calls {shown(call.name)} with {_quoted(call.arguments)}"
        return Tested("", Outcome.WEAK, text, "A larger model makes better calls.")
    text = f"The model calls {_TOOL} with {_quoted(json.dumps(arguments, ensure_ascii=False))}"
    return Tested("", Outcome.PASSED, text)


def _sees(known: _Service) -> Tested:
    said = known.chat(
        [
            {"type": "text", "text": "Which colour is this picture? Answer with one word."},
            {"type": "image_url", "image_url": {"url": PICTURE}},
        ]
    )
    if "red" in said.text.lower():
        return Tested("", Outcome.PASSED, f"A red picture is: {_quoted(said.text)}")
    return Tested("", Outcome.WEAK, f"A red picture was taken, and is: {_quoted(said.text)}")


def _embeds(known: _Service) -> Tested:
    texts = ("A cat sleeps on the sofa.", "A kitten naps on the couch.", "Rates rose in March.")
    one, near, far = asking.embed(known.clients, known.summary, texts)
    close, away = one.similarity(near), one.similarity(far)
    if close is None or away is None:
        return Tested("", Outcome.FAILED, "The vectors can't be compared.")
    told = f"{one.dimension} dimensions; similar texts {close:.3f}, unrelated texts {away:.3f}."
    if close > away:
        return Tested("", Outcome.PASSED, told)
    advice = "Check that the model is one for embeddings, and whether its texts need a prefix."
    return Tested("", Outcome.WEAK, told, advice)


def _ranks(known: _Service) -> Tested:
    best, other = asking.rank(known.clients, known.summary, QUERY, PASSAGES)
    told = f"Scores {best.score:.3f} and {other.score:.3f}."
    if best.passage == PASSAGES[-1]:
        return Tested("", Outcome.PASSED, f"The right passage comes first. {told}")
    remedy = known.remedy()
    text = f"The wrong passage comes first. {told}"
    outcome = Outcome.FAILED if remedy else Outcome.WEAK
    advice = "" if remedy else "Check that the model is one for ranking."
    return Tested("", outcome, text, advice, remedy)


def _classifies(known: _Service) -> Tested:
    (found,) = asking.classify(known.clients, known.summary, SENTENCES[:1])
    best = f"{_quoted(found.best.name)} with {found.best.score:.3f}"
    return Tested("", Outcome.PASSED, f"{len(found.scores)} labels; {best} comes first.")


def _quoted(text: str) -> str:
    line = " ".join(text.split())
    return f"“{line if len(line) <= _CUT else line[: _CUT - 1] + '…'}”"
