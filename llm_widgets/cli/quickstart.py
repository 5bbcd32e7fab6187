"""The page on the embedded local cloud, in one command: what a newcomer runs."""

from __future__ import annotations

import os
import shlex
from contextlib import contextmanager
from typing import TYPE_CHECKING

from llm_widgets.cli.local_cloud import exports, local_cloud
from llm_widgets.config import settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_ENVIRONMENT = "environment"
"""File in the folder of the local cloud; a shell that reads it works on that cloud too."""


def run(
    *,
    data: Path,
    notebook: Path,
    host: str,
    port: int,
    offline: bool = False,
    slow: str | None = None,
    base_url: str = "/",
    allowed_hosts: Sequence[str] = (),
    token: str | None = None,
) -> int:
    """Start the local cloud and the page, and run until interrupted.

    Parameters
    ----------
    data
        Folder of everything that the local cloud keeps; made when it is not there.
    notebook
        The notebook that is the page.
    host, port
        Where the page is served.
    offline
        Whether models that the sample hub lacks are never asked for at the real hubs.
    slow
        See :func:`llm_widgets.cli.local_cloud.local_cloud`.
    base_url, allowed_hosts
        See :func:`llm_widgets.server.launcher.launch`.
    token
        Text that a browser must show once; a random one without it, none if it is empty.

    Raises
    ------
    ManagerError
        The local cloud is not installed, or the page did not start.
    """
    print("Starting the local cloud ...", flush=True)
    with local_cloud(data, offline=offline, slow=slow) as environment:
        from llm_widgets.server.launcher import launch  # noqa: PLC0415 - loads while the cloud starts

        variables = environment()
        os.environ.update(variables)
        chosen = settings()
        with _kept(data / _ENVIRONMENT, variables) as file:
            launch(
                notebook,
                host=host,
                port=port,
                base_url=base_url,
                allowed_hosts=allowed_hosts,
                token=chosen.page_token or None if token is None else token,
                most_kernels=chosen.most_kernels,
                iap_audience=chosen.iap_audience,
                without_iap=chosen.without_iap,
                on_ready=lambda url: print(_told(url, file), flush=True),
            )
    return 0


@contextmanager
def _kept(file: Path, variables: Mapping[str, str]) -> Iterator[Path]:
    """Keep the variables in a file while the block runs: later they would lead nowhere."""
    file.unlink(missing_ok=True)  # also a link, which may lead out of the folder
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as told:
        told.write(f"{exports(variables)}\n")
    try:
        yield file
    finally:
        file.unlink(missing_ok=True)


def _told(url: str, file: Path) -> str:
    return (
        f"\n  Open {url}\n\n"
        f"For commands in another terminal: . {shlex.quote(str(file))}\n"
        "Ctrl-C stops everything."
    )
