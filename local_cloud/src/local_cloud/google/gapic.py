"""The methods of an API, read from its own client package.

The generated clients describe themselves: their transports know each method's name, its request
message, its gRPC path and its HTTP rule. `methods_of` reads them, so that no table is written here.
"""

from __future__ import annotations

import re
import typing
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

import grpc
import proto
from google.auth.credentials import AnonymousCredentials

from local_cloud.errors import DENIAL, ApiError, Form

if TYPE_CHECKING:
    from collections.abc import Mapping

    from google.protobuf.message import Message

    from local_cloud.access import Access
    from local_cloud.enablement import Enablement
    from local_cloud.google.permissions import Rule
    from local_cloud.google.quota_projects import QuotaProjects
    from local_cloud.google.rates import Rates
    from local_cloud.issuer import Caller

M = TypeVar("M")
Handler = Callable[[Any, "Caller"], Any]
"""Takes a request message and the caller, returns the response message or raises `ApiError`."""


@dataclass(frozen=True)
class HttpRule:
    """One ``google.api.http`` rule: a verb, a path template, and where the body goes."""

    verb: str
    template: str
    body: str
    pattern: re.Pattern[str] = field(init=False)
    fields: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Read the template."""
        pattern, fields = _compiled(self.template)
        object.__setattr__(self, "pattern", pattern)
        object.__setattr__(self, "fields", fields)

    @property
    def rank(self) -> tuple[bool, int, int]:
        """Sorts rules: a ``:verb`` first, then the longest path, then the fewest wildcards."""
        verb = bool(re.search(r":\w+$", self.template))
        return (not verb, -self.template.count("/"), self.template.count("*"))


@dataclass(frozen=True)
class Method:
    """One method of an API and who answers it."""

    name: str
    """As in the service definition: ``CreateService``."""
    grpc_path: str
    """``/google.cloud.run.v2.Services/CreateService``; empty for an API without gRPC."""
    request: type[Any]
    """Class of the request message."""
    rules: tuple[HttpRule, ...]
    handler: Handler
    form: Form = Form.NEW
    """How its refusals are written."""


@dataclass(frozen=True)
class Api:
    """What is checked before a method of an API is answered.

    Parameters
    ----------
    name
        Host name of the API: ``run.googleapis.com``.
    rule
        Says which permission a call needs on what.
    billed
        Whether writing calls need a billed project.
    form
        How its refusals are written.
    denial
        What it says of a permission that the caller lacks.

    """

    name: str
    rule: Rule
    billed: bool = False
    form: Form = Form.NEW
    denial: str = DENIAL


class Endpoints:
    """Every registered method, with the checks that come before its handler.

    Parameters
    ----------
    access
        Decides on permissions.
    enablement
        Decides on APIs and billing.
    quota_projects
        Decides on what calls count against.
    rates
        Decides how many calls are too many.

    """

    def __init__(
        self,
        access: Access,
        enablement: Enablement,
        quota_projects: QuotaProjects,
        rates: Rates,
    ) -> None:
        self._access = access
        self._enablement = enablement
        self._quota_projects = quota_projects
        self._rates = rates
        self.by_rule: list[tuple[HttpRule, Method]] = []
        self.by_grpc_path: dict[str, Method] = {}

    def register(
        self,
        api: Api,
        client: type[Any],
        *services: object,
        http: Mapping[str, tuple[HttpRule, ...]] | None = None,
    ) -> int:
        """Serve those methods of a client that one of the services has.

        Parameters
        ----------
        api
            The checks to make.
        client
            Class of the generated client.
        services
            Objects with methods named as the client's (``create_service``); the first that has
            one answers it.
        http
            See `methods_of`.

        Returns
        -------
        int
            Number of methods served.

        """
        count = 0
        for snake, method in methods_of(client, http).items():
            handler = next((getattr(s, snake) for s in services if hasattr(s, snake)), None)
            if handler is None:
                continue
            count += 1
            self.serve(api, replace(method, handler=handler))
        return count

    def serve(self, api: Api, method: Method) -> None:
        """Serve one method, after the checks of its API."""
        guarded = self._guarded(api, method.name, method.handler)
        served = replace(method, handler=guarded, form=api.form)
        self.by_rule += [(rule, served) for rule in served.rules]
        self.by_rule.sort(key=lambda entry: entry[0].rank)
        # Operations are one gRPC service for all APIs, and one table: the first serves all.
        if served.grpc_path:
            self.by_grpc_path.setdefault(served.grpc_path, served)

    def _guarded(self, api: Api, name: str, handler: Handler) -> Handler:
        def answer(request: Any, caller: Caller) -> Any:
            need = api.rule(name, request)
            if need is None:
                return handler(request, caller)
            self._quota_projects.require(api.name, caller)
            project = self._consumer(need.resource, caller)
            self._enablement.require_api(api.name, project)
            self._rates.require(api.name, name, project, need.resource)
            if need.permission:
                self._access.require(caller, need.permission, need.resource, api.denial)
            if api.billed and need.writes:
                self._enablement.require_billing(api.name, project)
            return handler(request, caller)

        return answer

    def _consumer(self, resource: str, caller: Caller) -> str:
        """Return the id of the project that a call is charged to."""
        parts = self._access.canonical(resource).split("/")
        if parts[0] == "projects" and len(parts) > 1 and parts[1] not in {"-", "_"}:
            return parts[1]
        return caller.email.partition("@")[2].partition(".")[0]


def methods_of(
    client: type[Any], http: Mapping[str, tuple[HttpRule, ...]] | None = None
) -> dict[str, Method]:
    """Return the methods of a generated client by their Python names, not yet answered.

    Parameters
    ----------
    client
        Class of the client.
    http
        HTTP rules by method name, for a client that has no REST transport to read them from.

    """
    registry = client._transport_registry if hasattr(client, "_transport_registry") else None  # noqa: SLF001 - the only place that lists the transports
    names = registry or type(client)._transport_registry  # type: ignore[attr-defined] # noqa: SLF001 - as above
    rules = _http_rules(client.get_transport_class("rest")) if "rest" in names else (http or {})
    if "grpc" in names:
        return _grpc_methods(client.get_transport_class("grpc"), rules)
    return _rest_methods(client.get_transport_class("rest"), rules)


def as_message(message: Any) -> Message:
    """Return the protobuf message inside a proto-plus one."""
    return type(message).pb(message) if isinstance(message, proto.Message) else message


def message_class(kind: type[Any]) -> type[Message]:
    """Return the protobuf class inside a proto-plus one."""
    return kind.pb() if issubclass(kind, proto.Message) else kind


def wrapped(kind: type[M], message: Message) -> M:
    """Return a protobuf message as the class that handlers take."""
    own: Any = kind  # a class of proto-plus has methods that no type tells of
    made: M = own.wrap(message) if issubclass(kind, proto.Message) else message
    return made


def unanswered(request: Any, caller: Caller) -> Any:
    """Stand for a handler where there is none yet."""
    raise ApiError("UNIMPLEMENTED", f"{type(request).__name__} is not served ({caller.member}).")


def _grpc_methods(
    transport: type[Any], rules: Mapping[str, tuple[HttpRule, ...]]
) -> dict[str, Method]:
    channel = _Recorder()
    instance = transport(channel=channel, credentials=AnonymousCredentials())
    instance._logged_channel = channel  # noqa: SLF001 - else an interceptor hides the paths
    found = {}
    for snake, kinds in _signatures(transport).items():
        instance._stubs.pop(snake, None)  # noqa: SLF001 - makes the transport ask the channel again
        channel.path = ""
        getattr(instance, snake)
        if channel.path:
            name = channel.path.rsplit("/", 1)[1]
            found[snake] = Method(name, channel.path, kinds[0], rules.get(name, ()), unanswered)
    return found


def _rest_methods(
    transport: type[Any], rules: Mapping[str, tuple[HttpRule, ...]]
) -> dict[str, Method]:
    found = {}
    for snake, kinds in _signatures(transport).items():
        name = "".join(part.title() for part in snake.split("_"))
        if name in rules:
            found[snake] = Method(name, "", kinds[0], rules[name], unanswered)
    return found


def _signatures(transport: type[Any]) -> dict[str, list[type[Any]]]:
    """Return each method's request message, from ``Callable[[Request], Response]``."""
    found = {}
    for snake, attribute in vars(transport).items():
        if not isinstance(attribute, property) or snake.endswith("_client"):
            continue
        hints = typing.get_type_hints(attribute.fget)
        signature = typing.get_args(hints.get("return"))
        if signature and isinstance(signature[0], list):
            found[snake] = signature[0]
    return found


