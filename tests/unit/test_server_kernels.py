"""Which page may begin: by the memory, and by the pages of the same visitor."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from jupyter_client.provisioning.factory import KernelProvisionerFactory

from llm_widgets.domain import page_memory
from llm_widgets.server import memory
from llm_widgets.server.forking import PROVISIONER, ForkedProvisioner
from llm_widgets.server.kernels import (
    ARRIVE_WITHIN,
    AbandonedKernelManager,
    Arrival,
    FullError,
    OwnKernelSpecManager,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path


class Kernels(AbandonedKernelManager):
    """Has no kernels; its clock is set."""

    clock: float

    def now(self) -> float:
        return self.clock

    async def shutdown_kernel(  # type: ignore[override] # its own is declared as if it waited
        self, kernel_id: str, *_: Any, **__: Any
    ) -> None:
        self.remove_kernel(kernel_id)


def with_kernels(use: Callable[[Kernels], Awaitable[None]], **options: Any) -> None:
    async def run() -> None:
        kernels = Kernels(**options)
        kernels.clock = 0.0
        await use(kernels)

    asyncio.run(run())


async def arrive(kernels: Kernels, visitor: str, kernel_id: str) -> Arrival:
    """Let a page be made and sent."""
    arrival = await kernels.admit(visitor, lambda: False)
    assert arrival
    kernels._kernels[kernel_id] = object()
    kernels.claim(arrival, kernel_id)
    await kernels.sent(arrival)
    return arrival


def test_pages_on_their_way_count_for_the_memory() -> None:
    async def use(kernels: Kernels) -> None:
        first = await kernels.admit("a", lambda: False)
        await arrive(kernels, "b", "k2")
        with pytest.raises(FullError):
            await kernels.admit("c", lambda: False)
        assert first
        await kernels.leave(first)
        assert await kernels.admit("c", lambda: False)

    with_kernels(use, most_kernels=2)


def test_third_page_of_a_visitor_waits_for_a_browser() -> None:
    async def use(kernels: Kernels) -> None:
        await arrive(kernels, "a", "k1")
        await arrive(kernels, "a", "k2")
        third = asyncio.create_task(kernels.admit("a", lambda: False))
        assert await kernels.admit("b", lambda: False)  # not for others
        assert not third.done()
        kernels._kernel_connections["k1"] = 0
        kernels.notify_connect("k1")
        assert await third
        assert kernels.is_of("k1", "a")
        assert kernels.is_of("k2", "a")

    with_kernels(use, most_kernels=9)


def test_oldest_page_gives_way_when_it_is_late() -> None:
    async def use(kernels: Kernels) -> None:
        await arrive(kernels, "a", "k1")
        kernels.clock = 1.0
        await arrive(kernels, "a", "k2")
        kernels.clock = ARRIVE_WITHIN
        assert await kernels.admit("a", lambda: False)
        assert not kernels.is_there("k1")
        assert kernels.is_there("k2")

    with_kernels(use, most_kernels=9)


@pytest.mark.parametrize("is_joined", [False, True])
def test_kernel_that_makes_a_page_ends_after_that(*, is_joined: bool) -> None:
    async def use(kernels: Kernels) -> None:
        arrival = await kernels.admit("a", lambda: False)
        assert arrival
        kernels._kernels["k1"] = object()
        kernels.claim(arrival, "k1")
        if is_joined:
            kernels._kernel_connections["k1"] = 0
            kernels.notify_connect("k1")
        await kernels.end_kernel("k1")
        assert kernels.is_there("k1")
        with pytest.raises(FullError):
            await kernels.admit("b", lambda: False)
        await kernels.sent(arrival)
        assert not kernels.is_there("k1")
        assert await kernels.admit("b", lambda: False)

    with_kernels(use, most_kernels=1)


def test_who_joins_before_the_page_is_sent_does_not_count_as_coming() -> None:
    async def use(kernels: Kernels) -> None:
        for number in range(9):
            arrival = await kernels.admit("a", lambda: False)
            assert arrival
            kernel_id = f"k{number}"
            kernels._kernels[kernel_id] = object()
            kernels.claim(arrival, kernel_id)
            kernels._kernel_connections[kernel_id] = 0
            kernels.notify_connect(kernel_id)
            await kernels.sent(arrival)
            await kernels.end_kernel(kernel_id)

    with_kernels(use, most_kernels=3)


def test_who_has_gone_does_not_wait() -> None:
    async def use(kernels: Kernels) -> None:
        gone = False
        await arrive(kernels, "a", "k1")
        await arrive(kernels, "a", "k2")
        third = asyncio.create_task(kernels.admit("a", lambda: gone))
        await asyncio.sleep(0)
        assert not third.done()
        gone = True
        kernels.wake()
        assert await third is None
        assert await kernels.admit("b", lambda: True) is None

    with_kernels(use, most_kernels=9)


@pytest.mark.parametrize(
    ("files", "limit"),
    [
        ({}, None),
        ({"memory.max": "max\n"}, None),
        ({"memory.max": "1073741824\n"}, 1 << 30),
        ({"memory/memory.limit_in_bytes": "9223372036854771712\n"}, None),
        ({"memory/memory.limit_in_bytes": "536870912\n"}, 512 << 20),
        ({"a/memory.max": "max", "a/b/memory.max": "268435456"}, 256 << 20),
        ({"a/memory.max": "134217728", "a/b/memory.max": "268435456"}, 128 << 20),
        ({"memory.max": "", "a/memory.max": "x"}, None),
        ({"memory/c/memory.limit_in_bytes": "268435456\n"}, 256 << 20),
        ({"cpu/x/memory.limit_in_bytes": "268435456\n"}, None),
    ],
)
def test_memory_is_the_containers(tmp_path: Path, files: dict[str, str], limit: int | None) -> None:
    machine = memory.memory_bytes(tmp_path / "none", tmp_path / "none")
    own = tmp_path / "cgroup"
    own.write_text("12:cpu:/x\n4:hugetlb,memory:/c/d\n0::/a/b\n?\n")
    for name, value in files.items():
        path = tmp_path / "groups" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value)
    assert memory.memory_bytes(tmp_path / "groups", own) == (limit or machine)


@pytest.mark.parametrize(("memory_of", "most"), [(2 << 30, 24), (512 << 20, 2), (64 << 20, 1)])
def test_kernels_for_a_memory(memory_of: int, most: int) -> None:
    assert page_memory.most_kernels(memory_of) == most


def test_fewer_kernels_fit_where_none_is_forked() -> None:
    assert page_memory.most_kernels(2 << 30, page_memory.SPAWNED_KERNEL_BYTES) == 14


def test_kernels_are_forked_where_the_package_is_not_installed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # As in the container: there are no entry points of this package.
    known = KernelProvisionerFactory().provisioners
    others = {name: each for name, each in known.items() if name != PROVISIONER}
    monkeypatch.setattr(KernelProvisionerFactory, "provisioners", others)
    monkeypatch.setattr(KernelProvisionerFactory, "_get_all_provisioners", list)
    spec = OwnKernelSpecManager().get_kernel_spec("python3")
    factory = KernelProvisionerFactory()
    assert factory.is_provisioner_available(spec)
    assert factory.provisioners[PROVISIONER].load() is ForkedProvisioner


def test_who_stops_waiting_for_a_kernel_leaves_it_to_its_end() -> None:
    async def use(kernels: Kernels) -> None:
        changing = asyncio.get_running_loop().create_future()
        kernels._pending_kernels["k1"] = changing
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(kernels.settle(), 0.01)
        assert not changing.cancelled()
        changing.set_result(None)
        await kernels.settle()

    with_kernels(use)
