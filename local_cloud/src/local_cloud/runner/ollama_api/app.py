"""The endpoints."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from werkzeug import Response
from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule

from local_cloud.runner.ollama_api import answers, requests
from local_cloud.runner.ollama_api.engine import Engine, LoadError
from local_cloud.runner.ollama_api.library import Library, LibraryError, Model
from local_cloud.runner.ollama_api.llama import Answer, LlamaError
from local_cloud.runner.ollama_api.requests import BadRequestError
from local_cloud.runner.ollama_api.settings import Settings, duration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from werkzeug import Request

    from local_cloud.runner.ollama_api.engine import Loaded

VERSION = "0.0.0-llama.cpp"
_FOR_EVER = timedelta(days=36500)
_NDJSON = "application/x-ndjson"


class ApiFailure(Exception):  # noqa: N818 - an answer to the client
    """An answer that is an error.

    Parameters
    ----------
    status
        HTTP status.
    message
        Ollama's words.

    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class App:
    """Answers requests.

    Parameters
    ----------
    settings
        Of the server.
    library
        The models.

    """

    def __init__(self, settings: Settings, library: Library) -> None:
        self._settings = settings
        self._library = library
        self._engine = Engine(settings)
        self._urls = Map(
            [
                Rule("/", methods=["GET"], endpoint=_root),
                Rule("/api/version", methods=["GET"], endpoint=_version),
                Rule("/api/tags", methods=["GET"], endpoint=self._tags),
                Rule("/api/ps", methods=["GET"], endpoint=self._ps),
                Rule("/api/show", methods=["POST"], endpoint=self._show),
                Rule("/api/generate", methods=["POST"], endpoint=self._generate),
                Rule("/api/chat", methods=["POST"], endpoint=self._chat),
                Rule("/api/embed", methods=["POST"], endpoint=self._embed),
                Rule("/v1/models", methods=["GET"], endpoint=self._openai_models),
                Rule("/v1/models/<path:name>", methods=["GET"], endpoint=self._openai_model),
                Rule("/v1/chat/completions", methods=["POST"], endpoint=self._openai),
                Rule("/v1/completions", methods=["POST"], endpoint=self._openai),
                Rule("/v1/embeddings", methods=["POST"], endpoint=self._openai),
            ]
        )

    def handle(self, request: Request) -> Response:
        """Answer one request, and print a line about it."""
        begin = time.monotonic()
        response = self._answer(request)

        def record() -> None:
            now = datetime.now(UTC).strftime("%Y/%m/%d - %H:%M:%S")
            seconds = time.monotonic() - begin
            print(  # noqa: T201 - the log of this process
                f"[GIN] {now} | {response.status_code} | {seconds * 1000:10.3f}ms | "
                f'{request.remote_addr} | {request.method} "{request.path}"',
                flush=True,
            )

        response.call_on_close(record)
        return response

    def _answer(self, request: Request) -> Response:
        try:
            endpoint, values = self._urls.bind_to_environ(request.environ).match()
            response: Response = endpoint(request, **values)
        except HTTPException as error:  # no such path, or not with this method
            text = f"{error.code} {error.name.lower()}"
            return Response(text, error.code, content_type="text/plain")
        except (ApiFailure, LlamaError) as failure:
            status, message = failure.status, str(failure)
        except BadRequestError as error:
            status, message = 400, str(error)
        except (LoadError, LibraryError, OSError) as error:
            status, message = 500, str(error)
        else:
            return response
        return _error(status, message, openai=request.path.startswith("/v1/"))

    def _tags(self, _request: Request) -> Response:
        return _json({"models": [_entry(model) for model in self._library.models()]})

    def _ps(self, _request: Request) -> Response:
        return _json(
            {
                "models": [
                    {
                        **_entry(loaded.model),
                        "expires_at": _expiry(loaded),
                        "size_vram": 0,
                        "context_length": loaded.context,
                    }
                    for loaded in self._engine.loaded()
                ]
            }
        )

    def _show(self, request: Request) -> Response:
        model = self._model(_body(request))
        parameters = [
            f"{name:<30} {json.dumps(value)}"
            for name, values in model.parameters().items()
            for value in (values if isinstance(values, list) else [values])
        ]
        return _json(
            {
                "license": model.text("license"),
                "modelfile": f"# Modelfile\nFROM {model.weights}\n",
                "parameters": "\n".join(parameters),
                "template": model.text("template"),
                "system": model.text("system"),
                "details": model.details,
                "model_info": {"general.architecture": model.config.get("model_family", "")},
                "capabilities": ["embedding" if model.makes_embeddings else "completion"],
                "modified_at": model.modified,
            }
        )

    def _generate(self, request: Request) -> Response:
        return self._native(_body(request), requests.generate, answers.response_part)

    def _chat(self, request: Request) -> Response:
        return self._native(_body(request), requests.chat, answers.message_part)

    def _native(
        self,
        asked: dict[str, Any],
        translate: Callable[[Model, dict[str, Any]], requests.LlamaRequest | None],
        part: Callable[[str], answers.Part],
    ) -> Response:
        begin = time.monotonic()
        model = self._model(asked)
        wanted = translate(model, asked)
        name = str(asked.get("model") or asked.get("name"))
        keep_alive = self._keep_alive(asked)
        context = requests.context_length(model, asked)
        if wanted is None and keep_alive <= 0:
            self._engine.unload(model)
            return _json(answers.loaded(name, part, "unload"))
        with ExitStack() as stack:
            loaded, load_seconds = stack.enter_context(
                self._engine.use(model, context=context, keep_alive=keep_alive)
            )
            if wanted is None:
                return _json(answers.loaded(name, part, "load"))
            answer = Answer(loaded.address, wanted.path, wanted.body)
            stack.callback(answer.close)
            objects = answers.stream(name, part, answer, begin=begin, load_seconds=load_seconds)
            if asked.get("stream", True) is False:
                return _json(answers.whole(objects))
            response = Response(_lines(objects), content_type=_NDJSON)
            response.call_on_close(stack.pop_all().close)
            return response

    def _embed(self, request: Request) -> Response:
        asked = _body(request)
        model = self._model(asked)
        wanted = requests.embed(model, asked)
        keep_alive = self._keep_alive(asked)
        with self._engine.use(model, context=wanted.context, keep_alive=keep_alive) as (loaded, _):
            found = json.loads(Answer(loaded.address, wanted.path, wanted.body).read())
        vectors = [each["embedding"] for each in found["data"]]
        return _json({"model": str(asked["model"]), "embeddings": vectors})

    def _openai_models(self, _request: Request) -> Response:
        models = [_openai_entry(model) for model in self._library.models()]
        return _json({"object": "list", "data": models})

    def _openai_model(self, _request: Request, name: str) -> Response:
        return _json(_openai_entry(self._model({"model": name})))

    def _openai(self, request: Request) -> Response:
        asked = _body(request)
        model = self._model(asked)
        with ExitStack() as stack:
            loaded, _ = stack.enter_context(
                self._engine.use(model, context=0, keep_alive=self._settings.keep_alive)
            )
            answer = Answer(loaded.address, request.path, asked)
            stack.callback(answer.close)
            if not asked.get("stream"):
                return Response(answer.read(), content_type=answer.content_type)
            response = Response(answer.lines(), content_type=answer.content_type)
            response.call_on_close(stack.pop_all().close)
            return response

    def _model(self, asked: dict[str, Any]) -> Model:
        name = asked.get("model") or asked.get("name")
        if not name or not isinstance(name, str):
            raise ApiFailure(400, "model is required")
        model = self._library.find(name)
        if model is None:
            raise ApiFailure(404, f"model '{name}' not found")
        return model

    def _keep_alive(self, asked: dict[str, Any]) -> float:
        value = asked.get("keep_alive")
        try:
            return self._settings.keep_alive if value is None else duration(value)
        except (ValueError, TypeError) as error:
            raise ApiFailure(400, str(error)) from error


