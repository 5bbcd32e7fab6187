"""Starts the web server that shows a notebook as a page, and stops it cleanly."""

from __future__ import annotations

import errno
import logging
import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tornado.netutil import bind_sockets
from traitlets.config import Config

from llm_widgets.domain.networks import LARGEST_PORT
from llm_widgets.errors import Fix, ManagerError
from llm_widgets.server import noise
from llm_widgets.server.app import ANY_HOST, Server
from llm_widgets.server.audience import SERVICE_VARIABLE, own_audience
from llm_widgets.server.iap import IapIdentityProvider
from llm_widgets.server.kernels import (
    ABANDON_AFTER,
    LOOK_EVERY,
    UNREACHED_AFTER,
    AbandonedKernelManager,
    OwnKernelSpecManager,
    prepared_process,
)
from llm_widgets.server.visitors import BrowserIdentityProvider, new_token

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Sequence

SHARE = Path(__file__).parent / "share" / "jupyter"
TEMPLATE = "llm_widgets"
LATEST_OUTPUT_SECONDS = 60
# A new warm kernel must not start while the page is still loading; one that is forked takes half a
# second of a processor, another one more than two.
FILL_DELAY_SECONDS = 5.0
FILL_DELAY_FORKED_SECONDS = 1.0
# Addresses of local sockets are at most 104 bytes; Voilà and Jupyter add 70 to the folder's name.
LONGEST_SOCKET_FOLDER = 32
SIGNING_KEY_BYTES = 32
# A segment of a path (RFC 3986, section 3.3), without what separates the parts of a cookie.
_SEGMENT = re.compile(r"[A-Za-z0-9._~@%-]+")
ERROR_TEXT = "The page could not be started. The reason is in the server's log."


def launch(
    notebook: Path,
    *,
    host: str = "127.0.0.1",
    port: int | None = None,
    warm_kernels: int = 1,
    abandon_after: float = ABANDON_AFTER,
    unreached_after: float = UNREACHED_AFTER,
    look_every: int = LOOK_EVERY,
    most_kernels: int = 0,
    token: str | None = None,
    iap_audience: str = "",
    iap_certs_url: str = "",
    without_iap: bool = False,
    allowed_hosts: Sequence[str] = (),
    base_url: str = "/",
    on_ready: Callable[[str], object] = lambda _url: None,
) -> None:
    """Serve a notebook as a page until SIGINT or SIGTERM; no kernel outlives the call.

    Nothing is printed; messages go to the logger ``llm_widgets.server``. The kernels run with
    this process's Python and environment. Must be called from the main thread.

    Parameters
    ----------
    notebook
        The notebook. Nothing beside it is served.
    host
        Address to listen at. At a loopback address only requests for a local host name are
        answered.
    port
        Port to listen at; 0 for any free one. Without it ``$PORT``, else 8866.
    warm_kernels
        How many kernels have run the notebook before their visitor comes; 0 for none.
    abandon_after
        Seconds after which a kernel without a browser goes.
    unreached_after
        Seconds after which a kernel goes that no browser ever reached.
    look_every
        Seconds between two looks for such kernels.
    most_kernels
        How many kernels there are at most; 0 for as many as the memory has room for.
    token
        Text that a browser must show once, in the page's address. A random one without it; none
        is asked for if it is empty, or if Identity-Aware Proxy says who visits.
    iap_audience
        Audience of Identity-Aware Proxy; when given, only its visitors are let in. On Cloud Run
        it is found out when it is not given.
    iap_certs_url
        Where its public keys are, if not at Google.
    without_iap
        Whether everybody is let in on Cloud Run: something else keeps strangers out.
    allowed_hosts
        Further names under which a loopback address may be reached; ``*`` for all, where a
        token is asked for: a page that another site's name leads to can't show it.
    base_url
        Path below which all of the page is, as a proxy in front of it sends it.
    on_ready
        Called once with the page's URL as soon as the server answers.

    Raises
    ------
    ManagerError
        If the notebook does not exist, the port or the path can't be used, or nobody could be kept
        out on Cloud Run.
    """
    notebook = notebook.resolve()
    if not notebook.is_file():
        raise ManagerError(f"There is no notebook at {notebook}.")
    base_url = _checked_base_url(base_url)
    on_cloud_run = bool(os.environ.get(SERVICE_VARIABLE))
    if not iap_audience and not without_iap:
        iap_audience = own_audience()
    if token is None:
        token = "" if iap_audience or on_cloud_run else new_token()
    if ANY_HOST in allowed_hosts and not (token or iap_audience):
        raise ManagerError(
            "Without a token, other sites could lead here by a name of their own.",
            fix=Fix(text="Name the proxy's host with --allow-host, or leave out --no-token."),
        )
    sockets = _listen(host, _chosen_port(port))
    noise.keep_out()
    prepared = prepared_process()
    try:
        with _jupyter_path(SHARE):
            app = Server(
                sockets=sockets,
                on_ready=on_ready,
                allowed_hosts=list(allowed_hosts),
                page_token="" if iap_audience else token,
                prepared=prepared,
                log=logging.getLogger("llm_widgets.server"),
                config=_config(
                    notebook=notebook,
                    host=host,
                    port=sockets[0].getsockname()[1],
                    base_url=base_url,
                    warm_kernels=warm_kernels,
                    abandon_after=abandon_after,
                    unreached_after=unreached_after,
                    look_every=look_every,
                    most_kernels=most_kernels,
                    token=token,
                    iap_audience=iap_audience,
                    iap_certs_url=iap_certs_url,
                    fill_delay=FILL_DELAY_FORKED_SECONDS if prepared else FILL_DELAY_SECONDS,
                ),
            )
            app.initialize([])
            app.start()
    finally:
        for each in sockets:
            each.close()
        if prepared:
            prepared.end()


