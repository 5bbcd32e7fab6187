"""What the form asks of a container: image, words, variables, its probe, its files."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from llm_widgets.domain.networks import LARGEST_PORT
from llm_widgets.domain.services import LONGEST_PROBE
from llm_widgets.engines import registry, start_styles, streaming
from llm_widgets.engines.base import PROBE as PROBE_TEXT
from llm_widgets.engines.base import Texts
from llm_widgets.errors import InvalidInputError
from llm_widgets.page.services.form_entry import Card, Choice, Entry, Shown, Values, mapping
from llm_widgets.serving.checks import LONGEST_PROBE_FIELD

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from llm_widgets.domain.services import Deployment

_LONGEST = 80  # characters of a command that is summed up
_LARGEST_CACHE = 160  # GiB
# Of an engine that is not known, nothing is said but what holds for any container.
_ANY = Texts(
    image="Kept as deployed.",
    command="Default: the image's own.",
    args="One argument per row, without shell quoting.",
    probe=PROBE_TEXT,
    tools="",
    reasoning="",
    install="",
    install_url="",
)


def _texts(shown: Shown) -> Texts:
    engine = registry.of(shown.offered.framework)
    return engine.texts if engine else _ANY


def _variables(pairs: Iterable[Sequence[str]]) -> dict[str, str]:
    return mapping(pairs, "variable")


def _secrets(pairs: Iterable[Sequence[str]]) -> dict[str, str]:
    found = _variables(pairs)
    for name, reference in found.items():
        if not reference.strip():
            raise InvalidInputError(
                f"Enter the secret for {name} as secret:version, for example hf-token:latest."
            )
    return {name: reference.strip() for name, reference in found.items()}


def _runs_code(deployment: Deployment) -> bool:
    engine = registry.of(deployment.framework)
    return bool(engine and engine.runs_code(deployment))


def _streams(deployment: Deployment) -> bool:
    engine = registry.of(deployment.framework)
    return bool(engine and streaming.is_on(engine, deployment))


def _streaming_trade(shown: Shown) -> str:
    engine = registry.of(shown.offered.framework)
    can = engine and streaming.can(engine, shown.offered)
    return engine.streaming.trade if can and engine and engine.streaming else ""


def _start(deployment: Deployment) -> str:
    engine = registry.of(deployment.framework)
    return start_styles.of(engine, deployment) if engine else ""


def _styles(shown: Shown) -> list[Choice]:
    engine = registry.of(shown.offered.framework)
    choices = [(style.id, style.label) for style in engine.start_styles] if engine else []
    return choices if _start(shown.now) else [("", "As the arguments say"), *choices]


def _trades(shown: Shown) -> str:
    engine = registry.of(shown.offered.framework)
    styles = engine.start_styles if engine else ()
    return " ".join(f"{style.label}: {style.trade}" for style in styles)


def _has_styles(shown: Shown) -> bool:
    engine = registry.of(shown.offered.framework)
    return bool(engine and engine.start_styles)


def _told(values: Mapping[str, Any], before: Deployment) -> Values:
    """Read what the box, the choice and the arguments say together: what was changed counts."""
    engine = registry.of(before.framework)
    read = replace(before, args=tuple(values["args"]))
    if engine is None:
        return {"args": read.args}
    agreed, style = bool(values[CODE.key]), str(values[START.key] or "")
    if agreed != _runs_code(before):
        read = engine.with_code(read, runs=agreed)
    if bool(values[STREAM.key]) != _streams(before):
        read = streaming.turned(engine, read, on=bool(values[STREAM.key]))
    if style != _start(before):
        read = start_styles.with_style(engine, read, style)
    return {"args": read.args}


def _options(rows: Iterable[str]) -> tuple[str, ...]:
    return tuple(option.removeprefix("--") for option in rows)


def _command_summary(deployment: Deployment) -> str:
    engine = registry.of(deployment.framework)
    command = engine.command_text(deployment.command) if engine else ""
    command = command or " ".join(deployment.command).split("\n")[0] or "The image's own"
    return command if len(command) <= _LONGEST else f"{command[:_LONGEST]}…"


def _port_asked(deployment: Deployment) -> int:
    return deployment.probe.port or deployment.port


def _probe_port(values: Mapping[str, Any], before: Deployment) -> Values:
    port, asked = PORT.read_from(values), PROBE_PORT.read_from(values)
    # 0 stands for the port of the requests: where that changes, the probe goes with it.
    follows = not before.probe.port and asked in (port, before.port)
    return {"probe.port": 0 if follows else asked}


def _probe_summary(deployment: Deployment) -> str:
    probe = deployment.probe
    asked = f"GET {probe.path}" if probe.path else "TCP"
    return (
        f"{asked} on port {_port_asked(deployment)} every {probe.period} s, "
        f"for at most {probe.period * probe.failures} s"
    )


def _failures_help(shown: Shown) -> str:
    longest = LONGEST_PROBE[bool(shown.offered.accelerator)]
    return f"Time to load is period times failures, at most {longest} s."


def _storage_summary(deployment: Deployment) -> str:
    cache = f", with a cache of {deployment.cache_gib} GiB" if deployment.cache_gib else ""
    return f"Mounted at {deployment.mount_path}{cache}"


PORT = Entry(
    "port",
    "Port",
    "The port that the engine listens on.",
    "number",
    limits=(1, LARGEST_PORT),
)
PROBE_PORT = Entry(
    "probe_port",
    "Probe port",
    "Port of the probe request.",
    "number",
    derive=_port_asked,
    limits=(1, LARGEST_PORT),
    follows=True,
)
CODE = Entry(
    "trust_remote_code",
    "Run the model's own code",
    "Review the code first. It runs with the permissions of the service account.",
    "checkbox",
    derive=_runs_code,
    is_basic=True,
    is_shown=lambda shown: shown.has_code,
    follows=True,
)
START = Entry(
    "start",
    "Start",
    _trades,
    "select",
    derive=_start,
    choices=_styles,
    is_shown=_has_styles,
    follows=True,
    is_long=True,
)
STREAM = Entry(
    "stream_weights",
    "Stream the weights from gs://",
    _streaming_trade,
    "checkbox",
    derive=_streams,
    is_shown=lambda shown: bool(_streaming_trade(shown)),
    follows=True,
    is_long=True,
)
CONTAINER = Card(
    "Container",
    (
        Entry(
            "image",
            "Image",
            lambda shown: _texts(shown).image,
            is_required=True,
            is_long=True,
        ),
        PORT,
        CODE,
        START,
        STREAM,
        Entry(
            "args",
            "Arguments",
            lambda shown: _texts(shown).args,
            "rows",
            columns=("Argument",),
            add_label="Add an argument",
            follows=True,
        ),
        Entry(
            "environment",
            "Environment variables",
            "Set for every instance. Enter secrets below: anyone who can view the service sees "
            "these.",
            "pairs",
            read=_variables,
            add_label="Add a variable",
            follows=True,
        ),
        Entry(
            "secrets",
            "Variables from Secret Manager",
            "Secret and version, for example hf-token:latest. The service account needs access.",
            "pairs",
            read=_secrets,
            columns=("Name", "secret:version"),
            add_label="Add a secret",
        ),
    ),
    read=_told,
)
COMMAND = Card(
    "Command",
    (
        Entry(
            "command",
            "Command",
            lambda shown: _texts(shown).command,
            "rows",
            columns=("Word",),
            add_label="Add a command argument",
        ),
    ),
    _command_summary,
)
PROBE = Card(
    "Startup probe",
    (
        Entry(
            "probe_path",
            "Path",
            lambda shown: f"{_texts(shown).probe} Default: a TCP check of the port.",
            path="probe.path",
        ),
        PROBE_PORT,
        Entry(
            "probe_initial_delay",
            "Delay (seconds)",
            "Before the first probe.",
            "number",
            path="probe.initial_delay",
            limits=(0, LONGEST_PROBE_FIELD),
        ),
        Entry(
            "probe_period",
            "Period (seconds)",
            "Between two probes.",
            "number",
            path="probe.period",
            limits=(1, LONGEST_PROBE_FIELD),
        ),
        Entry(
            "probe_timeout",
            "Timeout (seconds)",
            "At most the period.",
            "number",
            path="probe.timeout",
            limits=(1, LONGEST_PROBE_FIELD),
        ),
        Entry(
            "probe_failures",
            "Failures",
            _failures_help,
            "number",
            path="probe.failures",
            limits=(1, max(LONGEST_PROBE.values())),
            follows=True,
        ),
    ),
    _probe_summary,
    _probe_port,
)
STORAGE = Card(
    "Storage",
    (
        Entry(
            "mount_path",
            "Mount path",
            "Folder where the model's files are mounted, read-only.",
            is_required=True,
        ),
        Entry(
            "cache_gib",
            "File cache (GiB of memory)",
            "Cache of Cloud Storage FUSE; 0 for none.",
            "number",
            limits=(0, _LARGEST_CACHE),
        ),
        Entry(
            "mount_options",
            "Mount options",
            "Options of Cloud Storage FUSE, without “--”. only-dir and the cache are added.",
            "rows",
            read=_options,
            columns=("Option",),
            add_label="Add an option",
        ),
    ),
    _storage_summary,
)
