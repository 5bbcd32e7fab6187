"""Service Usage v1beta1: the accounts by which Google's own services act in a project.

The client package has no such method; source: Service Usage API v1beta1 reference,
services.generateServiceIdentity.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.cloud import service_usage_v1
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from local_cloud.access import SERVICE_AGENT
from local_cloud.errors import ApiError
from local_cloud.google.gapic import HttpRule, Method
from local_cloud.issuer import numeric_id

if TYPE_CHECKING:
    from google.longrunning import operations_pb2

    from local_cloud.access import Access
    from local_cloud.google.operations import Operations
    from local_cloud.issuer import Caller
    from local_cloud.store import Store

# Source: https://docs.cloud.google.com/iam/docs/service-agents, December 2026.
_DOMAINS = {"iap.googleapis.com": "gcp-sa-iap.iam.gserviceaccount.com"}

NAME = "GenerateServiceIdentity"


def generate_service_identity(store: Store, access: Access, operations: Operations) -> Method:
    """Return the method that makes the account of a service, if it is not there yet.

    Parameters
    ----------
    store
        Holds the accounts (kind ``service_agent``, by address).
    access
        Knows projects by number, and how long a new account is unknown.
    operations
        Hold the answers.

    """
    identity = _identity_message()

    def answer(request: Any, caller: Caller) -> operations_pb2.Operation:  # noqa: ARG001 - a handler
        _, project, _, api = access.canonical(request.name).split("/")
        record = store.get("project", project)
        domain = _DOMAINS.get(api)
        if record is None or domain is None:
            raise ApiError("INVALID_ARGUMENT", f"{api} has no service identity.")
        email = f"service-{record['number']}@{domain}"
        if store.get(SERVICE_AGENT, email) is None:
            made = {"project": project, "known_from": access.spreading.known_from()}
            store.put(SERVICE_AGENT, email, made)
        found = identity(email=email, unique_id=numeric_id(email))
        return operations.finished(found, service_usage_v1.OperationMetadata())

    path = "/v1beta1/{name=projects/*/services/*}:generateServiceIdentity"
    rule = HttpRule("POST", path, "*")
    return Method(NAME, "", service_usage_v1.GetServiceRequest, (rule,), answer)


def _identity_message() -> Any:
    """Return the class of the message that the client package lacks."""
    field = descriptor_pb2.FieldDescriptorProto
    package = "google.api.serviceusage.v1beta1"
    file = descriptor_pb2.FileDescriptorProto(
        name="google/api/serviceusage/v1beta1/identity.proto", package=package, syntax="proto3"
    )
    message = file.message_type.add(name="ServiceIdentity")
    for number, name in enumerate(("email", "unique_id"), 1):
        message.field.add(
            name=name, number=number, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL
        )
    pool = descriptor_pool.Default()
    pool.Add(file)
    found = pool.FindMessageTypeByName(f"{package}.ServiceIdentity")
    return message_factory.GetMessageClass(found)
