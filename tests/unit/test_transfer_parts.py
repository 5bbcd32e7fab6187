from __future__ import annotations

import hashlib
import threading
from dataclasses import replace

import pytest

from llm_widgets.domain.imports import Digest, DigestKind, HubFile
from llm_widgets.errors import TransferError
from llm_widgets.exchanges.pauses import retry_after
from llm_widgets.transfer import crc
from llm_widgets.transfer.checkpoint import (
    Checkpoint,
    checkpoint_name,
    handover_name,
    latest_handovers,
)
from llm_widgets.transfer.options import MAX_PARTS, MIB, Options, part_size_for
from llm_widgets.transfer.parts import PartLedger, part_count, resume_point
from llm_widgets.transfer.progress import Progress
from llm_widgets.transfer.retry import Backoff, GaveUpError, Stopped, TransientError
from llm_widgets.transfer.share import Task, sharded_files, task_files
from llm_widgets.transfer.slow_servers import ServerRates

CONTENT = bytes(range(256)) * 4  # 1024 bytes
PART = 300


def file(content: bytes = CONTENT, path: str = "a.safetensors") -> HubFile:
    digest = Digest(DigestKind.SHA256, hashlib.sha256(content).hexdigest())
    return HubFile(path, len(content), digest, url="http://hub/a")


def ledger(saved: Checkpoint | None = None, stored: set[int] | None = None) -> PartLedger:
    start = resume_point(file(), saved or Checkpoint("up", PART), stored or set())
    parts = range(start.parts, part_count(file(), PART))
    book = PartLedger(file(), PART, parts, stored or set(), threading.Event())
    book.begin(start)
    return book


def piece(part: int) -> bytes:
    return CONTENT[part * PART : (part + 1) * PART]


def take(book: PartLedger, part: int, *, stored: bool = True) -> None:
    book.wait_for_turn(part)
    book.hash(piece(part))
    book.pass_turn(part, crc.extend(0, piece(part)))
    if stored:
        book.mark_stored(part)


def test_all_parts_in_order() -> None:
    book = ledger()
    assert book.parts == range(4)
    assert [book.length(i) for i in range(4)] == [300, 300, 300, 124]
    for part in range(4):
        assert not book.is_complete
        take(book, part)
    assert book.is_complete
    last = book.verified()
    assert last.verified
    assert last.crc32c == crc.extend(0, CONTENT)