def _http_rules(transport: type[Any]) -> dict[str, tuple[HttpRule, ...]]:
    base = next(cls for cls in transport.__mro__ if cls.__name__.startswith("_Base"))
    found = {}
    for name, attribute in vars(base).items():
        if name.startswith("_Base") and hasattr(attribute, "_get_http_options"):
            found[name.removeprefix("_Base")] = tuple(
                HttpRule(option["method"].upper(), option["uri"], option.get("body") or "")
                for option in attribute._get_http_options()  # noqa: SLF001 - where the rules are
            )
    return found


def _compiled(template: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    """Turn ``/v2/{name=projects/*/jobs/*}:run`` into a pattern and the fields it fills."""
    fields: list[str] = []
    pattern = ""
    for part in re.split(r"(\{[^}]+\})", template):
        if part.startswith("{"):
            name, _, shape = part[1:-1].partition("=")
            fields.append(name)
            escaped = re.escape(shape or "*")
            pattern += "(" + escaped.replace(r"\*\*", ".+").replace(r"\*", "[^/:]+") + ")"
        else:
            pattern += re.escape(part)
    return re.compile(pattern), tuple(fields)


class _Recorder(grpc.Channel):
    """A channel that only notes which method a stub is made for."""

    def __init__(self) -> None:
        self.path = ""

    def _note(self, path: str, *_: Any, **__: Any) -> Any:
        self.path = path
        return lambda *_, **__: None

    unary_unary: Any = _note
    unary_stream: Any = _note
    stream_unary: Any = _note
    stream_stream: Any = _note

    def subscribe(self, callback: Any, try_to_connect: Any = None) -> None:
        """Do nothing: there is no connection."""

    def unsubscribe(self, callback: Any) -> None:
        """Do nothing: there is no connection."""

    def close(self) -> None:
        """Do nothing: there is no connection."""
