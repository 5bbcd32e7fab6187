"""A page with every component, for the tests of the components in a browser."""

from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import ipywidgets as w

from llm_widgets.errors import Fix, ManagerError
from llm_widgets.widgets import (
    Action,
    BrowserStorage,
    Column,
    Composer,
    ConfirmDialog,
    ConnectionGuard,
    CopyText,
    DataTable,
    Detail,
    DetailList,
    Field,
    FileProgress,
    FileRow,
    FormDialog,
    Header,
    Notice,
    Option,
    Stream,
    Toasts,
    Transcript,
    TransferBars,
    button,
    card,
    grid,
    page,
    stack,
    tabs,
    toolbar,
)

HOSTILE = "<img src=x onerror=\"document.title='owned'\">"
NOW = datetime.now(tz=UTC)


class ModelsDemo:
    """Table, dialogs, toasts, progress."""

    def __init__(self, toasts: Toasts) -> None:
        self.toasts = toasts
        self.table = DataTable(
            caption="Models",
            filterable=True,
            empty="No models yet. Import one from Hugging Face or Ollama.",
            empty_action="Import model",
            columns=[
                Column("name", "Name", action="open"),
                Column("status", "Status", "status"),
                Column("source", "Source"),
                Column("size", "Size", "bytes"),
                Column("path", "Path", "code", sortable=False),
                Column("imported", "Imported", "time"),
            ],
            actions=[
                Action("deploy", "Deploy"),
                Action("verify", "Verify again", overflow=True),
                Action("delete", "Delete", overflow=True, danger=True),
            ],
            rows=self._rows(),
        )
        self.table.on_action(self._acted)
        self.table.on_empty_action(self._import)
        self.form = FormDialog(
            title="Import model",
            text="The files are copied into a bucket of your project.",
            submit_label="Import",
            busy_label="Looking the model up…",
            wide=True,
            live=True,
            fields=[
                Field(
                    "source",
                    "Source",
                    "cards",
                    options=(
                        Option(
                            "huggingface",
                            "Hugging Face (vLLM)",
                            "Slower cold starts, but better performance under high traffic.",
                        ),
                        Option("ollama", "Ollama", "Fast cold start, and fast for a single user."),
                    ),
                ),
                Field(
                    "model",
                    "Model",
                    required=True,
                    help="For example meta-llama/Llama-3.1-8B-Instruct",
                    suggestions=(
                        Option("Qwen/Qwen3-8B", "16.4 GB"),
                        Option("google/gemma-3-4b-it", "8.6 GB"),
                    ),
                ),
                Field(
                    "token",
                    "Hub token",
                    "password",
                    help="Only for gated models. Kept in Secret Manager.",
                    show_when=("source", "huggingface"),
                ),
                Field(
                    "bucket",
                    "Bucket",
                    "select",
                    options=(Option("a", "models-europe-west1"), Option("b", "models-us-central1")),
                ),
                Field("tasks", "Workers", "number", value=4, minimum=1, maximum=16),
                Field("verify", "Verify every file after it was copied", "checkbox", value=True),
            ],
        )
        self.form.on_submit(self._submitted)
        self.form.on_input(self._typed)
        self.confirm = ConfirmDialog(title="Delete model?")
        self.confirm.on_submit(self._deleted)
        self.deleting = ""
        opener = button("Import model", style="primary", icon="plus")
        opener.on_click(lambda _: self._import())
        many = button("500 rows", style="outlined")
        many.on_click(lambda _: self._many())
        clear = button("Clear")
        clear.on_click(lambda _: setattr(self.table, "rows", []))
        reset = button("Reset")
        reset.on_click(lambda _: self._reset())
        self.resets = w.Label("Reset 0 times")
        touch = button("Change rows")
        touch.on_click(lambda _: self._change())
        self.bars = TransferBars("Qwen/Qwen3-8B", 16_400_000_000, 10_300_000_000)
        self.bars.advance(
            10_800_000_000,
            {
                "model-00003-of-00005.safetensors": (2_100_000_000, 3_960_000_000),
                "model-00004-of-00005.safetensors": (800_000_000, 3_180_000_000),
            },
        )
        self.files = FileProgress(label="Files of Qwen/Qwen3-8B")
        self.files.show(
            [
                FileRow("config.json", 728, 728, "done"),
                FileRow("model-00001-of-00005.safetensors", 3_996_000_000, 3_996_000_000, "done"),
                FileRow(
                    "model-00002-of-00005.safetensors", 3_993_000_000, 3_993_000_000, "verifying"
                ),
                FileRow("model-00003-of-00005.safetensors", 3_959_000_000, 2_100_000_000, "active"),
                FileRow(HOSTILE, 1000, 10, "failed", f"The hub closed the connection {HOSTILE}"),
                FileRow("tokenizer.json", 11_422_654, 0),
            ]
        )
        self.widget = stack(
            toolbar("Models", self.resets, reset, touch, clear, many, opener),
            self.table,
            card("Importing Qwen/Qwen3-8B", self.bars, self.files, text="to models-europe-west1"),
        )

    @staticmethod
    def _rows() -> list[dict[str, Any]]:
        return [
            {
                "id": "m1",
                "name": "Qwen/Qwen3-8B",
                "status": {"state": "busy", "text": "Importing 66%"},
                "source": "Hugging Face",
                "size": 16_400_000_000,
                "path": "gs://models/huggingface/Qwen/Qwen3-8B",
                "imported": (NOW - timedelta(minutes=3)).isoformat(),
                "disabled": {"deploy": "The import is still running."},
            },
            {
                "id": "m2",
                "name": "smollm2:135m",
                "status": {"state": "ok", "text": "Ready"},
                "source": "Ollama",
                "size": 271_000_000,
                "path": "gs://models/ollama/smollm2/135m",
                "imported": (NOW - timedelta(days=2)).isoformat(),
            },
            {
                "id": "m3",
                "name": HOSTILE,
                "status": {
                    "state": "error",
                    "text": "Failed",
                    "note": "The token may not read it.",
                },
                "source": {"text": "Hugging Face", "note": "gated"},
                "size": None,
                "path": HOSTILE,
                "imported": None,
                "hidden": ["verify"],
            },
        ]

    def _import(self) -> None:
        self.form.show()

    def _typed(self, values: dict[str, Any]) -> None:
        assert "token" not in values
        if values["model"]:
            self.form.hint({"model": f"Found {values['model']}: 271 MB"})

    def _submitted(self, values: dict[str, Any]) -> None:
        def work() -> None:
            time.sleep(0.3)
            if values["model"] == "taken":
                self.form.fail(
                    "The import was not started.", errors={"model": "It is there already."}
                )
                return
            self.form.close()
            secret = len(values.get("token", ""))
            self.toasts.success(
                f"Import of {values['model']} started ({secret} characters of token)",
                link=("Open the job", "https://console.cloud.google.com/run/jobs"),
            )

        threading.Thread(target=work, daemon=True).start()

    def _acted(self, action: str, row_id: str) -> None:
        row = self.table.row(row_id)
        assert row is not None
        if action == "delete":
            self.deleting = row_id
            self.confirm.ask(
                title=f"Delete {row['name']}?",
                text="Its files are removed from the bucket. Services that use it stop working.",
                type_name="smollm2:135m" if row_id == "m2" else "",
            )
            self.confirm.show()
        elif action == "verify":
            self.toasts.error(f"{row['name']}: two files differ from the hub's.")
        else:
            self.toasts.info(f"{action} {row['name']}")

    def _deleted(self, _values: dict[str, Any]) -> None:
        self.table.rows = [each for each in self.table.rows if each["id"] != self.deleting]
        self.confirm.close()
        self.toasts.success("Deleted")

    def _reset(self) -> None:
        self.table.rows = self._rows()
        self.resets.value = f"Reset {int(self.resets.value.split()[1]) + 1} times"

    def _change(self) -> None:
        rows = [dict(row) for row in self.table.rows]
        for each in rows:
            each["status"] = {"state": "ok", "text": f"Seen {len(each['name'])}"}
            each.pop("disabled", None)
        rows.insert(0, {"id": "new", "name": "brand-new", "size": 5})
        self.table.rows = rows

    def _many(self) -> None:
        self.table.rows = [
            {
                "id": f"row-{i}",
                "name": f"model-{i:03}",
                "status": {"state": "ok", "text": "Ready"},
                "source": "Ollama",
                "size": i * 1_000_000,
                "path": f"gs://models/ollama/{i}",
                "imported": NOW.isoformat(),
            }
            for i in range(500)
        ]


