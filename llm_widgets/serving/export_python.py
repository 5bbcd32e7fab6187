"""A service as Python that creates it with Google's client."""

from __future__ import annotations

from pprint import pformat
from typing import TYPE_CHECKING, Any

from llm_widgets.gcp.run import services

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAPS = ("labels", "annotations", "limits")
_CODE = """\
from google.cloud import run_v2

service = run_v2.Service(
{service}
)
client = run_v2.ServicesClient()
operation = client.create_service(
    parent={parent!r},
    service_id={name!r},
    service=service,
)
print(operation.result().uri)  # waits until the service is ready
"""


def python_code(document: Mapping[str, Any]) -> str:
    """Write the program; the service stands in it as a dictionary of the API's fields."""
    written = pformat(_fields(services.message(document)), width=96, sort_dicts=False)
    indented = "\n".join(f"    {line}" for line in written.splitlines())
    parent, _, name = str(document["name"]).partition("/services/")
    return _CODE.format(service=indented, parent=parent, name=name)


def _fields(message: Any) -> dict[str, Any]:
    """Return the fields of a message that are set, with the names that Google's client has."""
    found: dict[str, Any] = type(message).to_dict(
        message,
        use_integers_for_enums=False,
        always_print_fields_with_no_presence=False,
    )
    return _entries(found)


def _entries(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the entries of maps, which have no order, in one that stays."""
    return {
        name: dict(sorted(value.items())) if name in _MAPS else _sorted(value)
        for name, value in fields.items()
    }


def _sorted(value: Any) -> Any:
    if isinstance(value, list):
        return [_sorted(each) for each in value]
    return _entries(value) if isinstance(value, dict) else value
