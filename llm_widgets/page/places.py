"""Places of the page and their addresses: what stands after ``#`` in the browser's address bar.

An address comes from outside: from a bookmark, a colleague, or anybody who can write a link. It
says what is shown, and never what is done.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from urllib.parse import quote, unquote_to_bytes

_LONGEST = 2000
"""Characters of an address that is read: more than a region, a bucket and a model's name take."""

EDIT = "edit"
SECTIONS = ("logs", "metrics", "try", "access", "revisions", "yaml", EDIT)
"""Sections of a service that have an address of their own; without one it is its overview."""


class View(Enum):
    """What can be shown: the first word of the address, and how many names follow."""

    GENERAL = ("general", 0, 0)
    MODELS = ("models", 0, 0)
    MODEL = ("models", 2, 3)
    IMPORT = ("import", 0, 1)
    SERVICES = ("services", 0, 0)
    SERVICE = ("services", 2, 3)
    DEPLOY = ("deploy", 2, 3)

    @property
    def word(self) -> str:
        """The first word of its addresses."""
        return self.value[0]

    def takes(self, count: int) -> bool:
        """Return whether so many names can follow the word."""
        return self.value[1] <= count <= self.value[2]


@dataclass(frozen=True, slots=True)
class Place:
    """One place of the page.

    Attributes
    ----------
    view
        What is shown.
    names
        Of what: bucket and model, and the revision where the bucket has several of that model;
        region and service, and the section; the bucket that is imported into.
    """

    view: View
    names: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """The address, with its ``#``: ``#/services/europe-west1/chat/logs``."""
        return "#/" + "/".join([self.view.word, *(quote(each, safe=":@") for each in self.names)])

    @property
    def title(self) -> str:
        """What a bookmark of the place is called."""
        what = {View.MODEL: 1, View.DEPLOY: 1, View.SERVICE: 1, View.IMPORT: 0}.get(self.view)
        name = self.names[what] if what is not None and self.names else ""
        return " - ".join(part for part in (name, self.view.word.capitalize()) if part)


GENERAL, MODELS, SERVICES = Place(View.GENERAL), Place(View.MODELS), Place(View.SERVICES)


def service(region: str, name: str, section: str = "") -> Place:
    """Return the place of a service; without a section that of its overview."""
    return Place(View.SERVICE, (region, name, section) if section else (region, name))


def parse(address: str) -> Place | None:
    """Return the place of an address, ``None`` where it is none.

    Parameters
    ----------
    address
        With or without its ``#``.
    """
    if len(address) > _LONGEST:
        return None
    start, *parts = address.removeprefix("#").split("/")
    if start or not parts:
        return None
    try:
        word, *names = [unquote_to_bytes(part).decode() for part in parts]
    except UnicodeDecodeError:
        return None
    if not all(name.isprintable() and name for name in names):
        return None
    view = next((each for each in View if each.word == word and each.takes(len(names))), None)
    if view is None or (view is View.SERVICE and not set(names[2:]).issubset(SECTIONS)):
        return None
    place = Place(view, tuple(names))
    return place if len(place.address) <= _LONGEST else None  # escaped, it may be longer
