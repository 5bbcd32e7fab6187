"""Which page may begin: by the memory, and by the pages of the same visitor."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from llm_widgets.server import memory
from llm_widgets.server.kernels import (
    ARRIVE_WITHIN,
    AbandonedKernelManager,
    Arrival,
    FullError,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from pathlib import Path


class Kernels(AbandonedKernelManager):
    """Has no kernels; its clock is set."""

    clock: float

    def now(self) -> float:
        return self.clock

    async def shutdown_kernel(self, kernel_id: str, *_: Any, **__: Any) -> None:
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
    kernels.sent(arrival)
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
    ],
)
def test_memory_is_the_containers(tmp_path: Path, files: dict[str, str], limit: int | None) -> None:
    machine = memory.memory_bytes(tmp_path / "none", tmp_path / "none")
    own = tmp_path / "cgroup"
    own.write_text("12:cpu:/x\n0::/a/b\n")
    for name, value in files.items():
        path = tmp_path / "groups" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(value)
    assert memory.memory_bytes(tmp_path / "groups", own) == (limit or machine)


@pytest.mark.parametrize(("memory_of", "most"), [(2 << 30, 14), (512 << 20, 1), (64 << 20, 1)])
def test_kernels_for_a_memory(memory_of: int, most: int) -> None:
    assert memory.most_kernels(memory_of) == most
