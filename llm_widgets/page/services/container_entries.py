"""What the form asks of a container: image, words, variables, its probe, its files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.domain.networks import LARGEST_PORT
from llm_widgets.domain.services import LONGEST_PROBE
from llm_widgets.engines import registry
from llm_widgets.engines.base import Texts
from llm_widgets.errors import InvalidInputError
from llm_widgets.page.services.form_entry import Card, Entry, Shown, Values, mapping
from llm_widgets.serving.checks import LONGEST_PROBE_FIELD

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from llm_widgets.domain.services import Deployment

_LONGEST = 80  # characters of a command that is summed up
_LARGEST_CACHE = 160  # GiB
# Of an engine that is not known, nothing is said but what holds for any container.
_ANY = Texts(
    image="As it is: the engine in it is not known here.",
    command="Empty: the image's own.",
    args="One word in each row, exactly as the program gets it: no shell reads it.",
    probe="What answers once the model is loaded.",
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
                f"Name the secret of {name}: secret:version, for example hf-token:latest."
            )
    return {name: reference.strip() for name, reference in found.items()}


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
    return f"Period times failures is the time to load: at most {longest} s, used in full."


def _storage_summary(deployment: Deployment) -> str:
    cache = f", with a cache of {deployment.cache_gib} GiB" if deployment.cache_gib else ""
    return f"Mounted at {deployment.mount_path}{cache}"


PORT = Entry(
    "port",
    "Port",
    "Where the engine listens; it does not read PORT, so both must say the same.",
    "number",
    limits=(1, LARGEST_PORT),
)
PROBE_PORT = Entry(
    "probe_port",
    "Port asked",
    "Where it is asked.",
    "number",
    derive=_port_asked,
    limits=(1, LARGEST_PORT),
    follows=True,
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
        Entry(
            "args",
            "Arguments",
            lambda shown: _texts(shown).args,
            "rows",
            columns=("Argument",),
            add_label="Add: argument",
            follows=True,
        ),
        Entry(
            "environment",
            "Environment variables",
            "Set for every instance. No secrets here: all who see the service see them.",
            "pairs",
            read=_variables,
            add_label="Add a variable",
            follows=True,
        ),
        Entry(
            "secrets",
            "Variables from Secret Manager",
            "By reference, for example hf-token:latest; the service account must read it.",
            "pairs",
            read=_secrets,
            columns=("Name", "secret:version"),
            add_label="Add a secret",
        ),
    ),
)
COMMAND = Card(
    "Command",
    (
        Entry(
            "command",
            "Words of the command",
            lambda shown: _texts(shown).command,
            "rows",
            columns=("Word",),
            add_label="Add: word",
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
            lambda shown: (
                f"{_texts(shown).probe} Empty: it is enough that the port takes a connection."
            ),
            path="probe.path",
        ),
        PROBE_PORT,
        Entry(
            "probe_initial_delay",
            "Delay (seconds)",
            "Before the first time.",
            "number",
            path="probe.initial_delay",
            limits=(0, LONGEST_PROBE_FIELD),
        ),
        Entry(
            "probe_period",
            "Period (seconds)",
            "From one time to the next.",
            "number",
            path="probe.period",
            limits=(1, LONGEST_PROBE_FIELD),
        ),
        Entry(
            "probe_timeout",
            "Timeout (seconds)",
            "Not longer than the period.",
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
            "Where the model's folder of the bucket appears, read-only; the engine looks there.",
            is_required=True,
        ),
        Entry(
            "cache_gib",
            "File cache (GiB of memory)",
            "Cloud Storage FUSE keeps what it reads there; 0 for none.",
            "number",
            limits=(0, _LARGEST_CACHE),
        ),
        Entry(
            "mount_options",
            "Mount options",
            "Of Cloud Storage FUSE, without “--”; only-dir and the cache are added.",
            "rows",
            read=_options,
            columns=("Option",),
            add_label="Add: option",
        ),
    ),
    _storage_summary,
)
