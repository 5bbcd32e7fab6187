"""The components without a browser: its messages are delivered as the front end does."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

import comm
import ipywidgets as w
import pytest
import traitlets
from comm.base_comm import BaseComm

from llm_widgets import widgets
from llm_widgets.errors import Fix, ManagerError
from llm_widgets.widgets import (
    Action,
    Bar,
    BrowserStorage,
    Column,
    Composer,
    ConfirmDialog,
    ConnectionGuard,
    DataTable,
    Detail,
    DetailList,
    Field,
    FilePicker,
    FileProgress,
    FileRow,
    FormDialog,
    Notice,
    Option,
    Stream,
    Toasts,
    Transcript,
    TransferBars,
)
from llm_widgets.widgets._batch import Batch
from local_cloud.testing.waiting import until

if TYPE_CHECKING:
    from collections.abc import Callable

    from llm_widgets.widgets._component import Component

HOSTILE = "<img src=x onerror=alert(1)>"


def deliver(widget: Component, **content: Any) -> None:
    """Deliver a message as the browser sends it."""
    widget._handle_custom_msg(content, [])


class RecordingComm(BaseComm):
    """A connection to a browser that keeps what is sent."""

    log: ClassVar[list[dict[str, Any]]] = []

    def publish_msg(self, msg_type: str, data: Any = None, *_: Any, **__: Any) -> None:
        self.log.append({"type": msg_type, **(data or {})})


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Connect components to a browser that is not there; give all that they send."""
    monkeypatch.setattr(comm, "create_comm", RecordingComm)
    monkeypatch.setattr(RecordingComm, "log", [])
    return RecordingComm.log


class Sent(Sequence[Any]):
    """The messages among all that was sent; state is left out."""

    def __init__(self, wire: list[dict[str, Any]]) -> None:
        self._wire = wire

    def _messages(self) -> list[Any]:
        return [each["content"] for each in list(self._wire) if each.get("method") == "custom"]

    def __getitem__(self, index: Any) -> Any:
        return self._messages()[index]

    def __len__(self) -> int:
        return len(self._messages())

    def clear(self) -> None:
        self._wire.clear()


@pytest.fixture
def sent(wire: list[dict[str, Any]]) -> Sent:
    return Sent(wire)


class TestComponent:
    def test_unknown_keyword_is_refused(self) -> None:
        with pytest.raises(TypeError, match="DataTable has no captoin"):
            DataTable(captoin="Models")

    @pytest.mark.parametrize(
        "content", [None, 7, [], {}, {"type": 3}, {"type": "a b"}, {"type": "x"}]
    )
    def test_message_of_unknown_shape_is_dropped(self, content: Any) -> None:
        table = DataTable(rows=[{"id": "1"}])
        table._handle_custom_msg(content, [])

    def test_repr_does_not_walk_the_tree(self) -> None:
        bars = TransferBars("x", 10)
        root = widgets.page(w.VBox([bars]))
        assert "TransferBars" not in repr(root)
        del bars
        assert repr(root).startswith("<llm_widgets")