def services() -> w.Widget:
    """Streams."""
    logs = Stream(label="Logs", placeholder="No log lines yet.", height="180px")
    for i in range(6):
        logs.append(f"vllm engine step {i}", "info", label=f"12:00:0{i}")
    logs.append("KV cache usage is high", "warning", label="12:00:07")
    logs.append(f"CUDA out of memory {HOSTILE}", "error", label="12:00:08")
    return stack(toolbar("Services"), card("Logs", logs), card("Try it", *chat()))


def turn(role: str, text: str) -> dict[str, str]:
    return {"role": role, "text": text, "thought": "", "note": "", "calls": "", "image": ""}


def chat() -> tuple[Transcript, Composer]:
    """A chat with a model that says 8,000 tokens to everything, after what it was asked."""
    turns = [
        {"role": "user", "text": "Say hello", "thought": "", "note": "", "calls": "", "image": ""},
        {
            "role": "assistant",
            "text": "**Hello!**",
            "thought": "",
            "note": "First token after 1 s",
            "calls": "",
            "image": "",
        },
    ]
    transcript = Transcript(label="Conversation", placeholder="Nothing said yet.")
    transcript.show(turns)
    settings = {"system": "", "temperature": 0.7, "max_tokens": None, "thinking": "", "tools": ""}
    composer = Composer(placeholder="Ask something", settings=settings)

    def ask(text: str) -> None:
        turns.append(
            {"role": "user", "text": text, "thought": "", "note": "", "calls": "", "image": ""}
        )
        answer = {
            "role": "assistant",
            "text": f"{text}\n\n",
            "thought": "",
            "note": "",
            "calls": "",
            "image": "",
        }
        transcript.show([*turns, answer])
        transcript.busy = composer.busy = True

        def say() -> None:
            for number in range(8000):
                transcript.extend("token ")
                if number % 10 == 9:
                    time.sleep(0.01)
            turns.append({**transcript.turns[-1], "note": "8000 tokens sent"})
            transcript.show(turns)
            transcript.busy = composer.busy = False

        threading.Thread(target=say, daemon=True).start()

    composer.on_ask(ask)
    return transcript, composer


