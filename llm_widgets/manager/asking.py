"""Asking services: a chat, texts into vectors, a ranking, labels, a transcript."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from llm_widgets.domain.loading import Task
from llm_widgets.domain.recognition import first_model
from llm_widgets.engines import registry
from llm_widgets.errors import Fix, InvalidInputError, ManagerError, NotFoundError
from llm_widgets.gcp.run import answers, invoke

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from llm_widgets.domain.answers import Classified, Embedding, Ranked, Transcript
    from llm_widgets.domain.services import ServiceSummary
    from llm_widgets.gcp.client.clients import Clients

MOST_TEXTS = 1000
"""Of a request: more of them are sent in several."""

MOST_SOUND = 25 * 2**20
"""Bytes of a recording: what vLLM takes (``VLLM_MAX_AUDIO_CLIP_FILESIZE_MB``), less than the
32 MiB of a request to Cloud Run."""

_DOES = {
    Task.CLASSIFY: "classify texts",
    Task.EMBED: "make embeddings",
    Task.RERANK: "rank passages",
    Task.TRANSCRIBE: "transcribe recordings",
}


@dataclass(frozen=True, slots=True)
class Recording:
    """A file of sound, with the name that tells its format."""

    name: str
    content: bytes


def named(clients: Clients, service: ServiceSummary) -> ServiceSummary:
    """Return a service with the name by which its API knows the model: asked for if not known.

    Asking may start an instance.

    Raises
    ------
    NotFoundError
        Its engine serves no model.
    ManagerError
        Its engine is not known; the service refuses or fails.
    """
    if service.served_name:
        return service
    path = registry.api_of(service.framework).models
    found = answers.models(answers.Listed(clients, service.url, path, {}, service=service.name))
    name = first_model(found)
    if not name:
        raise NotFoundError(
            f"{service.id} serves no model.",
            cause=f"Its list of models at {path} is empty.",
            fix=Fix(text="Load a model as its engine asks for it."),
        )
    return replace(service, served_name=name)


def chat(
    clients: Clients,
    service: ServiceSummary,
    messages: Sequence[Mapping[str, Any]],
    params: Mapping[str, Any] | None = None,
) -> invoke.ChatStream:
    """Return the answer to a conversation, sent when it is iterated; see :func:`.chat_stream`.

    Raises
    ------
    ManagerError
        The engine of the service is not known.
    """
    return invoke.chat_stream(
        clients,
        service.url,
        service.served_name,
        messages,
        params,
        path=registry.api_of(service.framework).path,
        service=service.name,
    )


def embed(clients: Clients, service: ServiceSummary, texts: Sequence[str]) -> list[Embedding]:
    """Return the vectors of texts, in their order.

    Raises
    ------
    ManagerError
        The service does not make embeddings, refuses or fails.
    """
    _check_texts(texts, "Name at least one text.", "texts")
    body = {"model": service.served_name, "input": list(texts)}
    try:
        return answers.embeddings(_posted(clients, service, Task.EMBED, body), texts)
    except ManagerError as error:
        raise _explained(error, service, Task.EMBED) from error


def rank(
    clients: Clients, service: ServiceSummary, query: str, passages: Sequence[str]
) -> list[Ranked]:
    """Return passages by how well they answer a query, the best one first.

    Raises
    ------
    ManagerError
        The service does not rank, refuses or fails.
    """
    _check_texts([query], "Name a query.", "query")
    _check_texts(passages, "Name at least one passage.", "passages")
    body = {"model": service.served_name, "query": query, "documents": list(passages)}
    try:
        return answers.ranking(_posted(clients, service, Task.RERANK, body), passages)
    except ManagerError as error:
        raise _explained(error, service, Task.RERANK) from error


def classify(clients: Clients, service: ServiceSummary, texts: Sequence[str]) -> list[Classified]:
    """Return texts with the scores of their labels, in their order.

    Raises
    ------
    ManagerError
        The service does not classify, refuses or fails.
    """
    _check_texts(texts, "Name at least one text.", "texts")
    body = {"model": service.served_name, "input": list(texts)}
    try:
        return answers.classification(_posted(clients, service, Task.CLASSIFY, body), texts)
    except ManagerError as error:
        raise _explained(error, service, Task.CLASSIFY) from error


def transcribe(clients: Clients, service: ServiceSummary, recording: Recording) -> Transcript:
    """Return what is said in a recording.

    Raises
    ------
    ManagerError
        The service does not transcribe, refuses or fails, or the recording is too large.
    """
    if not 0 < len(recording.content) <= MOST_SOUND:
        raise InvalidInputError(
            f"A recording has at most {MOST_SOUND // 2**20} MiB, and is not empty.",
            field="recording",
        )
    files = {
        "model": (None, service.served_name),
        "file": (PurePath(recording.name).name or "recording", recording.content),
    }
    call = answers.Whole(
        clients,
        service.url,
        path_of(service, Task.TRANSCRIBE),
        {"files": files},
        service=service.name,
    )
    try:
        return answers.transcript(call)
    except ManagerError as error:
        raise _explained(error, service, Task.TRANSCRIBE) from error


def path_of(service: ServiceSummary, task: Task) -> str:
    """Return where a service is asked for something.

    Raises
    ------
    InvalidInputError
        Its engine is not known, or has no endpoint for it.
    """
    path = registry.api_of(service.framework).path_of(task)
    if not path:
        raise InvalidInputError(
            f"{registry.label_of(service.framework)} can't {_DOES.get(task, task.value)}."
        )
    return path


def _posted(
    clients: Clients, service: ServiceSummary, task: Task, body: dict[str, Any]
) -> answers.Whole:
    path = path_of(service, task)
    return answers.posted(clients, service.url, path, body, service=service.name)


def _check_texts(texts: Sequence[str], missing: str, field: str) -> None:
    if not texts or not all(text.strip() for text in texts):
        raise InvalidInputError(missing, field=field)
    if len(texts) > MOST_TEXTS:
        raise InvalidInputError(f"A request takes at most {MOST_TEXTS} texts.", field=field)


def _explained(error: ManagerError, service: ServiceSummary, task: Task) -> ManagerError:
    """Say that a service is for something else, where an engine has refused what it is not for."""
    refused = isinstance(error, InvalidInputError | NotFoundError) and not error.field
    if refused and service.task is task is Task.CLASSIFY and isinstance(error, NotFoundError):
        return NotFoundError(
            f"{service.id} has no endpoint that classifies texts.",
            cause="vLLM has it for models that give a text one set of labels. One that labels each "
            "token, or gives a reward, is asked at /pooling.",
            fix=Fix(text="Deploy a model of text classification, or ask /pooling by code."),
        )
    if not refused or service.task is None or service.task is task:
        return error
    return InvalidInputError(
        f"{service.id} serves a model for {service.task.value}, which can't {_DOES[task]}.",
        cause=error.cause or error.message,
        fix=error.fix,
    )
