"""The fields of what a container is told: words, variables, its probe, its files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_widgets.domain.networks import LARGEST_PORT
from llm_widgets.domain.services import LONGEST_PROBE
from llm_widgets.engines import registry
from llm_widgets.engines.base import Texts
from llm_widgets.widgets.fields import Field

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from llm_widgets.domain.services import Deployment

CONTAINER = "Container"
COMMAND = "Command"
PROBE = "Startup probe"
STORAGE = "Storage"

_LONGEST = 80  # characters of a command that is summed up
# Of an engine that is not known, nothing is said but what holds for any container.
_ANY = Texts(
    image="As it is: the engine in it is not known here.",
    command="Empty: the image's own.",
    args="One word in each row, exactly as the program gets it: no shell reads it.",
    probe="What answers once the model is loaded.",
    install="",
    install_url="",
)


def container_fields(offered: Deployment, default: dict[str, Any]) -> list[Field]:
    """Make the fields of the cards about the container."""
    return [*_container(offered, default), *_probe(offered, default), *_storage(default)]


def container_summaries(deployment: Deployment) -> dict[str, str]:
    """Say what stands on the cards that are folded at first, in a line each."""
    probe, cache = deployment.probe, deployment.cache_gib
    asked = f"GET {probe.path}" if probe.path else "TCP"
    engine = registry.of(deployment.framework)
    command = engine.command_text(deployment.command) if engine else ""
    command = command or " ".join(deployment.command).split("\n")[0] or "The image's own"
    return {
        COMMAND: command if len(command) <= _LONGEST else f"{command[:_LONGEST]}…",
        PROBE: f"{asked} on port {probe.port or deployment.port} every {probe.period} s, "
        f"for at most {probe.period * probe.failures} s",
        STORAGE: f"Mounted at {deployment.mount_path}"
        + (f", with a cache of {cache} GiB" if cache else ""),
    }


def pairs(values: Iterable[Sequence[str]]) -> tuple[tuple[str, str], ...]:
    """Give pairs as fields take them."""
    return tuple((name, value) for name, value in values)


def _texts(offered: Deployment) -> Texts:
    engine = registry.of(offered.framework)
    return engine.texts if engine else _ANY


def _container(offered: Deployment, default: dict[str, Any]) -> list[Field]:
    texts = _texts(offered)
    environment = pairs(default["environment"])
    return [
        Field(
            "image",
            "Image",
            required=True,
            value=default["image"],
            default=default["image"],
            help=texts.image,
            is_long=True,
            group=CONTAINER,
        ),
        _number(
            "port",
            "Port",
            default,
            "Where the engine listens; it does not read PORT, so both must say the same.",
            group=CONTAINER,
            limits=(1, LARGEST_PORT),
        ),
        _rows(
            "args",
            "Arguments",
            default,
            texts.args,
            group=CONTAINER,
            column="Argument",
        ),
        Field(
            "environment",
            "Environment variables",
            "pairs",
            value=environment,
            default=environment,
            add_label="Add a variable",
            help="Set for every instance. No secrets here: all who see the service see them.",
            group=CONTAINER,
        ),
        Field(
            "secrets",
            "Variables from Secret Manager",
            "pairs",
            value=pairs(default["secrets"]),
            default=pairs(default["secrets"]),
            columns=("Name", "secret:version"),
            add_label="Add a secret",
            help="By reference, for example hf-token:latest; the service account must read it.",
            group=CONTAINER,
        ),
        _rows(
            "command",
            "Words of the command",
            default,
            texts.command,
            group=COMMAND,
            column="Word",
        ),
    ]


def _probe(offered: Deployment, default: dict[str, Any]) -> list[Field]:
    longest = LONGEST_PROBE[bool(offered.accelerator)]
    rows = (
        ("probe_port", "Port asked", "Where it is asked.", (1, LARGEST_PORT)),
        ("probe_initial_delay", "Delay (seconds)", "Before the first time.", (0, 240)),
        ("probe_period", "Period (seconds)", "From one time to the next.", (1, 240)),
        ("probe_timeout", "Timeout (seconds)", "Not longer than the period.", (1, 240)),
        (
            "probe_failures",
            "Failures",
            f"Period times failures is the time to load: at most {longest} s, used in full.",
            (1, max(LONGEST_PROBE.values())),
        ),
    )
    return [
        Field(
            "probe_path",
            "Path",
            value=default["probe_path"],
            default=default["probe_path"],
            help=f"{_texts(offered).probe} Empty: it is enough that the port takes a connection.",
            group=PROBE,
        ),
        *(
            _number(key, label, default, text, group=PROBE, limits=limits)
            for key, label, text, limits in rows
        ),
    ]


def _storage(default: dict[str, Any]) -> list[Field]:
    return [
        _text(
            "mount_path",
            "Mount path",
            default,
            "Where the model's folder of the bucket appears, read-only; the engine looks there.",
            STORAGE,
        ),
        _number(
            "cache_gib",
            "File cache (GiB of memory)",
            default,
            "Cloud Storage FUSE keeps what it reads there; 0 for none.",
            group=STORAGE,
            limits=(0, 160),
        ),
        _rows(
            "mount_options",
            "Mount options",
            default,
            "Of Cloud Storage FUSE, without “--”; only-dir and the cache are added.",
            group=STORAGE,
            column="Option",
        ),
    ]


def _text(key: str, label: str, default: dict[str, Any], text: str, group: str) -> Field:
    return Field(
        key,
        label,
        required=True,
        value=default[key],
        default=default[key],
        help=text,
        group=group,
    )


def _number(
    key: str, label: str, default: dict[str, Any], text: str, *, group: str, limits: tuple[int, int]
) -> Field:
    return Field(
        key,
        label,
        "number",
        required=True,
        value=default[key],
        default=default[key],
        minimum=limits[0],
        maximum=limits[1],
        help=text,
        group=group,
    )


def _rows(
    key: str, label: str, default: dict[str, Any], text: str, *, group: str, column: str
) -> Field:
    words = tuple(default[key])
    return Field(
        key,
        label,
        "rows",
        value=words,
        default=words,
        columns=(column,),
        add_label=f"Add: {column.lower()}",
        help=text,
        group=group,
    )
