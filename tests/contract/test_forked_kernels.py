"""Kernels that are forked from a prepared process, used by Jupyter's own client."""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from llm_widgets.server.forking import ForkedKernel, ForkError, KernelRequest, PreparedProcess
from llm_widgets.server.kernels import (
    AbandonedKernelManager,
    OwnKernelSpecManager,
    prepared_process,
)
from local_cloud.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

PATIENCE = 120  # seconds

pytestmark = pytest.mark.skipif(
    not PreparedProcess.is_possible(), reason="processes of others can't be watched here"
)


@pytest.fixture
def prepared() -> Iterator[PreparedProcess]:
    process = prepared_process()
    assert process
    yield process
    process.end()


def with_kernels(
    folder: Path,
    prepared: PreparedProcess,
    use: Callable[[AbandonedKernelManager], Awaitable[None]],
) -> None:
    async def run() -> None:
        kernels = AbandonedKernelManager(
            kernel_spec_manager=OwnKernelSpecManager(), connection_dir=str(folder)
        )
        kernels.prepared = prepared
        try:
            await use(kernels)
        finally:
            await kernels.shutdown_all(now=True)

    asyncio.run(run())


@asynccontextmanager
async def kernel_of(kernels: AbandonedKernelManager, **options: Any) -> AsyncIterator[Any]:
    """Start a kernel, and let it be talked with."""
    kernel = kernels.get_kernel(await kernels.start_kernel(kernel_name="python3", **options))
    client: Any = kernel.client()
    client.start_channels()
    await client.wait_for_ready(timeout=PATIENCE)
    try:
        yield client
    finally:
        client.stop_channels()


async def value(client: Any, expression: str) -> str:
    """Return what an expression is in a kernel, as Python writes it."""
    reply = await client.execute_interactive(
        "", user_expressions={"it": expression}, timeout=PATIENCE
    )
    found = reply["content"]["user_expressions"]["it"]
    assert found["status"] == "ok", found
    text: str = found["data"]["text/plain"]
    return text


def process_of(prepared: PreparedProcess) -> psutil.Process:
    return psutil.Process(prepared._process.pid)


def test_a_kernel_is_as_it_is_asked_for(prepared: PreparedProcess, tmp_path: Path) -> None:
    async def use(kernels: AbandonedKernelManager) -> None:
        env = {**os.environ, "OF_THIS_KERNEL": "ö"}
        async with kernel_of(kernels, env=env, cwd=str(tmp_path)) as client:
            assert await value(client, "__import__('os').environ['OF_THIS_KERNEL']") == "'ö'"
            assert await value(client, "__import__('os').environ.get('JPY_PARENT_PID')") == "None"
            assert await value(client, "__import__('os').getcwd()") == repr(str(tmp_path))
            assert await value(client, "'' in __import__('sys').path") == "True"
            names = "('llm_widgets.page.shell', 'debugpy')"
            imported = f"[n for n in {names} if __import__('sys').modules.get(n)]"
            assert await value(client, imported) == "['llm_widgets.page.shell']"
            targets = await value(client, "sorted(get_ipython().kernel.comm_manager.targets)")
            assert targets == "['jupyter.widget', 'jupyter.widget.control']"
            pid = int(await value(client, "__import__('os').getpid()"))
            assert psutil.Process(pid).ppid() == process_of(prepared).pid

    with_kernels(tmp_path, prepared, use)


def test_kernels_have_chance_of_their_own(prepared: PreparedProcess, tmp_path: Path) -> None:
    async def use(kernels: AbandonedKernelManager) -> None:
        async with kernel_of(kernels) as one, kernel_of(kernels) as other:
            for drawn in ("__import__('random').random()", "__import__('uuid').uuid4()"):
                assert await value(one, drawn) != await value(other, drawn)

    with_kernels(tmp_path, prepared, use)


def test_a_kernel_that_ends_tells_of_no_socket_that_is_closed(
    prepared: PreparedProcess, tmp_path: Path
) -> None:
    told = (
        "bool(__import__('logging').getLogger('tornado.general').filter("
        "__import__('logging').makeLogRecord({'exc_info': (None, %s, None)})))"
    )

    async def use(kernels: AbandonedKernelManager) -> None:
        async with kernel_of(kernels) as client:
            closed = f"__import__('zmq').ZMQError({errno.ENOTSOCK})"
            assert await value(client, told % closed) == "False"
            assert await value(client, told % f"__import__('zmq').ZMQError({errno.EMFILE})") == (
                "True"
            )
            assert await value(client, told % "ValueError()") == "True"

    with_kernels(tmp_path, prepared, use)


def test_a_kernel_ends_with_its_work_done_and_nothing_freed(
    prepared: PreparedProcess, tmp_path: Path
) -> None:
    told = tmp_path / "told"
    code = f"""
        import atexit, threading
        def tell(what):
            with open({str(told)!r}, "a") as file:
                file.write(what)
        class Shared:
            def __del__(self, tell=tell):
                tell("freed ")
        threading.shared = Shared()
        def work():
            threading.main_thread().join()
            tell("worked ")
        threading.Thread(target=work).start()
        atexit.register(tell, "left ")
    """

    async def use(kernels: AbandonedKernelManager) -> None:
        async with kernel_of(kernels) as client:
            await client.execute_interactive(dedent(code), timeout=PATIENCE)
        (kernel,) = kernels.list_kernel_ids()
        await kernels.shutdown_kernel(kernel)  # type: ignore[no-untyped-call] # it has no types
        assert told.read_text() == "worked left "

    with_kernels(tmp_path, prepared, use)


