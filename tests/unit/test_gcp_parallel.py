from __future__ import annotations

import threading

import pytest

from llm_widgets.errors import DeniedError
from llm_widgets.gcp.client.parallel import THREADS, outcomes


def test_one_failure_spoils_no_other() -> None:
    def work(key: int) -> int:
        if key == 2:
            raise DeniedError("no")
        return key * 10

    found = outcomes(work, [1, 2, 3])
    assert [outcome.value for outcome in found] == [10, None, 30]
    assert isinstance(found[1].error, DeniedError)


def test_all_at_once() -> None:
    everybody = threading.Barrier(THREADS, timeout=10)
    assert len(outcomes(lambda _: everybody.wait(), range(THREADS))) == THREADS


def test_a_mistake_of_ours_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        outcomes(lambda key: 1 // key, [0])


def test_nothing_to_do() -> None:
    assert outcomes(lambda key: key, []) == []
