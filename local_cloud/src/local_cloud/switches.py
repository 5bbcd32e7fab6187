"""The switches for faults over HTTP: for who may read the data folder, and for nobody else."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from local_cloud.web import google_error, is_own, json_response

if TYPE_CHECKING:
    from pathlib import Path

    from werkzeug import Request, Response

    from local_cloud.faults import Faults

PATH = "/_local/faults"


class Switches:
    """Serves ``/_local/faults``.

    ``GET`` shows all switches, ``PUT`` replaces all and releases what is held, ``PATCH`` replaces
    those it names, ``POST`` releases what is held, ``DELETE`` puts everything right. The body is a
    JSON object with the fields that `Faults` lists.

    Whoever may use this machine reaches the port. Only its owner reads the data folder: a header
    field with a token lies there, made anew at each start, as ``curl -H @FILE`` takes it.

    Parameters
    ----------
    file
        Where the header field is written.
    """

    def __init__(self, faults: Faults, file: Path) -> None:
        self._faults = faults
        self._field = f"Bearer {secrets.token_urlsafe(32)}"
        file.unlink(missing_ok=True)
        file.touch(mode=0o600)
        file.write_text(f"Authorization: {self._field}\n", encoding="utf-8")

    def route(self, request: Request) -> Response | None:
        """Answer what is asked of the switches; ``None`` for anything else."""
        if request.path != PATH:
            return None
        if not is_own(request):
            return google_error(
                403, "PERMISSION_DENIED", "The switches are not for web pages of others."
            )
        given = request.headers.get("Authorization", "")
        if not secrets.compare_digest(given.encode(), self._field.encode()):
            return google_error(
                401,
                "UNAUTHENTICATED",
                "The switches are for the owner of the data folder: send the header field of its "
                "file switches.header, as curl -H @FILE does.",
            )
        return self._answer(request)

    def _answer(self, request: Request) -> Response:
        if request.method == "DELETE":
            self._faults.reset()
        elif request.method == "POST":
            self._faults.release()
        elif request.method in {"PUT", "PATCH"}:
            changes = request.get_json(force=True, silent=True)
            if not isinstance(changes, dict):
                return google_error(400, "INVALID_ARGUMENT", "The body must be a JSON object.")
            change = self._faults.replace if request.method == "PUT" else self._faults.update
            try:
                change(**changes)
            except ValueError as error:
                return google_error(400, "INVALID_ARGUMENT", str(error))
        elif request.method != "GET":
            return google_error(405, "UNIMPLEMENTED", "Use GET, PUT, PATCH, POST or DELETE.")
        return json_response(self._faults.settings())