class TestTable:
    @pytest.fixture
    def table(self) -> DataTable:
        return DataTable(
            columns=[Column("name", "Name", action="open")],
            actions=[Action("deploy", "Deploy"), Action("delete", "Delete", danger=True)],
            rows=[
                {"id": "1", "name": "a"},
                {"id": "2", "name": "b", "disabled": {"deploy": "Not yet."}, "hidden": ["delete"]},
            ],
        )

    @pytest.fixture
    def chosen(self, table: DataTable) -> list[tuple[str, str]]:
        chosen: list[tuple[str, str]] = []
        table.on_action(lambda action, row: chosen.append((action, row)))
        return chosen

    def test_action(self, table: DataTable, chosen: list[Any]) -> None:
        deliver(table, type="action", action="deploy", row="1")
        deliver(table, type="action", action="open", row="2")
        assert chosen == [("deploy", "1"), ("open", "2")]

    @pytest.mark.parametrize(
        ("action", "row"),
        [
            ("deploy", "2"),
            ("delete", "2"),
            ("deploy", "3"),
            ("rm", "1"),
            ("", "1"),
            ("deploy", None),
        ],
    )
    def test_action_that_the_row_does_not_have(
        self, table: DataTable, chosen: list[Any], action: str, row: Any
    ) -> None:
        deliver(table, type="action", action=action, row=row)
        assert chosen == []

    @pytest.mark.parametrize("rows", [[{"id": "1"}, {"id": "1"}], [{"name": "a"}], [{"id": 1}]])
    def test_rows_need_unique_ids(self, table: DataTable, rows: Any) -> None:
        with pytest.raises(traitlets.TraitError):
            table.rows = rows

    def test_empty_action(self, table: DataTable) -> None:
        pressed: list[bool] = []
        table.on_empty_action(lambda: pressed.append(True))
        deliver(table, type="empty_action")
        assert pressed == [True]

    def test_what_is_chosen_stays_while_its_row_is_there(self, table: DataTable) -> None:
        table.bulk = [{"key": "delete", "label": "Delete"}]
        table.selected = ["2", "1", "3"]
        assert table.selected == ["1", "2"]
        going = {"id": "1", "name": "a", "disabled": {"delete": "It is being deleted."}}
        table.rows = [going, *table.rows[1:]]
        assert table.selected == ["1", "2"]
        table.rows = table.rows[1:]
        assert table.selected == ["2"]
        table.rows = [{"id": "1", "name": "a"}, *table.rows]
        assert table.selected == ["2"]


class TestFormDialog:
    @pytest.fixture
    def dialog(self) -> FormDialog:
        dialog = FormDialog(
            title="T",
            fields=[
                Field("name", "Name", required=True),
                Field("token", "Token", "password"),
                Field("count", "Count", "number"),
                Field("ok", "OK", "checkbox"),
            ],
        )
        dialog.show()
        return dialog

    def test_values_come_once_and_are_kept_nowhere(self, dialog: FormDialog) -> None:
        got: list[Any] = []
        dialog.on_submit(got.append)
        values = {"name": "n", "token": "hf_secret", "count": 3, "ok": True, "extra": "x"}
        deliver(dialog, type="submit", values=values)
        assert got == [{"name": "n", "token": "hf_secret", "count": 3, "ok": True}]
        assert "hf_secret" not in str(dialog.get_state())

    def test_busy_until_close_or_fail(self, dialog: FormDialog) -> None:
        calls: list[Any] = []
        dialog.on_submit(calls.append)
        deliver(dialog, type="submit", values={"name": "n"})
        assert dialog.busy == "Working…"
        deliver(dialog, type="submit", values={"name": "n"})  # a second Enter meanwhile
        assert len(calls) == 1
        dialog.fail("No.", errors={"name": "Taken."})
        assert (dialog.busy, dialog.error, dialog.errors) == ("", "No.", {"name": "Taken."})
        assert dialog.shown
        deliver(dialog, type="submit", values={"name": "m"})
        assert (len(calls), dialog.error, dialog.errors) == (2, "", {})
        dialog.close()
        assert not dialog.shown

    @pytest.mark.parametrize(
        "values", [None, "x", {"name": 7}, {"name": {"a": 1}}, {"ok": "true"}, {"count": "3"}]
    )
    def test_values_of_wrong_type_are_dropped(self, dialog: FormDialog, values: Any) -> None:
        got: list[Any] = []
        dialog.on_submit(got.append)
        deliver(dialog, type="submit", values=values)
        assert got == []

    def test_submit_of_a_closed_dialog_is_dropped(self, dialog: FormDialog) -> None:
        got: list[Any] = []
        dialog.on_submit(got.append)
        deliver(dialog, type="cancel")
        deliver(dialog, type="submit", values={"name": "n"})
        assert got == []

    def test_input_clears_errors_and_reports(self, dialog: FormDialog) -> None:
        got: list[Any] = []
        dialog.on_input(got.append)
        dialog.fail(errors={"name": "Taken."})
        deliver(dialog, type="input", values={"name": "n"})
        assert got == [{"name": "n"}]
        assert dialog.errors == {}

    def test_what_is_filled_in_is_wrong_no_more(self, dialog: FormDialog) -> None:
        dialog.fail(errors={"name": "Taken.", "bucket": "Not there."})
        dialog.fill({"name": "n"})
        assert dialog.errors == {"bucket": "Not there."}

    def test_what_is_filled_in_tells_which_message_was_known(self, dialog: FormDialog) -> None:
        sent: list[Any] = []
        dialog.send = sent.append  # in place of the browser
        dialog.fill({"name": "a"})
        for at in (7, "x", None):
            deliver(dialog, type="input", at=at, values={"name": "b"})
        deliver(dialog, type="input", at=8, values={"name": 1})
        dialog.fill({"name": "c"})
        assert [each["known"] for each in sent] == [0, 7]

    def test_password_has_no_default(self) -> None:
        with pytest.raises(ValueError, match="widget state"):
            FormDialog(fields=[Field("token", "Token", "password", value="hf_secret")])

    def test_keys_are_unique(self) -> None:
        with pytest.raises(ValueError, match="same key"):
            FormDialog(fields=[Field("a", "A"), Field("a", "B")])

    def test_fields_may_change(self, dialog: FormDialog) -> None:
        dialog.set_fields([Field("bucket", "Bucket", "select", options=(Option("a", "A"),))])
        assert dialog.fields[0]["options"] == ({"value": "a", "label": "A", "description": ""},)


