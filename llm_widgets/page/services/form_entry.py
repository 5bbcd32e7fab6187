"""A field of a deployment's form as plain data: what is asked, and where a deployment holds it."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal

from llm_widgets.domain import names
from llm_widgets.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from llm_widgets.domain.services import Deployment
    from llm_widgets.engines.base import Engine

CONCURRENCY = "Concurrent requests per instance"
Kind = Literal["text", "select", "checkbox", "number", "rows", "pairs"]
Values = dict[str, Any]
Choice = tuple[str, str]
"""A value of a ``select``, and its words."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a form is drawn for.

    Attributes
    ----------
    offered
        What each field restores.
    now
        What is chosen: GPUs depend on the region, vCPUs on the GPU, memory on the vCPUs.
    location
        Region of the bucket.
    engines
        Those that serve the model.
    is_refused
        Whether it does not fit into the GPU: then it is deployed only if somebody insists.
    has_code
        Whether the model brings code of its own, which runs only if a person agrees.
    """

    offered: Deployment
    now: Deployment
    location: str
    engines: Sequence[Engine] = ()
    is_refused: bool = False
    has_code: bool = False


def number(value: Any) -> float:
    """Read a number.

    Raises
    ------
    InvalidInputError
        It is none.
    """
    try:
        return float(value)
    except (TypeError, ValueError):
        raise InvalidInputError("Enter a number.") from None


def whole(value: Any) -> int:
    """Read a whole number.

    Raises
    ------
    InvalidInputError
        It is none.
    """
    read = number(value)
    if read != int(read):
        raise InvalidInputError("Enter a whole number.")
    return int(read)


def mapping(pairs: Iterable[Sequence[str]], noun: str) -> dict[str, str]:
    """Read the rows of ``pairs``.

    Raises
    ------
    InvalidInputError
        A name stands twice.
    """
    found: dict[str, str] = {}
    for name, value in pairs:
        if name in found:
            raise InvalidInputError(f"The {noun} {names.shown(name)} is entered twice.")
        found[name] = value
    return found


def _rows_of(found: Mapping[str, str]) -> list[list[str]]:
    return [[name, value] for name, value in found.items()]


def _same(value: Any) -> Any:
    return value


_WRITERS: dict[str, Callable[[Any], Any]] = {"rows": list, "pairs": _rows_of}
_READERS: dict[str, Callable[[Any], Any]] = {"checkbox": bool, "number": whole, "rows": tuple}


@dataclass(frozen=True, slots=True)
class Entry:
    """One field of the form.

    Attributes
    ----------
    key
        Of its value in the form.
    label, help
        Words above and below it; the help may depend on what the form is drawn for.
    kind
        As of :class:`llm_widgets.widgets.fields.Field`, like all that is not explained here.
    path
        Where a deployment holds it, dotted; empty where that is under its key.
    write, read
        From the deployment's value to the form's, and back; those of its kind unless given.
    derive
        Work out the form's value where a deployment holds no such value: what the form then says
        is read by the card.
    initial
        What it holds first where it is no matter of a deployment at all.
    choices
        Of a ``select``: values and words.
    limits
        Least and most of a ``number``.
    is_basic
        Whether it is asked at once: the others stand under "Advanced".
    is_shown
        Whether the form has it.
    follows
        Whether it follows other fields while they are filled in.
    restores
        Whether it can be set back to what was offered.
    """

    key: str
    label: str
    help: str | Callable[[Shown], str]
    kind: Kind = "text"
    path: str = ""
    write: Callable[[Any], Any] | None = None
    read: Callable[[Any], Any] | None = None
    derive: Callable[[Deployment], Any] | None = None
    initial: Any = None
    choices: Callable[[Shown], Iterable[Choice]] = lambda _: ()
    limits: tuple[int | None, int | None] = (None, None)
    max_length: int = 0
    columns: tuple[str, ...] = ()
    add_label: str = ""
    placeholder: str = ""
    show_when: tuple[str, str] | None = None
    is_required: bool = False
    is_long: bool = False
    is_basic: bool = False
    is_shown: Callable[[Shown], bool] = lambda _: True
    follows: bool = False
    restores: bool = True

    @property
    def is_of_deployment(self) -> bool:
        """Whether it says something of the deployment."""
        return self.initial is None

    @property
    def is_held(self) -> bool:
        """Whether a deployment holds this very value."""
        return self.is_of_deployment and self.derive is None

    @property
    def place(self) -> str:
        """Where a deployment holds it, dotted."""
        return self.path or self.key

    def value_of(self, deployment: Deployment) -> Any:
        """Return what the form holds for a deployment."""
        if not self.is_of_deployment:
            return self.initial
        if self.derive:
            return self.derive(deployment)
        write = self.write or _WRITERS.get(self.kind, _same)
        return write(attrgetter(self.place)(deployment))

    def read_from(self, values: Mapping[str, Any]) -> Any:
        """Return what a deployment holds for the values of a form.

        Raises
        ------
        InvalidInputError
            A value has no such form at all.
        """
        try:
            return (self.read or _READERS.get(self.kind, _same))(values[self.key])
        except InvalidInputError as error:
            error.field = self.key
            raise


@dataclass(frozen=True, slots=True)
class Card:
    """Fields of one subject under a heading.

    Attributes
    ----------
    summary
        Say in a line what they hold, where the card is folded at first.
    read
        Read what several of the fields say together: dotted place in the deployment to its value.
    """

    title: str
    entries: tuple[Entry, ...]
    summary: Callable[[Deployment], str] | None = None
    read: Callable[[Mapping[str, Any], Deployment], Values] = lambda _, __: {}
