"""The log of a service: followed, filtered by the server, read backwards."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from llm_widgets.checks.context import Context
from llm_widgets.errors import DeniedError
from llm_widgets.manager import projects
from llm_widgets.manager.log_pace import Pace
from llm_widgets.page.services.log_panel import LogPanel
from llm_widgets.page.services.log_search import PAGE, LogSearch
from llm_widgets.page.services.service_logs import LogTail
from local_cloud.testing.waiting import until
from tests.contract.logged import write
from tests.contract.product import PARENT, PROJECT, Product, running

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from llm_widgets.gcp.project.projects import Project
    from llm_widgets.page.session import Session

HOSTILE = "<img src=x onerror=alert(1)>"
MANY = 2500


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        yield from running(tmp_path_factory.mktemp("log"), environment)


@pytest.fixture
def product(started: Product) -> Iterator[Product]:
    yield started
    started.faults.reset()
    started.cloud.log.delete_log(
        PROJECT, f"projects/{PROJECT}/logs/run.googleapis.com%2Fvarlog%2Fsystem"
    )


@pytest.fixture
def tail(session: Session) -> LogTail:
    return LogTail(session, f"{PARENT}/services/engine")


@pytest.fixture
def search(session: Session, tail: LogTail) -> LogSearch:
    return LogSearch(session, tail)


def shown(viewer: LogPanel) -> list[str]:
    return [item["text"] for item in viewer._stream.items]


def many(product: Product) -> datetime:
    """Write more than is read at first; the oldest is the only error. Gives its time."""
    begin = datetime.now(UTC) - timedelta(days=3)
    entries = [
        (f"{number:05d}", begin + timedelta(seconds=number), {"textPayload": f"line {number}"})
        for number in range(1, MANY)
    ]
    broken = {"severity": "ERROR", "jsonPayload": {"message": "no Such file", "path": 'a"b\\c'}}
    write(product, ("00000", begin, broken), *entries)
    return begin


def test_entries_that_come_late_are_neither_lost_nor_doubled(
    product: Product, tail: LogTail, search: LogSearch
) -> None:
    viewer = LogPanel(tail, search)
    stream = viewer._stream
    tail.look()
    now = datetime.now(UTC)
    write(product, ("b", now, {"textPayload": "second"}))
    tail.look()
    write(
        product,
        ("a", now - timedelta(milliseconds=5), {"textPayload": "first, and late"}),
        ("c", now, {"severity": "ERROR", "jsonPayload": {"message": HOSTILE, "code": 7}}),
    )
    tail.look()
    tail.look()
    assert [entry.id for entry in tail.entries] == ["a", "b", "c"]
    assert shown(viewer) == ["first, and late", "second", f"{HOSTILE} code=7"]
    assert viewer._earlier.disabled
    search.severity = "ERROR"
    assert [item["kind"] for item in stream.items] == ["error"]
    until(lambda: not search.loading)
    search.paused = True
    write(product, ("d", datetime.now(UTC), {"severity": "ERROR", "textPayload": "while paused"}))
    tail.look()
    assert len(shown(viewer)) == 1
    search.paused = False
    assert shown(viewer) == [f"{HOSTILE} code=7", "while paused"]


def test_the_server_finds_what_was_never_read(
    product: Product, tail: LogTail, search: LogSearch
) -> None:
    viewer = LogPanel(tail, search)
    begin = many(product)
    tail.look()
    assert len(tail.entries) < MANY
    for change in ({"severity": "ERROR"}, {"severity": "", "search": "NO such FILE"}):
        for name, value in change.items():
            setattr(search, name, value)
        until(lambda: not search.loading)
        assert shown(viewer) == ['no Such file path=a"b\\c']
        assert search.entries[0].time == begin
        assert viewer._earlier.disabled
    search.search = 'a"b\\c'
    until(lambda: not search.loading)
    assert len(shown(viewer)) == 1
    label = viewer._stream.items[0]["label"]
    assert label.startswith(f"{begin.astimezone():%Y-%m-%d}")
    write(product, ("new", datetime.now(UTC), {"textPayload": 'again a"b\\c'}))
    write(product, ("other", datetime.now(UTC), {"textPayload": "something else"}))
    tail.look()
    assert shown(viewer)[1:] == ['again a"b\\c']
    search.search = "nobody wrote this"
    until(lambda: not search.loading)
    assert shown(viewer) == []
    assert viewer._stream.placeholder == "No entry matches."


def test_earlier_entries_can_be_had_to_the_first(
    product: Product, tail: LogTail, search: LogSearch
) -> None:
    viewer = LogPanel(tail, search)
    many(product)
    tail.look()
    assert not viewer._earlier.disabled
    pages = 0
    while search.has_earlier:
        before = search.entries
        viewer._earlier.click()
        until(lambda: not search.loading)
        assert search.entries[-len(before) :] == before
        pages += 1
    assert [entry.id for entry in search.entries] == [f"{n:05d}" for n in range(MANY)]
    assert len(shown(viewer)) == MANY
    assert shown(viewer)[1:3] == ["line 1", "line 2"]
    assert pages == (MANY - 1000) // PAGE + 1
    write(product, ("z", datetime.now(UTC), {"textPayload": "and on"}))
    tail.look()
    assert shown(viewer)[-1] == "and on"


def test_earlier_entries_of_one_moment_are_not_lost(product: Product, search: LogSearch) -> None:
    moment = datetime.now(UTC) - timedelta(hours=1)
    write(product, *((f"{n}", moment, {"textPayload": f"same {n}"}) for n in range(3 * PAGE)))
    search.search = "same"
    until(lambda: not search.loading)
    while search.has_earlier:
        search.show_earlier()
        until(lambda: not search.loading)
    assert len(search.entries) == 3 * PAGE


def test_the_answer_to_an_older_question_is_dropped(
    product: Product, session: Session, tail: LogTail, search: LogSearch
) -> None:
    many(product)
    tail.look()
    product.faults.update(holds=["/v2/entries:list"])
    search.severity = "ERROR"
    until(lambda: product.faults.held)
    product.faults.update(holds=[])
    search.severity = ""
    search.search = "line 7"
    until(lambda: not search.loading)
    found = [entry.text for entry in search.entries]
    assert found
    product.faults.release()
    until(lambda: not session.background.under_way)
    assert [entry.text for entry in search.entries] == found
    assert all("line 7" in text for text in found)


TOO_MANY = {
    "match": "/v2/entries:list",
    "status": 429,
    "reason": "RESOURCE_EXHAUSTED",
    "message": "Quota exceeded for quota metric 'Read requests' and limit 'Read requests per "
    "minute' of service 'logging.googleapis.com' for consumer 'project_number:1'.",
    "retry_after": 40,
}


def answered(product: Product, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Keep which reads of the log the cloud answers from now on."""
    found: list[str] = []
    query = product.cloud.log.query

    def kept(projects: set[str], **asked: Any) -> Any:
        found.extend(projects)
        return query(projects, **asked)

    monkeypatch.setattr(product.cloud.log, "query", kept)
    return found


