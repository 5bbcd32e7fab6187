"""Google's packages and HTTP clients, imported when first used: together they take seconds.

Write ``lazy.run_v2.Service(…)``. ``from lazy import run_v2`` would import it at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType

    import httpx2
    import requests
    from google import auth
    from google.api_core import exceptions as api_exceptions
    from google.api_core import retry as api_retry
    from google.auth import (
        compute_engine,
        external_account,
        external_account_authorized_user,
        identity_pool,
        impersonated_credentials,
        jwt,
    )
    from google.auth import exceptions as auth_exceptions
    from google.auth.transport import requests as auth_requests
    from google.cloud import (  # type: ignore[attr-defined] # storage has no type information
        billing_v1,
        cloudquotas_v1,
        resourcemanager_v3,
        run_v2,
        scheduler_v1,
        secretmanager_v1,
        service_usage_v1,
        storage,
        vpcaccess_v1,
    )
    from google.iam.v1 import policy_pb2
    from google.oauth2 import credentials as user_credentials
    from google.oauth2 import service_account
    from google.protobuf import json_format
    from google.protobuf import message as protobuf_message
    from google.rpc import error_details_pb2 as error_details

    from llm_widgets.exchanges import limits, streams

__all__ = [
    "api_exceptions",
    "api_retry",
    "auth",
    "auth_exceptions",
    "auth_requests",
    "billing_v1",
    "cloudquotas_v1",
    "compute_engine",
    "error_details",
    "external_account",
    "external_account_authorized_user",
    "httpx2",
    "identity_pool",
    "impersonated_credentials",
    "json_format",
    "jwt",
    "limits",
    "policy_pb2",
    "protobuf_message",
    "requests",
    "resourcemanager_v3",
    "run_v2",
    "scheduler_v1",
    "secretmanager_v1",
    "service_account",
    "service_usage_v1",
    "storage",
    "streams",
    "user_credentials",
    "vpcaccess_v1",
]

_HOMES = {
    "api_exceptions": "google.api_core.exceptions",
    "api_retry": "google.api_core.retry",
    "auth": "google.auth",
    "auth_exceptions": "google.auth.exceptions",
    "auth_requests": "google.auth.transport.requests",
    "compute_engine": "google.auth.compute_engine",
    "error_details": "google.rpc.error_details_pb2",
    "external_account": "google.auth.external_account",
    "external_account_authorized_user": "google.auth.external_account_authorized_user",
    "httpx2": "httpx2",
    "identity_pool": "google.auth.identity_pool",
    "impersonated_credentials": "google.auth.impersonated_credentials",
    "json_format": "google.protobuf.json_format",
    "jwt": "google.auth.jwt",
    "limits": "llm_widgets.exchanges.limits",
    "policy_pb2": "google.iam.v1.policy_pb2",
    "protobuf_message": "google.protobuf.message",
    "requests": "requests",
    "service_account": "google.oauth2.service_account",
    "streams": "llm_widgets.exchanges.streams",
    "user_credentials": "google.oauth2.credentials",
}
"""Where the names are that do not lie in ``google.cloud`` under their own name."""


def __getattr__(name: str) -> ModuleType:
    """Import a package of ``__all__``, once."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(_HOMES.get(name, f"google.cloud.{name}"))
    globals()[name] = module
    return module
