"""Ollama's requests in the words of llama.cpp."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local_cloud.runner.ollama_api.library import Model

# Ollama's defaults where llama.cpp has others.
_DEFAULTS: dict[str, Any] = {"temperature": 0.8, "top_k": 40, "top_p": 0.9, "min_p": 0.0}
_OPTIONS = {  # Ollama's name: llama.cpp's name
    "frequency_penalty": "frequency_penalty",
    "min_p": "min_p",
    "num_keep": "n_keep",
    "num_predict": "n_predict",
    "presence_penalty": "presence_penalty",
    "repeat_last_n": "repeat_last_n",
    "repeat_penalty": "repeat_penalty",
    "seed": "seed",
    "stop": "stop",
    "temperature": "temperature",
    "top_k": "top_k",
    "top_p": "top_p",
    "typical_p": "typical_p",
}


class BadRequestError(Exception):
    """A request that makes no sense; the message is Ollama's."""


@dataclass(frozen=True)
class LlamaRequest:
    """A request to a llama.cpp server.

    Attributes
    ----------
    path
        Of its endpoint.
    body
        JSON.
    context
        Tokens of context that are asked for; 0 for the server's setting.

    """

    path: str
    body: dict[str, Any]
    context: int


def generate(model: Model, asked: dict[str, Any]) -> LlamaRequest | None:
    """Return the request for /api/generate; ``None`` if the model is only to be loaded.

    Raises
    ------
    BadRequestError
        If it asks for what this server does not do.

    """
    if asked.get("images"):
        raise BadRequestError("this model is missing data required for image input")
    if asked.get("suffix"):
        raise BadRequestError(f"{model.name} does not support insert")
    _no_thinking(model, asked)
    prompt = asked.get("prompt") or ""
    if not prompt:
        return None
    if model.makes_embeddings:
        raise BadRequestError(f'"{model.name}" does not support generate')
    body, context = _common(model, asked)
    if asked.get("raw") or not model.has_chat_template:
        return LlamaRequest("/v1/completions", {**body, "prompt": prompt}, context)
    messages = [{"role": "user", "content": prompt}]
    if system := asked.get("system") or model.text("system"):
        messages.insert(0, {"role": "system", "content": system})
    return LlamaRequest("/v1/chat/completions", {**body, "messages": messages}, context)


def chat(model: Model, asked: dict[str, Any]) -> LlamaRequest | None:
    """Return the request for /api/chat; ``None`` if the model is only to be loaded.

    Raises
    ------
    BadRequestError
        If it asks for what this server does not do, or the messages are none.

    """
    if asked.get("tools"):
        raise BadRequestError(f"{model.name} does not support tools")
    _no_thinking(model, asked)
    given = asked.get("messages") or []
    if not isinstance(given, list) or not all(isinstance(message, dict) for message in given):
        raise BadRequestError("messages must be a list of objects with role and content")
    if not given:
        return None
    if model.makes_embeddings:
        raise BadRequestError(f'"{model.name}" does not support chat')
    if any(message.get("images") for message in given):
        raise BadRequestError("this model is missing data required for image input")
    messages = [
        {"role": message.get("role", ""), "content": message.get("content", "")}
        for message in given
    ]
    system = model.text("system")
    if system and messages[0]["role"] != "system":
        messages.insert(0, {"role": "system", "content": system})
    body, context = _common(model, asked)
    return LlamaRequest("/v1/chat/completions", {**body, "messages": messages}, context)


def embed(model: Model, asked: dict[str, Any]) -> LlamaRequest:
    """Return the request for /api/embed.

    Raises
    ------
    BadRequestError
        If there is no text, or the model makes no embeddings.

    """
    if not model.makes_embeddings:
        raise BadRequestError("this model does not support embeddings")
    texts = asked.get("input")
    texts = [texts] if isinstance(texts, str) else texts
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise BadRequestError("invalid input type")
    return LlamaRequest("/v1/embeddings", {"input": texts}, context_length(model, asked))


def context_length(model: Model, asked: dict[str, Any]) -> int:
    """Return the tokens of context that a request or its model asks for; 0 for neither."""
    return int(_options(model, asked).get("num_ctx") or 0)


def _options(model: Model, asked: dict[str, Any]) -> dict[str, Any]:
    given = asked.get("options") or {}
    if not isinstance(given, dict):
        raise BadRequestError("options must be an object")
    return {**_DEFAULTS, **model.parameters(), **given}


def _common(model: Model, asked: dict[str, Any]) -> tuple[dict[str, Any], int]:
    options = _options(model, asked)
    body: dict[str, Any] = {
        _OPTIONS[name]: value for name, value in options.items() if name in _OPTIONS
    }
    body |= {"stream": True, "cache_prompt": True}
    match asked.get("format"):
        case None | "":
            pass
        case "json":
            body["response_format"] = {"type": "json_object"}
        case dict() as schema:
            body["response_format"] = {"type": "json_schema", "json_schema": {"schema": schema}}
        case other:
            raise BadRequestError(
                f'invalid format: "{other}"; expected "json" or a valid JSON Schema object'
            )
    return body, int(options.get("num_ctx") or 0)


def _no_thinking(model: Model, asked: dict[str, Any]) -> None:
    if asked.get("think"):
        raise BadRequestError(f'"{model.name}" does not support thinking')