def sockets_of(pid: int) -> set[str]:
    """Return the sockets that a process has open."""
    found = {str(each.readlink()) for each in Path(f"/proc/{pid}/fd").iterdir()}
    return {each for each in found if each.startswith("socket:")}


def test_visitors_share_what_was_imported_and_nothing_else(
    prepared: PreparedProcess, tmp_path: Path
) -> None:
    """What one kernel has read or opened is in no other; nothing was read before they parted."""

    async def use(kernels: AbandonedKernelManager) -> None:
        process = process_of(prepared)
        async with kernel_of(kernels) as one:
            channel = sockets_of(process.pid)
            assert len(channel) == 1
            settings = "__import__('llm_widgets.config').config.settings"
            clients = "__import__('llm_widgets.gcp.client.clients').gcp.client.clients.Clients"
            made = (
                f"[each for each in __import__('gc').get_referrers({clients})"
                f" if type(each) is {clients}]"
            )
            assert await value(one, f"{settings}.cache_info().currsize") == "0"
            assert await value(one, made) == "[]"
            assert await value(one, f"{settings}().project or 'none'") == "'of-one'"
            mark = "__import__('builtins').__dict__.setdefault('of_a_visitor', 1)"
            assert await value(one, mark) == "1"
            async with kernel_of(kernels) as other:
                assert await value(other, f"{settings}.cache_info().currsize") == "0"
                assert await value(other, "'of_a_visitor' in dir(__builtins__)") == "False"
                own, theirs = [
                    sockets_of(int(await value(each, "__import__('os').getpid()")))
                    for each in (other, one)
                ]
                assert own
                assert not own & channel  # what asks for kernels
                assert not own & theirs

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("LLM_WIDGETS_PROJECT", "of-one")
        with_kernels(tmp_path, prepared, use)


def test_nothing_runs_where_kernels_are_forked(prepared: PreparedProcess, tmp_path: Path) -> None:
    async def use(kernels: AbandonedKernelManager) -> None:
        async with kernel_of(kernels):
            process = process_of(prepared)
            assert process.num_threads() == 1
            assert process.net_connections(kind="inet") == []

    with_kernels(tmp_path, prepared, use)


def test_a_kernel_goes_on_without_the_process_that_forked_it(
    prepared: PreparedProcess, tmp_path: Path
) -> None:
    async def use(kernels: AbandonedKernelManager) -> None:
        async with kernel_of(kernels) as before:
            gone = process_of(prepared)
            gone.kill()
            async with kernel_of(kernels) as started, kernel_of(kernels) as forked:
                assert await value(before, "1 + 1") == "2"
                parents = [
                    psutil.Process(int(await value(each, "__import__('os').getpid()"))).ppid()
                    for each in (started, forked)
                ]
                assert parents == [os.getpid(), process_of(prepared).pid]
        assert not gone.is_running() or gone.status() == psutil.STATUS_ZOMBIE

    with_kernels(tmp_path, prepared, use)


def test_kernels_are_started_where_nothing_could_be_prepared(tmp_path: Path) -> None:
    prepared = PreparedProcess("llm_widgets.page.preparation:nothing_of_this_name")

    async def use(kernels: AbandonedKernelManager) -> None:
        async with kernel_of(kernels) as client:
            pid = int(await value(client, "__import__('os').getpid()"))
            assert psutil.Process(pid).ppid() == os.getpid()

    try:
        with_kernels(tmp_path, prepared, use)
        with pytest.raises(ForkError):  # it is not tried again and again
            prepared.fork(KernelRequest([], {}, str(tmp_path)))
    finally:
        prepared.end()


def test_a_kernel_that_has_ended_gets_no_signal(prepared: PreparedProcess, tmp_path: Path) -> None:
    kernel = prepared.fork(KernelRequest(["--no-such-option"], dict(os.environ), str(tmp_path)))
    kernel.send_signal(signal.SIGKILL)
    assert kernel.wait(PATIENCE) == kernel.poll() == 0
    kernel.terminate()
    assert isinstance(kernel, ForkedKernel)


_DIES = """
import os, signal, sys
from llm_widgets.server.forking import KernelRequest, PreparedProcess
folder = sys.argv[1]
prepared = PreparedProcess("os:getpid", {**os.environ, "PYTHONPATH": folder})
prepared._channel.sendall(KernelRequest([], dict(os.environ), folder).to_line())
os.kill(os.getpid(), signal.SIGKILL)
"""
# Python imports a module of this name before anything else.
_WAITS = "import os; open(os.path.join(os.path.dirname(__file__), 'go')).close()"
_MARK = "LLM_WIDGETS_TEST_DIES"


def marked(folder: Path) -> list[psutil.Process]:
    """Return the processes that a server of this test has left."""
    found = []
    for each in psutil.process_iter():
        with suppress(psutil.Error):
            if each.environ().get(_MARK) == str(folder):
                found.append(each)
    return found


def test_a_kernel_that_was_asked_for_ends_with_a_server_that_is_gone(tmp_path: Path) -> None:
    """The server dies before the process that forks kernels has begun."""
    (tmp_path / "sitecustomize.py").write_text(_WAITS, "utf-8")
    os.mkfifo(tmp_path / "go")
    environment = {**os.environ, _MARK: str(tmp_path)}
    dead = subprocess.run(
        [sys.executable, "-c", _DIES, str(tmp_path)], env=environment, check=False
    )
    assert dead.returncode == -signal.SIGKILL
    assert len(marked(tmp_path)) == 1
    (tmp_path / "go").open("w").close()  # it begins now
    until(lambda: not marked(tmp_path))