class TestConfirmDialog:
    def test_name_has_to_match(self) -> None:
        dialog = ConfirmDialog(title="Delete?", type_name="smollm2")
        confirmed: list[Any] = []
        dialog.on_submit(confirmed.append)
        dialog.show()
        deliver(dialog, type="submit", values={"confirm_name": "other"})
        assert confirmed == []
        assert dialog.errors == {"confirm_name": "This is not smollm2."}
        deliver(dialog, type="submit", values={})
        assert confirmed == []
        deliver(dialog, type="submit", values={"confirm_name": "smollm2"})
        assert len(confirmed) == 1

    def test_without_name(self) -> None:
        dialog = ConfirmDialog(title="Delete?")
        confirmed: list[Any] = []
        dialog.on_submit(confirmed.append)
        dialog.show()
        deliver(dialog, type="submit", values={})
        assert confirmed == [{}]


class TestBatch:
    def test_many_changes_few_flushes_and_the_last_one_comes(self) -> None:
        seen: list[int] = []
        state = {"n": 0}
        batch = Batch(lambda: seen.append(state["n"]), every=0.05)
        begun = time.monotonic()
        while time.monotonic() < begun + 0.5:
            state["n"] += 1
            batch.touch()
        took = time.monotonic() - begun
        until(lambda: seen[-1] == state["n"])
        assert len(seen) <= took / 0.05 + 3  # 20 a second, and the one after it

    def test_from_many_threads(self) -> None:
        lock = threading.Lock()
        done = {"n": 0}
        seen: list[int] = []
        batch = Batch(lambda: seen.append(done["n"]), every=0.02)

        def work() -> None:
            for _ in range(200):
                with lock:
                    done["n"] += 1
                batch.touch()

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        until(lambda: seen[-1] == 1600)


def replay(messages: Sequence[dict[str, Any]]) -> list[str]:
    """Do with a stream's messages what the page does."""
    texts: list[str] = []
    for message in messages:
        if message["type"] == "reset":
            texts = []
        if message["type"] in {"reset", "append"}:
            texts += [item["text"] for item in message["items"]]
    return texts


class TestStream:
    def test_page_that_comes_later_gets_everything_once(self, sent: Sent) -> None:
        stream = Stream()
        stream.append("early")
        sent.clear()  # no page was there
        stream.append("pending")
        deliver(stream, type="ready")
        stream.append("late")
        until(lambda: replay(sent) == ["early", "pending", "late"])

    def test_old_items_go(self) -> None:
        stream = Stream(max_items=3)
        stream.extend({"text": str(n)} for n in range(10))
        assert [item["text"] for item in stream.items] == ["7", "8", "9"]

    def test_clear(self, sent: Sent) -> None:
        stream = Stream()
        stream.append("a")
        stream.clear()
        stream.append("b")
        until(lambda: replay(sent) == ["b"])


def turn(role: str, text: str, **more: str) -> dict[str, str]:
    """Return a turn of a chat."""
    return {"role": role, "text": text, "thought": "", "note": "", "calls": "", "image": "", **more}


