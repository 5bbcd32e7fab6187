"""The log book."""

from __future__ import annotations

import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from local_cloud.logs import Bounds, LogBook, nanoseconds

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def log(tmp_path: Path) -> Iterator[LogBook]:
    book = LogBook(tmp_path / "logs.db")
    yield book
    book.close()


def entry(number: int, service: str = "chat", project: str = "p") -> dict[str, Any]:
    return {
        "logName": f"projects/{project}/logs/x",
        "timestamp": f"2026-11-23T08:{number // 60:02}:{number % 60:02}Z",
        "textPayload": str(number),
        "resource": {"type": "cloud_run_revision", "labels": {"service_name": service}},
    }


def numbers(found: list[dict[str, Any]]) -> list[int]:
    return [int(item["textPayload"]) for item in found]


def test_entries_are_visible_at_once_and_complete(log: LogBook) -> None:
    log.append([{"logName": "projects/p/logs/x", "textPayload": "a"}])
    found, token = log.query(["p"])
    assert found[0]["textPayload"] == "a"
    assert found[0]["timestamp"] == found[0]["receiveTimestamp"]
    assert found[0]["insertId"]
    assert token == ""


@pytest.mark.parametrize("newest_first", [False, True])
def test_pages_go_on_where_the_last_one_ended(log: LogBook, *, newest_first: bool) -> None:
    log.append(entry(number) for number in range(1200))
    log.append([entry(600)])  # the same time twice
    seen: list[int] = []
    token = ""
    while True:
        found, token = log.query(
            ["p"],
            newest_first=newest_first,
            limit=99,
            page_token=token,
            matches=lambda item: int(item["textPayload"]) % 2 == 0,
        )
        seen += numbers(found)
        if not token:
            break
    expected = sorted([*range(0, 1200, 2), 600], reverse=newest_first)
    assert seen == expected


def test_a_page_that_takes_all_is_the_last(log: LogBook) -> None:
    log.append(entry(number) for number in range(3))
    assert log.query(["p"], limit=3)[1] == ""


def test_projects_and_subjects_and_times_are_told_apart(log: LogBook) -> None:
    log.append([entry(1), entry(2, "other"), entry(3, project="q"), entry(4)])
    assert numbers(log.query(["p"])[0]) == [1, 2, 4]
    assert numbers(log.query(["p", "q"])[0]) == [1, 2, 3, 4]
    assert numbers(log.query(["p"], bounds=Bounds("other"))[0]) == [2]
    since = nanoseconds("2026-11-23T08:00:02Z")
    assert numbers(log.query(["p"], bounds=Bounds(since=since))[0]) == [2, 4]
    assert numbers(log.query(["p"], bounds=Bounds(until=since))[0]) == [1, 2]


def test_the_oldest_give_way(tmp_path: Path) -> None:
    log = LogBook(tmp_path / "logs.db", limit=100)
    for start in range(0, 300, 10):
        log.append(entry(number) for number in range(start, start + 10))
        log.flush()
    found = numbers(log.query(["p"], limit=1000)[0])
    log.close()
    assert found[-1] == 299
    assert 100 <= len(found) <= 110


def test_entries_are_kept_when_it_is_opened_again(tmp_path: Path) -> None:
    log = LogBook(tmp_path / "logs.db")
    log.append([entry(1)])
    log.close()
    log.append([entry(2)])  # too late, and no harm done
    again = LogBook(tmp_path / "logs.db")
    assert numbers(again.query(["p"])[0]) == [1]
    again.close()


def test_many_threads_lose_nothing(log: LogBook) -> None:
    def write(thread: int) -> None:
        for number in range(100):
            log.append([entry(thread * 100 + number)])

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers(log.query(["p"], limit=1000)[0])) == list(range(800))


def test_logs_have_names_and_can_be_deleted(log: LogBook) -> None:
    log.append([entry(1), {**entry(2), "logName": "projects/p/logs/y"}])
    assert log.delete_log("p", "projects/p/logs/x") == 1
    assert numbers(log.query(["p"])[0]) == [2]


def test_a_token_of_nobody(log: LogBook) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        log.query(["p"], page_token="elsewhere")


def test_a_flood_takes_no_memory(tmp_path: Path) -> None:
    script = (
        "import resource, sys, threading; from pathlib import Path\n"
        "from local_cloud.logs import LogBook\n"
        "used = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10\n"
        "log, before = LogBook(Path(sys.argv[1]), size_limit=32 << 20), used()\n"
        "def write():\n"
        "    for _ in range(1000):\n"
        "        log.append([{'logName': 'projects/p/logs/x', 'textPayload': 'x' * 50_000}])\n"
        "threads = [threading.Thread(target=write) for _ in range(4)]\n"
        "[thread.start() for thread in threads]; [thread.join() for thread in threads]\n"
        "print(used() - before, len(log.query(['p'], limit=1000)[0]))\n"
        "log.close()\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "logs.db")]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    mebibytes, page = map(int, output.split())
    assert mebibytes < 100  # of 200 that were written
    assert page == 167  # as many as 8 MiB take
    assert sum(file.stat().st_size for file in tmp_path.iterdir()) < 64 << 20


def test_large_pages_are_cut_and_go_on(log: LogBook) -> None:
    log.append({**entry(number), "trace": "x" * 500_000} for number in range(40))
    seen: list[int] = []
    token = ""
    while True:
        found, token = log.query(["p"], limit=1000, page_token=token)
        assert 0 < len(found) < 20
        seen += numbers(found)
        if not token:
            break
    assert seen == list(range(40))


def test_the_oldest_give_way_when_the_file_grows(tmp_path: Path) -> None:
    log = LogBook(tmp_path / "logs.db", size_limit=1 << 20)
    for number in range(100):
        log.append([{**entry(number), "trace": "x" * 50_000}])
        log.flush()
    found = numbers(log.query(["p"], limit=1000)[0])
    log.close()
    assert found == list(range(found[0], 100))
    assert 5 < len(found) < 25


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"])
def test_an_entry_of_another_age_does_not_end_the_log(log: LogBook, moment: str) -> None:
    log.append([{**entry(1), "timestamp": moment}])
    log.append([entry(2)])
    assert sorted(numbers(log.query(["p"])[0])) == [1, 2]
    assert numbers(log.query(["p"], bounds=Bounds(until=10**30))[0])[-1:] != []


def test_entries_that_cannot_be_written_are_lost_and_the_next_ones_not(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    log = LogBook(tmp_path / "logs.db")
    log._database.execute("PRAGMA max_page_count=40")
    log.append({**entry(number), "trace": "x" * 100_000} for number in range(200))
    log._flush_or_drop()  # or wait for the thread that writes them already
    log.append([entry(7)])
    assert numbers(log.query(["p"])[0])[-1] == 7
    log.close()
    assert "Log entries were lost: [Errno 28] No space left" in capfd.readouterr().err
