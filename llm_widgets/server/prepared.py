"""A process that has imported what its kernels need, and forks them from itself.

`PreparedProcess` starts it with three arguments: the numbers of its end of a pair of sockets and of
a file descriptor of the server's process, and the function that imports. For each request that
comes a kernel is forked, and its process id is sent back, with a file descriptor of the process. It
ends when the other end of the sockets is closed.
"""

from __future__ import annotations

import atexit
import errno
import gc
import logging
import os
import pkgutil
import select
import signal
import socket
import sys
import threading
from contextlib import suppress
from importlib import import_module

from ipykernel.kernelapp import IPKernelApp
from zmq import ZMQError

from llm_widgets.server.forking import FAILED, KernelRequest

# What a kernel imports by itself when it starts.
_MODULES = (
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.logger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "ipykernel.debugger",
    "ipykernel.heartbeat",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "psutil",
    "tornado.platform.asyncio",
    "tornado.queues",
)

# Nobody debugs a page's kernel: its debugger would take 17 MB of each (measured). Nobody asks for
# its history either, for which IPython opens a database in the person's home.
_WITHOUT = "debugpy"
# ipywidgets tells the kernel of itself when it is imported, and there was none yet.
_OPTIONS = (
    "--HistoryManager.enabled=False",
    "--InteractiveShellApp.extra_extensions=ipywidgets",
)

# ipykernel looks after no parent of this number. `_end_with` looks after the server instead: a
# kernel outlives the process that it was forked from.
_NO_PARENT = 1


# Told by ZeroMQ of a socket that has been closed.
_CLOSED = errno.ENOTSOCK


def main() -> None:
    """Import, then fork kernels; each of them returns from here when it is shut down."""
    atexit.register(_end_without_tidying, os.getpid())  # before all others: it is called last
    number, server, prepare = sys.argv[1:]
    channel = socket.socket(fileno=int(number))
    # A kernel copies each page of memory that it writes to: of what is here already when it frees
    # something, fills a gap, or looks for garbage (https://docs.python.org/3/library/gc.html).
    gc.disable()
    sys.modules[_WITHOUT] = None  # type: ignore[assignment] # as Python marks what can't be imported
    for name in _MODULES:
        import_module(name)
    pkgutil.resolve_name(prepare)()
    gc.freeze()
    request = None
    with suppress(ConnectionError):  # the server has gone
        request = _wait_for_kernel(channel)
    if request is not None:
        _run_kernel(request, int(server))


def _end_without_tidying(prepared: int) -> None:
    """End a kernel before Python frees all that it has imported.

    That would copy all the memory which kernels share, for each of those that end at the same time.
    Its threads have ended by now.

    Parameters
    ----------
    prepared
        The process that kernels are forked from, which ends as others do.
    """
    if os.getpid() != prepared:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _wait_for_kernel(channel: socket.socket) -> KernelRequest | None:
    """Fork a kernel for each line, and return in it what the line asks for.

    Return ``None`` in this process, when the channel ends.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the server watches them: nobody waits here
    lines = channel.makefile("rb")
    for line in lines:
        try:
            kernel = os.fork()
        except OSError:  # too many processes, too little memory
            channel.sendall(FAILED)
            continue
        if not kernel:
            os.setsid()
            lines.close()
            channel.close()
            return KernelRequest.from_line(line)
        _tell_of(kernel, channel)
    return None


def _tell_of(kernel: int, channel: socket.socket) -> None:
    """Send the server a kernel's process id, with a descriptor by which it can be watched."""
    try:
        process = os.pidfd_open(kernel)
    except OSError:  # it has ended already
        channel.sendall(FAILED)
        return
    socket.send_fds(channel, [b"%d\n" % kernel], [process])
    os.close(process)


def _run_kernel(request: KernelRequest, server: int) -> None:
    """Be a kernel until it is shut down, as ``ipykernel_launcher`` makes one."""
    gc.enable()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.environ.clear()
    os.environ.update(request.environment)
    os.chdir(request.folder)
    logging.getLogger("tornado.general").addFilter(_is_no_last_word)
    threading.Thread(target=_end_with, args=(server,), name="server-watch", daemon=True).start()
    kernel = IPKernelApp.instance(parent_handle=_NO_PARENT)
    kernel.initialize([*request.arguments, *_OPTIONS])  # type: ignore[no-untyped-call]
    kernel.start()  # type: ignore[no-untyped-call] # it has no types


def _is_no_last_word(record: logging.LogRecord) -> bool:
    """Return whether a record is more than that a kernel which is shut down can't say so any more.

    ipykernel tells that it is idle on a thread of its own, after the main thread may have closed
    the socket for it.
    """
    failure = record.exc_info[1] if record.exc_info else None
    return not (isinstance(failure, ZMQError) and failure.errno == _CLOSED)


def _end_with(server: int) -> None:
    """End this process as soon as the server's has ended, in whatever way."""
    select.select([server], [], [])
    os._exit(1)