def is_replayed(messages: Sequence[dict[str, Any]], shown: Sequence[object]) -> bool:
    return replay_turns(messages) == shown


def replay_turns(messages: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    """Do with a transcript's messages what the page does."""
    turns: list[dict[str, str]] = []
    for message in messages:
        if message["type"] == "turns":
            turns[message["from"] :] = [dict(each) for each in message["turns"]]
        else:
            turns[-1]["text"] += message["text"]
            turns[-1]["thought"] += message["thought"]
    return turns


class TestTranscript:
    def test_exact_text_in_few_messages(self, sent: Sent) -> None:
        transcript = Transcript()
        transcript.show([turn("user", "hello"), turn("assistant", "")])
        begun = time.monotonic()
        for number in range(5000):
            transcript.extend(f"{number} ", thought="." if number < 3 else "")
        took = time.monotonic() - begun
        said = "".join(f"{n} " for n in range(5000))
        whole = [turn("user", "hello"), turn("assistant", said, thought="...")]
        until(lambda: replay_turns(sent) == whole)
        assert transcript.turns == whole
        assert len(sent) < 20 + took * 10

    def test_what_stays_is_not_sent_again(self, sent: Sent) -> None:
        transcript = Transcript()
        turns = [turn("user", "a"), turn("assistant", "b"), turn("user", "c")]
        for shown in (turns, [*turns, turn("assistant", "d")], turns[:2], turns[:2], []):
            transcript.show(shown)
            until(partial(is_replayed, sent, shown))
        assert [(each["from"], len(each["turns"])) for each in sent] == [
            *((0, 3), (3, 1), (2, 0), (0, 0))
        ]

    def test_page_that_comes_later_gets_everything_once(self, sent: Sent) -> None:
        transcript = Transcript()
        transcript.show([turn("assistant", "a")])
        sent.clear()  # no page was there
        transcript.extend("b")
        deliver(transcript, type="ready")
        transcript.extend("c")
        until(lambda: replay_turns(sent) == [turn("assistant", "abc")])

    def test_nothing_to_extend(self) -> None:
        with pytest.raises(IndexError):
            Transcript().extend("x")

    def test_regenerate_is_reported(self) -> None:
        transcript, asked = Transcript(), []
        transcript.on_regenerate(lambda: asked.append(True))
        deliver(transcript, type="regenerate")
        assert asked == [True]

    def test_a_chat_that_the_browser_kept_is_reported_once_none_is_shown(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("llm_widgets.widgets.chat.is_own_page", lambda: True)
        transcript = Transcript(kept_as="services/chat")
        got: list[Sequence[dict[str, str]]] = []
        transcript.on_kept(got.append)
        kept = [turn("user", "a"), turn("assistant", "b")]
        deliver(transcript, type="ready", turns=kept)
        assert got == [kept]
        transcript.show(kept)
        deliver(transcript, type="ready", turns=kept)
        assert got == [kept]

    @pytest.mark.parametrize(
        "kept",
        [
            *(None, "a", {}, [1], [[]], [{}], [{"role": "user", "text": "a"}]),
            [{**turn("user", "a"), "more": "b"}],
            [{**turn("user", "a"), "text": 1}],
            [{**turn("user", "a"), "role": ["user"]}],
            [turn("system", "a")],
            [turn("user", "a", image="https://example.com/spy.png")],
            [turn("user", "a" * 1_000_001)],
        ],
    )
    def test_what_the_browser_cannot_have_kept_is_not_taken_up(
        self, kept: object, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("llm_widgets.widgets.chat.is_own_page", lambda: True)
        transcript = Transcript(kept_as="services/chat")
        got: list[Sequence[dict[str, str]]] = []
        transcript.on_kept(got.append)
        deliver(transcript, type="ready", turns=kept)
        assert got == []

    def test_a_notebooks_browser_keeps_no_chat(self) -> None:
        assert Transcript(kept_as="services/chat").kept_as == ""


class TestComposer:
    def test_what_is_sent_is_text(self) -> None:
        composer = Composer()
        asked: list[str] = []
        composer.on_ask(asked.append)
        for text in (" hello ", "", "  ", None, 7, ["a"], "x" * 1_000_001):
            deliver(composer, type="ask", text=text)
        assert asked == ["hello"]

    def test_stop_and_a_new_chat_are_reported(self) -> None:
        composer, told = Composer(), []
        composer.on_stop(lambda: told.append("stop"))
        composer.on_fresh(lambda: told.append("fresh"))
        deliver(composer, type="stop")
        deliver(composer, type="fresh")
        assert told == ["stop", "fresh"]

    def test_settings_are_checked(self) -> None:
        valid = {
            "system": "Be brief.",
            "temperature": 0,
            "max_tokens": None,
            "thinking": "off",
            "tools": '[{"type": "function"}]',
        }
        composer = Composer(settings={**valid, "temperature": 1.0, "thinking": ""})
        composer.set_state({"settings": valid})
        assert composer.settings == valid
        for wrong in (
            *({"system": 1}, {"temperature": "1"}, {"temperature": 2.1}, {"temperature": True}),
            *({"max_tokens": 0}, {"max_tokens": 1.5}, {"max_tokens": True}, {"more": 1}),
            *({"thinking": "maybe"}, {"tools": "{}"}, {"tools": "[1]"}, {"tools": "["}),
        ):
            composer.set_state({"settings": {**valid, **wrong}})
            assert composer.settings == valid
        composer.set_state({"settings": {}, "busy": True})
        assert (composer.settings, composer.busy) == (valid, False)


class TestFileProgress:
    def test_only_changed_rows_are_sent(self, sent: Sent) -> None:
        files = FileProgress()
        files.show(FileRow(f"f{n}", 100) for n in range(300))
        assert len(sent[-1]["files"]) == 300
        sent.clear()
        begun = time.monotonic()
        for step in range(100):
            files.update([FileRow("f7", 100, step, "active"), FileRow("f8", 100)])
        took = time.monotonic() - begun
        until(lambda: sent and sent[-1]["files"][0]["bytes"] == 99)
        assert len(sent) <= 3 + took * 4
        assert {file["name"] for message in sent for file in message["files"]} == {"f7"}
        assert sent[-1]["files"][0]["bytes"] == 99

    def test_ready_page_gets_the_whole_list(self, sent: Sent) -> None:
        files = FileProgress()
        files.update([FileRow("a", 1)])
        sent.clear()
        deliver(files, type="ready")
        assert list(sent) == [
            {
                "type": "reset",
                "files": [{"name": "a", "total": 1, "bytes": 0, "state": "waiting", "error": ""}],
            }
        ]


class TestStorage:
    def test_saved_values_are_checked(self) -> None:
        def check(saved: dict[str, Any]) -> dict[str, Any]:
            if not isinstance(saved.get("project"), str):
                raise TypeError("project")
            return {"project": saved["project"]}

        for saved, expected in [
            ({"project": "p", "more": 1}, {"project": "p"}),
            ({"project": 7}, {}),
            (["x"], {}),
            (None, {}),
            ("x", {}),
        ]:
            storage = BrowserStorage(validate=check)
            got: list[Any] = []
            storage.on_ready(got.append)
            assert got == []
            deliver(storage, type="saved", value=saved)
            assert got == [expected]
            assert storage.ready
            later: list[Any] = []
            storage.on_ready(later.append)
            assert later == [expected]

    def test_set_before_the_page_wins(self) -> None:
        storage = BrowserStorage()
        storage.set(project="new")
        deliver(storage, type="saved", value={"project": "old", "region": "r"})
        assert storage.value == {"project": "new", "region": "r"}
        storage.set(region=None)
        assert storage.value == {"project": "new"}

    def test_second_page_does_not_overwrite(self) -> None:
        storage = BrowserStorage()
        deliver(storage, type="saved", value={"a": 1})
        storage.set(a=2)
        deliver(storage, type="saved", value={"a": 1})
        assert storage.value == {"a": 2}


class TestGuard:
    def test_who_shows_nothing_is_told_so_and_who_shows_it_is_not(self) -> None:
        alone, met = ConnectionGuard(), ConnectionGuard()
        told: list[str] = []
        ended = threading.Event()
        deliver(met, type="ping")
        met.tell_if_missed(lambda: told.append("met"), after=0)

        def tell() -> None:
            told.append("alone")
            ended.set()

        alone.tell_if_missed(tell, after=0.01)  # after the other one
        assert ended.wait(10)
        assert told == ["alone"]

    def test_answers_and_reports_the_first_contact_once(self, sent: Sent) -> None:
        guard = ConnectionGuard()
        calls: list[str] = []
        guard.on_first_contact(lambda: calls.append("first"))
        assert guard.seconds_since_contact is None
        deliver(guard, type="ping")
        deliver(guard, type="ping")
        assert calls == ["first"]
        assert list(sent) == [{"type": "pong"}, {"type": "pong"}]
        guard.on_first_contact(lambda: calls.append("late"))
        assert calls == ["first", "late"]
        assert guard.seconds_since_contact is not None
        assert guard.seconds_since_contact < 5

    def test_tells_whether_the_page_is_seen(self) -> None:
        guard = ConnectionGuard()
        seen = []
        guard.observe(lambda change: seen.append(change["new"]), "is_seen")
        for kind in ("hidden", "hidden", "shown"):
            deliver(guard, type=kind)
        assert seen == [False, True]


class TestNotice:
    def test_error_with_fix(self) -> None:
        notice = Notice()
        notice.show_error(
            ManagerError(
                "No.", cause="Because.", fix=Fix(text="Do it.", command="do it", url="https://x")
            )
        )
        assert (notice.kind, notice.text, notice.detail) == ("error", "No.", "Because.\nDo it.")
        assert (notice.command, notice.link_url) == ("do it", "https://x")
        notice.show_error(ManagerError("Other."))
        assert (notice.detail, notice.command, notice.link_url) == ("", "", "")
        notice.clear()
        assert notice.text == ""

    def test_action_only_with_a_button(self) -> None:
        notice = Notice(text="x")
        pressed: list[int] = []
        notice.on_action(lambda: pressed.append(1))
        deliver(notice, type="action")
        assert pressed == []
        notice.action_label = "Fix"
        deliver(notice, type="action")
        assert pressed == [1]


class TestProgress:
    def test_overall_and_slots(self) -> None:
        bars = TransferBars("model", 100, 40)
        bars.advance(50, {f"f{n}": (n, 20) for n in range(12)})
        labels = [row["label"] for row in bars.bars]
        assert labels == ["model", *(f"f{n}" for n in range(8))]  # eight of the twelve
        bars.advance(60, {"f9": (1, 30), "f0": (10, 20)})
        assert [row["label"] for row in bars.bars] == ["model", "f0", "f9"]
        assert [row["share"] for row in bars.bars] == [0.6, 0.5, 1 / 30]
        bars.finish()
        (row,) = bars.bars
        assert (row["share"], row["state"]) == (1.0, "done")
        assert row["text"].startswith("100% 100/100 [")

    def test_all_bars_move_with_one_message(self, wire: list[dict[str, Any]]) -> None:
        bars = TransferBars("model", 100)
        active = {f"f{n}": (0, 20) for n in range(8)}
        bars.advance(1, active)
        del wire[:]
        bars.advance(50, dict.fromkeys(active, (10, 20)))
        assert len(wire) == 1

    def test_numbers_are_those_of_tqdm(self) -> None:
        bar = Bar("weights", 4_000_000_000, 1_000_000_000)
        bar.start_t -= 10
        bar.set(2_000_000_000)
        assert bar.row()["text"].startswith(" 50% 2.00G/4.00G [00:10<00:2".strip())
        bar.set(2_000_000_001, total=0)
        assert bar.row()["share"] is None
        assert bar.row()["text"].startswith("2.00G [00:10, ")

    def test_failed(self) -> None:
        bars = TransferBars("model", 100)
        bars.advance(50, {"a": (1, 2)})
        bars.fail()
        assert [(row["label"], row["state"]) for row in bars.bars] == [("model", "failed")]


class TestText:
    def test_everything_is_escaped(self) -> None:
        for made in (widgets.heading(HOSTILE), widgets.paragraph(HOSTILE), widgets.note(HOSTILE)):
            assert "<img" not in made.value
            widgets.set_text(made, "x" + HOSTILE)
            assert "<img" not in made.value
            assert made.value.count("x&lt;img") == 1

    def test_set_text_keeps_the_element(self) -> None:
        made = widgets.heading("a", 3)
        widgets.set_text(made, "b")
        assert made.value == "<h3>b</h3>"

    def test_levels(self) -> None:
        with pytest.raises(ValueError, match="levels"):
            widgets.heading("a", 5)


def test_details() -> None:
    details = DetailList([Detail("Account", "a", copy=True)])
    details.show([Detail("Cloud", "local", state="ok")])
    assert details.items[0]["state"] == "ok"


def test_toasts(sent: Sent) -> None:
    toasts = Toasts()
    toasts.success("Done", link=("Open", "https://x"))
    toasts.error("No")
    assert [message["kind"] for message in sent] == ["success", "error"]
    assert "Done" not in str(toasts.get_state())


def test_tabs_and_card() -> None:
    tab, box = widgets.tabs([("A", w.Label("a")), ("B", w.Label("b"))])
    assert tab.titles == ("A", "B")
    assert box.children[0] is tab
    card = widgets.card("T", w.Label("x"), text="more", actions=[widgets.button("Go")])
    assert len(card.children) == 3


def test_a_tab_is_told_to_be_pressed_again() -> None:
    pressed: list[int] = []
    tab, box = widgets.tabs([("A", w.Label("a")), ("B", w.Label("b"))], again=pressed.append)
    tab.selected_index = 1
    deliver(box.children[1], type="again")
    assert pressed == [1]


def test_the_project_in_the_header_is_pressed() -> None:
    header, pressed = widgets.Header(project="One"), []
    header.on_project(lambda: pressed.append(header.project))
    deliver(header, type="project")
    assert pressed == ["One"]


def test_button_styles() -> None:
    assert widgets.button("x", style="primary").button_style == "primary"
    with pytest.raises(KeyError):
        widgets.button("x", style="loud")


class TestFilePicker:
    @pytest.fixture
    def picker(self) -> FilePicker:
        return FilePicker(accept=["image/png"], most=9)

    def send(self, picker: FilePicker, *pieces: str, kind: str = "image/png") -> None:
        for index, data in enumerate(pieces):
            deliver(
                picker,
                type="part",
                name="a.png",
                kind=kind,
                index=index,
                count=len(pieces),
                data=data,
            )

    def test_pieces_make_a_file(self, picker: FilePicker) -> None:
        changes: list[object] = []
        picker.on_change(lambda: changes.append(picker.file))
        self.send(picker, "YWJj", "ZGU=")
        assert picker.file
        assert (picker.file.content, picker.picked) == (b"abcde", "a.png")
        assert picker.file.data_url == "data:image/png;base64,YWJjZGU="
        deliver(picker, type="clear")
        assert changes[1:] == [None]
        assert picker.picked == ""

    @pytest.mark.parametrize(
        ("pieces", "kind", "problem"),
        [
            (("YWJj",), "text/html", ""),
            (("A" * 40,), "image/png", "This file is too large."),
            (("!!!!",), "image/png", "This file can't be read."),
        ],
    )
    def test_what_is_no_such_file_is_not_held(
        self, picker: FilePicker, pieces: tuple[str, ...], kind: str, problem: str
    ) -> None:
        self.send(picker, *pieces, kind=kind)
        assert (picker.file, picker.problem) == (None, problem)

    def test_a_piece_out_of_its_place_is_dropped(self, picker: FilePicker) -> None:
        piece = {"type": "part", "name": "a", "kind": "image/png", "data": "YWJj"}
        deliver(picker, **piece, index=1, count=2)
        deliver(picker, **piece, index=1.0, count=2)
        assert picker.file is None


def _elsewhere(work: Callable[[], Any]) -> Any:
    """Return what something gives in another thread."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def test_what_threads_set_is_sent_in_the_order_of_its_values(
    wire: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    del wire
    notice, free = Notice(), []
    lock = notice._sending

    def publish(*_: Any, **__: Any) -> None:
        free.append(_elsewhere(partial(lock.acquire, blocking=False)))

    monkeypatch.setattr(notice.comm, "publish_msg", publish)
    notice.text = "Copying"  # while it is sent nobody else reads what to send
    with notice.hold_sync():
        notice.text = "Copied"
    assert free == [False, False]