def general(storage: BrowserStorage) -> w.Widget:
    """Notices, details, storage."""
    choice = w.Dropdown(options=["alpha", "beta", "gamma"], description="Project")
    saved = w.Label("nothing saved")

    def chosen(change: dict[str, Any]) -> None:
        storage.set(project=change["new"])
        saved.value = f"saved {change['new']}"

    def restored(values: dict[str, Any]) -> None:
        saved.value = f"restored {values.get('project', 'nothing')}"
        choice.value = values.get("project", "alpha")
        choice.observe(chosen, "value")

    storage.on_ready(restored)
    failure = Notice()
    failure.show_error(
        ManagerError(
            "The API Cloud Run is not enabled in this project.",
            cause="Cloud Run Admin API has not been used in project local-project before.",
            fix=Fix(
                text="Enable it, then try again in a minute.",
                command="gcloud services enable run.googleapis.com --project local-project",
                url="https://console.cloud.google.com/apis/library/run.googleapis.com",
            ),
        ),
        action_label="Enable",
    )
    pressed = Notice()
    failure.on_action(lambda: pressed.show("success", "Cloud Run is enabled."))
    return stack(
        toolbar("General", button("Refresh", style="outlined", icon="refresh")),
        failure,
        pressed,
        grid(
            card(
                "Application identity",
                DetailList(
                    [
                        Detail(
                            "Account", "manager@local-project.iam.gserviceaccount.com", copy=True
                        ),
                        Detail("Cloud", "Local cloud", state="ok", note="on this machine"),
                        Detail("Console", "Open", href="https://console.cloud.google.com"),
                        Detail("Hostile", HOSTILE, href="javascript:alert(1)"),
                        Detail("Number", "123456789", code=True),
                        Detail("Impersonated", ""),
                    ]
                ),
                text="From Application Default Credentials",
            ),
            card(
                "Project",
                choice,
                saved,
                w.Checkbox(description="Remember", indent=False),
                Notice(kind="warning", text="Billing is not enabled for this project."),
                actions=[button("Change"), button("Remove", style="danger")],
            ),
            card(
                "Command line",
                CopyText("gcloud auth application-default login"),
                Notice(
                    kind="info",
                    text="Changes take up to a minute.",
                    detail="IAM is eventually consistent.",
                ),
            ),
        ),
    )


def app() -> w.Widget:
    """Make the page."""
    toasts = Toasts()
    models = ModelsDemo(toasts)
    storage = BrowserStorage(key="demo", validate=checked)
    tab, box = tabs(
        [("General", general(storage)), ("Models", models.widget), ("Services", services())]
    )
    guard = ConnectionGuard(period_ms=500, limit_ms=30_000)
    guard.on_first_contact(
        lambda: toasts.info("A browser is here") if os.environ.get("DEMO_GREETS") else None
    )
    header = Header(
        project="local-project",
        mark="Local cloud",
        docs_url="https://cloud.google.com/run/docs",
        user="ada@example.com",
    )
    root = page(header, box, models.form, models.confirm, toasts, storage, guard)
    root.demo = (models, tab)
    return root


def checked(saved: dict[str, Any]) -> dict[str, Any]:
    """Take only a project that exists."""
    project = saved.get("project")
    if project not in {"alpha", "beta", "gamma"}:
        raise ValueError("unknown project")
    return {"project": project}