def _root(_request: Request) -> Response:
    return Response("Ollama is running", content_type="text/plain; charset=utf-8")


def _version(_request: Request) -> Response:
    return _json({"version": VERSION})


def _body(request: Request) -> dict[str, Any]:
    data = request.get_data()
    if not data:
        raise ApiFailure(400, "missing request body")
    try:
        value = json.loads(data)
    except ValueError as error:
        raise ApiFailure(400, f"invalid JSON: {error}") from error
    if not isinstance(value, dict):
        raise ApiFailure(400, "the request body must be a JSON object")
    return value


def _lines(objects: Iterator[answers.Part]) -> Iterator[bytes]:
    try:
        for value in objects:
            yield json.dumps(value).encode() + b"\n"
    except LlamaError as error:  # the status is sent: the error is the last line, as with Ollama
        yield json.dumps({"error": str(error)}).encode() + b"\n"


def _entry(model: Model) -> dict[str, Any]:
    return {
        "name": str(model.name),
        "model": str(model.name),
        "modified_at": model.modified,
        "size": model.size,
        "digest": model.digest,
        "details": model.details,
    }


def _openai_entry(model: Model) -> dict[str, Any]:
    created = int(datetime.fromisoformat(model.modified).timestamp())
    return {
        "id": str(model.name),
        "object": "model",
        "created": created,
        "owned_by": model.name.namespace,
    }


def _expiry(loaded: Loaded) -> str:
    left = loaded.expires_in
    after = _FOR_EVER if left == float("inf") else timedelta(seconds=left)
    return (datetime.now(UTC) + after).isoformat()


def _json(value: Any, status: int = 200) -> Response:
    return Response(json.dumps(value), status, content_type="application/json; charset=utf-8")


def _error(status: int, message: str, *, openai: bool) -> Response:
    if not openai:
        return _json({"error": message}, status)
    kind = "not_found_error" if status == 404 else "invalid_request_error"  # noqa: PLR2004 - HTTP
    kind = kind if status < 500 else "api_error"  # noqa: PLR2004 - HTTP
    return _json({"error": {"message": message, "type": kind, "param": None, "code": None}}, status)
