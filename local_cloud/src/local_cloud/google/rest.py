"""REST: turns HTTP requests into request messages by the HTTP rules, and messages into JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor
from werkzeug.wrappers import Response

from local_cloud.errors import OLDER_REASON, ApiError, Form, bad_request
from local_cloud.google.gapic import as_message, message_class, wrapped

if TYPE_CHECKING:
    from google.protobuf.descriptor import Descriptor
    from werkzeug.wrappers import Request

    from local_cloud.access import Access
    from local_cloud.google.gapic import Endpoints, HttpRule, Method

# Query parameters that every Google API takes and that are no fields of the request.
_SYSTEM_PARAMETERS = {
    "$.xgafv",
    "$alt",
    "access_token",
    "alt",
    "callback",
    "fields",
    "key",
    "oauth_token",
    "prettyPrint",
    "quotaUser",
    "uploadType",
    "upload_protocol",
}
# gcloud sends it with lists of Compute Engine, whose client package has no such field.
_UNKNOWN_TO_CLIENTS = {"returnPartialSuccess"}


class Rest:
    """The route that answers every registered method over HTTP.

    Parameters
    ----------
    endpoints
        The methods.
    access
        Tells who calls.

    """

    def __init__(self, endpoints: Endpoints, access: Access) -> None:
        self._endpoints = endpoints
        self._access = access

    def route(self, request: Request) -> Response | None:
        """Answer a request if a method has a rule for it."""
        verb = request.headers.get("X-HTTP-Method-Override", request.method)
        for rule, method in self._endpoints.by_rule:
            match = rule.pattern.fullmatch(request.path) if rule.verb == verb else None
            if match:
                values = dict(zip(rule.fields, match.groups(), strict=True))
                try:
                    caller = self._access.caller(request)
                    message = _request_message(request, rule, method, values)
                    return _answer(request, method.handler(message, caller))
                except ApiError as error:
                    return error_response(error, method.form)
        return None


def error_response(error: ApiError, form: Form = Form.NEW) -> Response:
    """Return a refusal as Google's APIs write it.

    Parameters
    ----------
    error
        The refusal.
    form
        Of the API that refuses.

    """
    body: dict[str, Any] = {"code": error.status, "message": error.message}
    if form is not Form.OLD or error.details:
        body["status"] = error.reason
    if form is not Form.NEW:
        reason = OLDER_REASON.get(error.reason, "backendError")
        body["errors"] = [{"message": error.message, "domain": "global", "reason": reason}]
    if error.details:
        body["details"] = error.details
    return _json({"error": body}, error.status)


def _answer(request: Request, answer: Any) -> Response:
    integers = "enum-encoding=int" in request.args.get("$alt", "")
    fields = json_format.MessageToDict(as_message(answer), use_integers_for_enums=integers)
    return _json(fields, 200)


def _json(body: dict[str, Any], status: int) -> Response:
    text = json.dumps(body, indent=2, ensure_ascii=False)
    return Response(text, status, content_type="application/json; charset=UTF-8")


def _request_message(
    request: Request, rule: HttpRule, method: Method, values: dict[str, str]
) -> Any:
    kind = message_class(method.request)
    fields: dict[str, Any] = {}
    if rule.body:
        body = _body(request)
        if rule.body == "*":
            fields = body
        else:
            fields[rule.body] = body
    for name in request.args:
        if name not in _SYSTEM_PARAMETERS | _UNKNOWN_TO_CLIENTS:
            _set(fields, name, _from_query(name, request.args.getlist(name), kind.DESCRIPTOR))
    for name, value in values.items():
        _set(fields, name, value)
    try:
        message = json_format.ParseDict(fields, kind())
    except json_format.ParseError as error:
        raise _invalid_payload(str(error)) from error
    return wrapped(method.request, message)


def _body(request: Request) -> dict[str, Any]:
    raw = request.get_data()
    try:
        body = json.loads(raw or b"{}")
    except ValueError as error:
        raise _invalid_payload(str(error)) from error
    if not isinstance(body, dict):
        raise _invalid_payload("The body must be an object.")
    return body


def _from_query(name: str, texts: list[str], descriptor: Descriptor) -> Any:
    """Return the JSON value of a query parameter, as its field's type wants it."""
    field: FieldDescriptor | None = None
    inside: Descriptor | None = descriptor
    for part in name.split("."):
        known = {} if inside is None else inside.fields_by_camelcase_name
        field = known.get(part) or (inside.fields_by_name.get(part) if inside else None)
        inside = field.message_type if field else None
    if field is None:
        raise ApiError(
            "INVALID_ARGUMENT",
            f'Invalid JSON payload received. Unknown name "{name}": Cannot bind query parameter. '
            f"Field '{name}' could not be found in request message.",
            [bad_request("", f'Unknown name "{name}"')],
        )
    wrapped_bool = inside is not None and inside.full_name == "google.protobuf.BoolValue"
    is_bool = field.type == FieldDescriptor.TYPE_BOOL or wrapped_bool
    found: list[Any] = [text.lower() == "true" for text in texts] if is_bool else list(texts)
    if field.type == FieldDescriptor.TYPE_ENUM:
        found = [int(text) if text.lstrip("-").isdigit() else text for text in texts]
    return found if field.is_repeated else found[-1]


def _set(fields: dict[str, Any], path: str, value: Any) -> None:
    *head, last = path.split(".")
    for part in head:
        fields = fields.setdefault(part, {})
    fields[last] = value


def _invalid_payload(reason: str) -> ApiError:
    return ApiError("INVALID_ARGUMENT", f"Invalid JSON payload received. {reason}")