def _chosen_port(port: int | None) -> int:
    if port is None:
        given = os.environ.get("PORT", "") or "8866"
        if not (given.isascii() and given.isdigit()):
            raise ManagerError(f"PORT is not a number: {given!r}.")
        port = int(given)
    if not 0 <= port <= LARGEST_PORT:  # the resolver would take the rest of a division by 65536
        raise ManagerError(f"Port {port} does not exist: ports end at {LARGEST_PORT}.")
    return port


def _checked_base_url(given: str) -> str:
    """Return a path with a slash at both ends; it stands in addresses and in cookies."""
    segments = given.removesuffix("/").split("/")[1:]
    usable = given.startswith("/") and all(
        _SEGMENT.fullmatch(each) and each not in {".", ".."} for each in segments
    )
    if not usable:
        raise ManagerError(
            f"The page can't be below the path {given!r}.",
            fix=Fix(text="Give a path of letters, digits and -._~@%, as --base-url /llm-manager/."),
        )
    return "".join(f"/{each}" for each in segments) + "/"


def _listen(host: str, port: int) -> list[socket.socket]:
    """Open the port, before anything costly is started."""
    try:
        return bind_sockets(port, host)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise ManagerError(
                f"Port {port} is already in use.",
                fix=Fix(text="Stop the program that uses the port, or choose another with --port."),
            ) from None
        if error.errno == errno.EACCES:
            raise ManagerError(
                f"Port {port} can't be used.", fix=Fix(text="Choose a port above 1023.")
            ) from None
        raise ManagerError(f"Can't listen at {host}:{port}.", cause=str(error)) from None


class _jupyter_path:  # noqa: N801 - used as a function in a with statement
    """Let Jupyter find our template, wherever this package stands."""

    def __init__(self, folder: Path) -> None:
        self._before = os.environ.get("JUPYTER_PATH")
        parts = [str(folder), *([self._before] if self._before else [])]
        self._value = os.pathsep.join(parts)

    def __enter__(self) -> None:
        os.environ["JUPYTER_PATH"] = self._value

    def __exit__(self, *_: object) -> None:
        if self._before is None:
            del os.environ["JUPYTER_PATH"]
        else:
            os.environ["JUPYTER_PATH"] = self._before


def _config(
    *,
    notebook: Path,
    host: str,
    port: int,
    base_url: str,
    warm_kernels: int,
    abandon_after: float,
    unreached_after: float,
    look_every: int,
    most_kernels: int,
    token: str,
    iap_audience: str,
    iap_certs_url: str,
    fill_delay: float,
) -> Config:
    config = Config()
    config.Voila.update(
        notebook_path=str(notebook),
        ip=host,
        port=port,
        base_url=base_url,
        open_browser=False,
        config_file_paths=[],  # a person's own settings for Voilà are for other pages
    )
    config.VoilaConfiguration.update(
        template=TEMPLATE,
        theme="light",
        allow_template_override="NO",
        allow_theme_override="NO",
        strip_sources=True,
        show_tracebacks=False,
        file_allowlist=[],
        extension_allowlist=[],
        preheat_kernel=warm_kernels > 0,
        default_pool_size=warm_kernels,
        multi_kernel_manager_class=AbandonedKernelManager,
        kernel_spec_manager_class=OwnKernelSpecManager,
        # Without an entry here Voilà reads an unset option as a dictionary and fails.
        resources={"metadata": {"name": notebook.stem}},
    )
    config.VoilaExecutor.cell_error_instruction = ERROR_TEXT
    # What a cell shows comes later than its end; on a busy machine the page would stay empty.
    config.VoilaExecutor.iopub_timeout = LATEST_OUTPUT_SECONDS
    config.VoilaKernelManager.fill_delay = fill_delay
    config.AbandonedKernelManager.abandon_after = abandon_after
    config.AbandonedKernelManager.unreached_after = unreached_after
    config.AbandonedKernelManager.cull_interval = look_every
    if most_kernels:
        config.AbandonedKernelManager.most_kernels = most_kernels
    # No notebook is signed here: there is one, which is ours. Else a key and a database would be
    # written into the home folder, which need not be writable.
    config.NotebookNotary.db_file = ":memory:"
    config.NotebookNotary.secret = os.urandom(SIGNING_KEY_BYTES)
    # A kernel that dies is not replaced by an empty one; the page offers to reload instead.
    config.KernelManager.autorestart = False
    if len(tempfile.gettempdir()) <= LONGEST_SOCKET_FOLDER:
        config.KernelManager.transport = "ipc"  # else other users of the machine could listen in
    config.BrowserIdentityProvider.page_port = port
    config.AbandonedKernelManager.vouches = bool(iap_audience)
    if iap_audience:
        config.Voila.identity_provider_class = IapIdentityProvider
        config.IapIdentityProvider.audience = iap_audience
        if iap_certs_url:
            config.IapIdentityProvider.certs_url = iap_certs_url
    else:
        config.Voila.identity_provider_class = BrowserIdentityProvider
        config.BrowserIdentityProvider.page_token = token
    return config