def test_a_part_waits_for_its_turn() -> None:
    book = ledger()
    order: list[int] = []

    def work(part: int) -> None:
        book.wait_for_turn(part)
        order.append(part)
        take(book, part)

    threads = [threading.Thread(target=work, args=(part,)) for part in (3, 1, 2, 0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert order == [0, 1, 2, 3]
    assert book.is_complete


def test_a_checkpoint_counts_only_what_is_both_stored_and_hashed() -> None:
    book = ledger()
    take(book, 0)
    take(book, 1, stored=False)
    take(book, 2)
    assert book.checkpoint().parts == 1
    book.mark_stored(1)
    assert book.checkpoint().parts == 3


def test_a_digest_that_can_not_be_saved_is_asked_for_often() -> None:
    digest = Digest(DigestKind.GIT_SHA1, "0" * 40)
    book = PartLedger(replace(file(), digest=digest), PART, range(4), (), threading.Event())
    book.begin(Checkpoint("up", PART))
    take(book, 0)
    assert [book.checkpoint().parts for _ in range(3)] == [0, 0, 0]


def test_another_worker_goes_on_from_a_checkpoint() -> None:
    first = ledger()
    take(first, 0)
    take(first, 1)
    saved = Checkpoint.from_json(first.checkpoint().to_json().encode())
    assert saved is not None
    second = ledger(saved, {0, 1})
    assert second.parts == range(2, 4)
    take(second, 2)
    take(second, 3)
    assert second.is_complete
    assert second.verified().crc32c == crc.extend(0, CONTENT)


def test_a_checkpoint_whose_parts_are_gone_is_not_believed() -> None:
    first = ledger()
    take(first, 0)
    take(first, 1)
    second = ledger(first.checkpoint(), {0})
    assert second.parts == range(4)
    assert second.is_stored(0)
    assert not second.is_stored(1)


def test_a_shard_waits_for_the_digest_of_what_comes_before() -> None:
    first = PartLedger(file(), PART, range(2), (), threading.Event())
    first.begin(Checkpoint("up", PART))
    take(first, 0)
    take(first, 1)
    assert first.is_complete
    second = PartLedger(file(), PART, range(2, 4), (), threading.Event())
    assert not second.is_turn(2)
    second.begin(first.checkpoint())
    take(second, 2)
    take(second, 3)
    assert second.verified().crc32c == crc.extend(0, CONTENT)


def test_wrong_bytes_are_told() -> None:
    book = ledger()
    for part in range(4):
        book.hash(b"?" + piece(part)[1:])
        book.pass_turn(part, 0)
        book.mark_stored(part)
    with pytest.raises(TransferError, match="not what the hub promised") as told:
        book.verified()
    assert file().digest.value in told.value.cause


def test_who_waits_is_stopped() -> None:
    stop = threading.Event()
    book = PartLedger(file(), PART, range(4), (), stop)
    stop.set()
    with pytest.raises(Stopped):
        book.wait_for_turn(2)


@pytest.mark.parametrize("text", [b"", b"{}", b"[]", b'{"version": 2, "upload_id": "x"}', b"\xff"])
def test_a_strange_checkpoint_is_none(text: bytes) -> None:
    assert Checkpoint.from_json(text) is None


def test_the_latest_of_what_tasks_left_is_found() -> None:
    names = ["i/files/a.json", "i/files/a/000008.json", "i/files/a/000016.json", "i/files/b.json"]
    claims = ["i/files/a/run-1/000003", "i/files/b/run-1/000000"]
    assert latest_handovers([*names, *claims]) == {"i/files/a.json": "i/files/a/000016.json"}
    assert handover_name("i/files/a.json", 16) == names[2]


def test_checkpoints_have_names_of_their_own() -> None:
    names = {
        checkpoint_name("folder", f)
        for f in (file(), file(path="b.safetensors"), file(b"other content"))
    }
    assert len(names) == 3


@pytest.mark.parametrize("size", [1, 8 * MIB, 70 * 10**9, 200 * 10**9, 5 * 10**12])
def test_part_sizes(size: int) -> None:
    part = part_size_for(size, Options())
    assert part % MIB == 0
    assert part >= 16 * MIB
    assert -(-size // part) <= MAX_PARTS


def sized(*sizes: int) -> list[HubFile]:
    return [HubFile(f"f{i}", size, file().digest, url="x") for i, size in enumerate(sizes)]


def test_shares_are_disjoint_complete_and_even() -> None:
    files = sized(900, 800, 700, 100, 100, 100, 100, 100, 50, 50)
    shares = [task_files(files, Task(index, 3)) for index in range(3)]
    assert sorted(f.path for share in shares for f in share) == sorted(f.path for f in files)
    loads = [sum(f.size for f in share) for share in shares]
    assert max(loads) - min(loads) <= 100
    assert task_files(files, Task()) == files


def test_more_tasks_than_files() -> None:
    assert [len(task_files([file()], Task(index, 4))) for index in range(4)] == [1, 0, 0, 0]


def test_files_that_are_too_large_for_one_task_are_shared() -> None:
    large, *others = files = sized(900, 100, 100, 100)
    assert sharded_files(files, 3, 1) == [large]
    assert sharded_files(files, 3, 1000) == []  # too small to pay
    assert sharded_files(files, 1, 1) == []
    assert sharded_files(others, 3, 1) == others


def test_a_digest_that_can_not_be_gone_on_with_is_not_shared() -> None:
    digest = Digest(DigestKind.GIT_SHA1, "0" * 40)
    assert sharded_files([HubFile("a.json", 900, digest, url="x")], 3, 1) == []


def test_a_slow_server_is_left_for_a_faster_one() -> None:
    rates = ServerRates()
    assert not rates.should_reconnect(68e6, 1e9, 0)  # nothing faster was seen yet
    assert rates.should_reconnect(8.7e6, 1e9, 0)
    assert not rates.should_reconnect(40e6, 1e9, 0)  # not slow enough
    assert not rates.should_reconnect(8.7e6, 2e6, 0)  # nearly done
    assert not rates.should_reconnect(8.7e6, 1e9, 6)  # often enough


def test_retries_end() -> None:
    options = Options(give_up_after=0.05, first_wait=0.02, longest_wait=0.02)
    said: list[str] = []
    backoff = Backoff("reading x", options, threading.Event(), said.append)

    def try_for_ever() -> None:
        while True:
            backoff.wait_after(TransientError("HTTP 503"))

    with pytest.raises(GaveUpError, match="Gave up reading x") as told:
        try_for_ever()
    assert told.value.cause == "HTTP 503"
    assert set(said) == {"Reading x fails: HTTP 503. Trying again."}


def test_a_long_reason_is_cut_where_it_stands_beside_the_progress() -> None:
    said: list[str] = []
    options = Options(first_wait=0)
    backoff = Backoff("reading x", options, threading.Event(), said.append)
    backoff.wait_after(TransientError("<p>\n down " * 1000))
    (sentence,) = said
    assert len(sentence) < 400
    assert "\n" not in sentence


def test_what_is_tried_again_is_told_until_something_arrives() -> None:
    moved = file()
    progress = Progress([moved])
    progress.retry("Reading a fails.")
    assert progress.trouble == "Reading a fails."
    progress.add(moved.path, 1)
    assert progress.trouble == ""
    progress.retry("Writing fails.")
    progress.finish(moved.path)
    assert progress.trouble == ""


def test_progress_resets_the_backoff() -> None:
    options = Options(give_up_after=0.03, first_wait=0.01, longest_wait=0.01)
    backoff = Backoff("reading x", options, threading.Event(), print)
    for _ in range(20):
        backoff.reset()
        backoff.wait_after(TransientError("reset"))


def test_a_stop_interrupts_the_backoff() -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Stopped):
        Backoff("x", Options(), stop, print).wait_after(TransientError("reset"))


def test_waits_that_hubs_ask_for() -> None:
    assert retry_after({"retry-after": "7"}) == 7
    assert retry_after({"ratelimit": '"api";r=0;t=55'}) == 55
    assert retry_after({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}) == 0
    assert retry_after({"retry-after": "soon"}) is None
    assert retry_after({}) is None
