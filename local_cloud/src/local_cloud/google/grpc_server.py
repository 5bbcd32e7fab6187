"""gRPC: the same methods, for clients that speak it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, NoReturn

import grpc
from google.protobuf import any_pb2, json_format

# Imported for its messages: details of an error are looked up by their name.
from google.rpc import error_details_pb2, status_pb2  # noqa: F401 - see above
from grpc_status import rpc_status

from local_cloud.database import is_disk_full
from local_cloud.errors import ApiError, LocalCloudError, disk_full
from local_cloud.google.gapic import as_message, message_class, wrapped
from local_cloud.printing import report

if TYPE_CHECKING:
    from local_cloud.access import Access
    from local_cloud.google.gapic import Endpoints, Method

THREADS = 16


class GrpcServer:
    """Serves every registered method that has a gRPC path.

    Parameters
    ----------
    endpoints
        The methods.
    access
        Tells who calls, from the ``authorization`` metadata.
    host
        Address to listen on.
    port
        0 takes a free one.

    Raises
    ------
    LocalCloudError
        The port is in use.

    """

    def __init__(
        self, endpoints: Endpoints, access: Access, host: str = "127.0.0.1", port: int = 0
    ) -> None:
        self._server = grpc.server(
            ThreadPoolExecutor(THREADS, thread_name_prefix="grpc"),
            handlers=[_Handler(endpoints, access)],
            options=[("grpc.so_reuseport", 0)],
        )
        self._host = host
        try:
            self.port = self._server.add_insecure_port(f"{host}:{port}")
        except RuntimeError as error:
            raise LocalCloudError(
                f"Port {port} for gRPC is in use.",
                "Stop the program that uses it, or choose another port.",
            ) from error

    @property
    def url(self) -> str:
        """Its address."""
        return f"grpc://{self._host}:{self.port}"

    def start(self) -> None:
        """Serve in the background."""
        self._server.start()

    def stop(self) -> None:
        """End; calls under way get two seconds."""
        self._server.stop(grace=2).wait()


class _Handler(grpc.GenericRpcHandler):
    def __init__(self, endpoints: Endpoints, access: Access) -> None:
        self._endpoints = endpoints
        self._access = access

    def service(self, handler_call_details: Any) -> grpc.RpcMethodHandler[Any, bytes] | None:
        """Return what answers a call, or None."""
        method = self._endpoints.by_grpc_path.get(handler_call_details.method)
        if method is None:
            return None
        metadata = dict(handler_call_details.invocation_metadata)
        # What a header says over HTTP.
        who = metadata.get("authorization", ""), metadata.get("x-goog-user-project", "")

        def answer(request: Any, context: grpc.ServicerContext) -> bytes:
            return self._answer(method, who, request, context)

        return grpc.unary_unary_rpc_method_handler(
            answer,
            request_deserializer=message_class(method.request).FromString,
            response_serializer=lambda raw: raw,
        )

    def _answer(
        self, method: Method, who: tuple[str, str], request: Any, context: grpc.ServicerContext
    ) -> bytes:
        try:
            caller = self._access.caller_of(*who)
            answer = method.handler(wrapped(method.request, request), caller)
        except ApiError as error:
            _abort(context, error)
        except Exception as error:  # noqa: BLE001 - the client learns of it in no other way
            if is_disk_full(error):
                _abort(context, disk_full())
            report(error)
            _abort(context, ApiError("INTERNAL", "Internal error encountered."))
        written: bytes = as_message(answer).SerializeToString()
        return written


def _abort(context: grpc.ServicerContext, error: ApiError) -> NoReturn:
    details = [json_format.ParseDict(detail, any_pb2.Any()) for detail in error.details]
    status = status_pb2.Status(code=error.code, message=error.message, details=details)
    context.abort_with_status(rpc_status.to_status(status))
    raise AssertionError("abort_with_status always raises")
