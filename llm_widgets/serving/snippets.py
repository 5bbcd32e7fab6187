"""Code that calls a deployed model, with the ID token that Cloud Run asks for."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llm_widgets.domain.loading import Task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from llm_widgets.engines.base import Api

_OPENAI = """\
# pip install openai google-auth requests
import google.auth.transport.requests
from google.oauth2 import id_token
from openai import OpenAI

URL = {url}
# Of a service account or of the machine that this runs on; each lasts an hour.
credentials = id_token.fetch_id_token_credentials(URL)


def token():
    if not credentials.valid:
        credentials.refresh(google.auth.transport.requests.Request())
    return credentials.token


client = OpenAI(base_url=URL + {base}, api_key=token, timeout=600)  # a cold start takes a while
answer = {call}
print({shown})
"""
_PYTHON = """\
# pip install google-auth requests
import google.auth.transport.requests
import requests
from google.oauth2 import id_token

URL = {url}
# Of a service account or of the machine that this runs on. It lasts an hour: get a new one then.
token = id_token.fetch_id_token(google.auth.transport.requests.Request(), URL)
answer = requests.post(
    URL + {path},
    headers={{"Authorization": f"Bearer {{token}}"}},
    {sent},
    timeout=600,  # seconds; a cold start takes a while
)
answer.raise_for_status()
print({read})
"""
_MANAGER = """\
# pip install this package; it uses your credentials
from llm_widgets import Manager

manager = Manager({project})
{ask}
"""


@dataclass(frozen=True, slots=True)
class _Example:
    """A request of one task in several languages; ``{model}`` and ``{name}`` are filled in.

    Attributes
    ----------
    body
        What is posted as JSON; empty for a form with a file.
    call, shown
        The call of OpenAI's package, and what is printed of its answer.
    read
        What is printed of the JSON of an answer.
    ask
        The lines for the manager.
    """

    body: Mapping[str, Any]
    call: str
    shown: str
    read: str
    ask: str


TEXTS = ("How do I reset my password?", "I can't sign in.")
"""Two texts to embed."""

QUERY = "What is the capital of France?"
PASSAGES = ("Bananas are yellow.", "Paris is the capital of France.")
"""A query, and passages of which the last one answers it."""

SENTENCES = ("I love it.", "I want my money back.")
"""Two texts to classify."""

PICTURE = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAAS0lEQVR42u3PQQkAAA"
    "gAsetfWiP4FgYrsKZeS0BAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEDgsqnc8O"
    "Jg6Ln3AAAAAElFTkSuQmCC"
)
"""A red square of 64 by 64 pixels, as the address of its own bytes."""


def _chat(content: Any) -> _Example:
    messages = [{"role": "user", "content": content}]
    return _Example(
        body={"messages": messages},
        call="client.chat.completions.create(\n    model={model},\n"
        f"    messages={messages!r},\n)",
        shown="answer.choices[0].message.content",
        read='answer.json()["choices"][0]["message"]["content"]',
        ask="print(manager.chat({name}, " + f"{messages!r}))",
    )


_EXAMPLES = {
    Task.CHAT: _chat("Hello!"),
    Task.VISION: _chat(
        [
            {"type": "text", "text": "Which colour is this?"},
            {"type": "image_url", "image_url": {"url": PICTURE}},
        ]
    ),
    Task.EMBED: _Example(
        body={"input": list(TEXTS)},
        call="client.embeddings.create(\n    model={model}, " + f"input={list(TEXTS)!r}\n)",
        shown="len(answer.data[0].embedding)",
        read='len(answer.json()["data"][0]["embedding"])',
        ask="one, two = manager.embed({name}, " + f"{list(TEXTS)!r})\n"
        "print(one.dimension, one.similarity(two))",
    ),
    Task.RERANK: _Example(
        body={"query": QUERY, "documents": list(PASSAGES)},
        call='client.post(\n    "/rerank",\n    cast_to=object,\n    '
        'body={"model": {model}, ' + f'"query": {QUERY!r}, "documents": {list(PASSAGES)!r}}},\n)',
        shown='answer["results"]',
        read='answer.json()["results"]',
        ask="print(manager.rank({name}, " + f"{QUERY!r}, {list(PASSAGES)!r}))",
    ),
    Task.CLASSIFY: _Example(
        body={"input": list(SENTENCES)},
        call='client.post(\n    URL + "/classify",  # not below the base URL\n    cast_to=object,\n'
        '    body={"model": {model}, ' + f'"input": {list(SENTENCES)!r}}},\n)',
        shown='answer["data"]',
        read='answer.json()["data"]',
        ask="for each in manager.classify({name}, " + f"{list(SENTENCES)!r}):\n"
        "    print(each.best.name, each.best.score)",
    ),
    Task.TRANSCRIBE: _Example(
        body={},
        call="client.audio.transcriptions.create(\n    model={model}, "
        'file=open("speech.wav", "rb")\n)',
        shown="answer.text",
        read='answer.json()["text"]',
        ask='print(manager.transcribe({name}, "speech.wav").text)',
    ),
}


def snippets(
    url: str, model: str, name: str, api: Api, task: Task | None = None
) -> Mapping[str, str]:
    """Write calls of a service in several languages, by the name of the language.

    Parameters
    ----------
    url
        Of the service, the audience of the ID token.
    model
        Name by which the engine knows the model.
    name
        Resource name of the service.
    api
        Where its engine is asked.
    task
        What it does; what is not known is asked as a chat is.

    Returns
    -------
    Mapping
        Empty for a task that the engine has no endpoint for.
    """
    task = task or Task.CHAT
    example, path = _EXAMPLES.get(task), api.path_of(task)
    if example is None or not path:
        return {}
    quoted = {"model": repr(model), "name": repr(name)}
    told = {
        "url": repr(url),
        "base": json.dumps(api.base),
        "path": json.dumps(path),
        "call": _filled(example.call, quoted),
        "shown": example.shown,
        "read": example.read,
        "sent": _sent(example, model),
    }
    return {
        "curl": _curl(url, path, example, model),
        "OpenAI SDK": _OPENAI.format(**told),
        "Python": _PYTHON.format(**told),
        "llm_widgets": _MANAGER.format(
            project=repr(name.split("/")[1]), ask=_filled(example.ask, quoted)
        ),
    }


def _filled(text: str, quoted: Mapping[str, str]) -> str:
    """Return a text with ``{model}`` and ``{name}`` filled in; other braces are Python's."""
    return re.sub(r"\{(model|name)\}", lambda found: quoted[found[1]], text)


def _sent(example: _Example, model: str) -> str:
    """Return the argument of ``requests.post`` that has what is sent."""
    if not example.body:
        return f'data={{"model": {model!r}}},\n    files={{"file": open("speech.wav", "rb")}}'
    fields = {"model": model, **example.body}
    return "json={\n" + "".join(f"        {k!r}: {v!r},\n" for k, v in fields.items()) + "    }"


def _curl(url: str, path: str, example: _Example, model: str) -> str:
    if example.body:
        body = json.dumps({"model": model, **example.body})
        sent = f'  -H "Content-Type: application/json" \\\n  -d {shlex.quote(body)}'
    else:
        sent = f"  -F {shlex.quote(f'model={model}')} \\\n  -F file=@speech.wav"
    return (
        "# As a service account: gcloud auth print-identity-token --audiences="
        f"{shlex.quote(url)}\n"
        f"curl {shlex.quote(url + path)} \\\n"
        '  -H "Authorization: Bearer $(gcloud auth print-identity-token)" \\\n'
        f"{sent}"
    )
