"""Kernels that are forked from a process which has imported what they need.

A forked kernel is there in a part of the time, and shares the memory of what was imported. Where
none can be forked, which is elsewhere than on Linux and when the process has ended, a kernel is
started as Jupyter does it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import asdict, dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_client.provisioning.factory import KernelProvisionerFactory
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jupyter_client.connect import KernelConnectionInfo

PROVISIONER = "llm-widgets-forked"
"""Name by which Jupyter knows `ForkedProvisioner`; see `register`."""

FAILED = b"0\n"
"""What is sent back in place of a process id where a kernel could not be forked."""

# Like ipykernel_launcher, it imports nothing from the folder where the server was started. (The
# option -P would keep the kernels from doing so too.)
_START = (
    "import sys; sys.path[:] = filter(None, sys.path); "
    "from llm_widgets.server import prepared; prepared.main()"
)
_LAUNCHER = "ipykernel_launcher"
_LONGEST_ANSWER = 32  # bytes: a process id and the end of its line
# By it a kernel of Jupyter's knows whom it ends with. One that is forked has its own way.
_PARENT_VARIABLE = "JPY_PARENT_PID"

_log = logging.getLogger(__name__)


class ForkError(Exception):
    """No kernel could be forked."""


@dataclass(frozen=True, slots=True)
class KernelRequest:
    """A kernel that is asked for.

    Attributes
    ----------
    arguments
        Those of ``ipykernel_launcher``.
    environment
        All variables of the kernel's environment.
    folder
        Where it runs.
    """

    arguments: list[str]
    environment: dict[str, str]
    folder: str

    def to_line(self) -> bytes:
        """Return it as it is sent."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_line(cls, line: bytes) -> KernelRequest:
        """Return what a line asks for."""
        return cls(**json.loads(line))


class ForkedKernel:
    """A kernel's process, which is not the server's child, with the face of `subprocess.Popen`.

    Attributes
    ----------
    pid
        Its process id, which is that of its group too.
    returncode
        ``None`` while it runs, then 0: how it ended is told to its parent only.
    """

    stdin = stdout = stderr = None

    def __init__(self, pid: int, process: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._process = process  # a file descriptor; readable once the process has ended

    def poll(self) -> int | None:
        """Return ``None`` while it runs."""
        return self._look(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended.

        Raises
        ------
        subprocess.TimeoutExpired
            It has not, in so many seconds.
        """
        found = self._look(timeout)
        if found is None:
            raise subprocess.TimeoutExpired(_LAUNCHER, timeout or 0.0)
        return found

    def _look(self, timeout: float | None) -> int | None:
        if self.returncode is None:
            waiting = select.poll()  # `select.select` knows the first 1,024 descriptors only
            waiting.register(self._process, select.POLLIN)
            if waiting.poll(None if timeout is None else timeout * 1000):
                os.close(self._process)
                self.returncode = 0
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send it a signal; none if it has ended."""
        if self.poll() is None:
            signal.pidfd_send_signal(self._process, number)

    def kill(self) -> None:
        """End it at once."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)


class PreparedProcess:
    """The process that kernels are forked from.

    Parameters
    ----------
    prepare
        The function that it calls first, to import: ``package.module:function``.
    environment
        The variables that it sees; each kernel gets others. Without it the server's own.
    """

    def __init__(self, prepare: str, environment: Mapping[str, str] | None = None) -> None:
        self._prepare = prepare
        self._environment = {**(os.environ if environment is None else environment)}
        self._environment.pop(_PARENT_VARIABLE, None)
        self._lock = threading.Lock()
        self._has_forked = False
        self._is_ended = False
        self._start()

    @staticmethod
    def is_possible() -> bool:
        """Return whether this system can watch processes that are not its children."""
        try:
            os.close(os.pidfd_open(os.getpid()))
        except (AttributeError, OSError):  # not Linux; a sandbox that lacks it
            return False
        return True

    def _start(self) -> None:
        self._channel, theirs = socket.socketpair()
        this = os.pidfd_open(os.getpid())
        try:
            numbers = theirs.fileno(), this
            self._process = subprocess.Popen(  # noqa: S603 - our own module, and no shell
                [sys.executable, "-c", _START, *map(str, numbers), self._prepare],
                stdin=subprocess.DEVNULL,
                env=self._environment,
                pass_fds=numbers,
                start_new_session=True,
            )
        finally:
            theirs.close()
            os.close(this)

    def fork(self, request: KernelRequest) -> ForkedKernel:
        """Fork a kernel; the first one waits until all is imported.

        Raises
        ------
        ForkError
            None could be forked. The process is started once more if it had worked before.
        """
        with self._lock:
            if self._is_ended:
                raise ForkError
            try:
                self._channel.sendall(request.to_line())
                answer, descriptors, _, _ = socket.recv_fds(self._channel, _LONGEST_ANSWER, 1)
            except OSError:
                answer, descriptors = b"", []
            if descriptors:
                self._has_forked = True
                return ForkedKernel(int(answer), descriptors[0])
            if not answer:
                self._start_again()
            raise ForkError

    def _start_again(self) -> None:
        self._channel.close()
        if self._is_ended:
            return
        code = self._process.wait()
        _log.warning("The process that kernels are forked from has ended with the code %s.", code)
        self._is_ended = not self._has_forked
        self._has_forked = False
        if not self._is_ended:
            self._start()

    def end(self) -> None:
        """End it. Its kernels go on until they are shut down, or this process has ended."""
        self._is_ended = True
        self._process.kill()
        self._process.wait()
        with self._lock:  # who waited for a kernel has been told by now
            self._channel.close()


def register() -> None:
    """Tell Jupyter of `ForkedProvisioner`.

    It looks for such classes among the entry points of what is installed. In a container this
    package is not installed: it lies on the path.
    """
    found = EntryPoint(
        PROVISIONER,
        f"{ForkedProvisioner.__module__}:{ForkedProvisioner.__qualname__}",
        KernelProvisionerFactory.GROUP_NAME,
    )
    KernelProvisionerFactory.provisioners[PROVISIONER] = found


class ForkedProvisioner(LocalProvisioner):
    """Starts a kernel by forking it, if its manager has a `PreparedProcess`."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Start the kernel, and return where it listens."""
        prepared: PreparedProcess | None = getattr(_manager_of(self), "prepared", None)
        if prepared is not None and _LAUNCHER in cmd:
            arguments = cmd[cmd.index(_LAUNCHER) + 1 :]
            self.cwd = kwargs.get("cwd") or Path.cwd()
            request = KernelRequest(arguments, dict(kwargs["env"]), str(self.cwd))
            try:
                forked = await asyncio.to_thread(prepared.fork, request)
            except ForkError:
                self.log.warning("A kernel could not be forked, and is started as Jupyter does it.")
            else:
                self.process = forked  # type: ignore[assignment] # has the face of one
                self.pid = self.pgid = forked.pid
                return self.connection_info
        return await super().launch_kernel(cmd, **kwargs)

    async def send_signal(self, signum: int) -> None:
        """Send the kernel's group a signal, unless it has ended: its number may be another's."""
        if self.process and self.process.poll() is None:
            await super().send_signal(signum)


def _manager_of(provisioner: LocalProvisioner) -> object:
    """Return the manager of all kernels; a provisioner's parent is that of its kernel."""
    return provisioner.parent.parent if provisioner.parent else None