def test_too_many_reads_slow_the_tail_down_and_the_page_says_so(
    product: Product, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    pace = Pace(lambda: now[0], lambda: 0.0)
    tail = LogTail(session, f"{PARENT}/services/engine", pace)
    viewer = LogPanel(tail, LogSearch(session, tail))
    write(product, ("a", datetime.now(UTC), {"textPayload": "still there"}))
    product.faults.update(failures=[TOO_MANY])
    arrived = answered(product, monkeypatch)
    tail.look_if_due()
    told = "limits log reads to 60 a minute for this project; reading every 40 seconds."
    assert told in viewer._notice.text
    assert tail.error is None
    product.faults.reset()
    for now[0] in (10.0, 39.0):
        tail.look_if_due()
        tail.look_after(datetime.now(UTC))
    assert not arrived
    now[0] = 40.0
    tail.look_if_due()
    assert shown(viewer) == ["still there"]
    assert "reading every 20 seconds" in viewer._notice.text
    for now[0] in (60.0, 70.0):
        tail.look_if_due()
    assert viewer._notice.text == ""


def test_a_hidden_page_and_a_second_asker_read_nothing(
    product: Product, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    tail = LogTail(session, f"{PARENT}/services/engine", Pace(lambda: now[0], lambda: 0.0))
    arrived = answered(product, monkeypatch)
    asked = datetime.now(UTC)
    session.is_seen = False
    for now[0] in (0.0, 100.0, 600.0):
        tail.look_if_due()
    assert not arrived
    session.is_seen = True
    tail.look_if_due()
    tail.look_if_due()
    tail.look_after(asked)
    assert len(arrived) == 1
    tail.look_after(datetime.now(UTC))
    assert len(arrived) == 2


def test_five_pages_read_at_most_thirty_times_a_minute(
    product: Product, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three pages of services that change, and two General tabs, for ten minutes."""
    now = [0.0]
    chance = random.Random(1)
    times: list[float] = []
    query = product.cloud.log.query

    def counted(projects: set[str], **asked: Any) -> Any:
        times.append(now[0])
        return query(projects, **asked)

    monkeypatch.setattr(product.cloud.log, "query", counted)
    pages = [
        LogTail(session, f"{PARENT}/services/{name}", Pace(lambda: now[0], jitter(chance)))
        for name in ("one", "two", "three")
    ]
    for page in pages:
        page.pace.changing(is_changing=True)
    for _ in range(2):
        projects.checklist(Context(product.clients, project_of(session)))
    for second in range(10 * 60):
        now[0] = float(second)
        for page in pages:
            page.look_if_due()
    most = max(sum(start <= time < start + 60 for time in times) for start in times)
    assert 200 < len(times) <= 300
    assert most <= 30


def jitter(chance: random.Random) -> Callable[[], float]:
    return lambda: chance.uniform(-1, 1)


def project_of(session: Session) -> Project:
    assert session.project
    return session.project


def test_who_may_not_search(product: Product, tail: LogTail, search: LogSearch) -> None:
    viewer = LogPanel(tail, search)
    write(product, ("a", datetime.now(UTC), {"textPayload": "seen before"}))
    tail.look()
    product.faults.update(denied_permissions=["logging.logEntries.list"])
    search.search = "seen"
    until(lambda: not search.loading)
    assert isinstance(search.error, DeniedError)
    assert search.error.message in viewer._notice.text
    assert shown(viewer) == ["seen before"]
    product.faults.reset()
    search.search = ""
    assert search.error is None
    assert viewer._notice.text == ""
