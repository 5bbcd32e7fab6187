"""A step towards a page for colleagues: carried out, undone, and written as commands."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.serving.export_terraform import quoted as text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from llm_widgets.gcp.client.clients import Clients
    from llm_widgets.manager.hosting.plan import Page, Site


__all__ = ["AFTER_APIS", "Step", "block", "command", "text"]

AFTER_APIS = "[google_project_service.apis]"
"""What Terraform makes only once the APIs are enabled says so."""


class Step:
    """One subject of a page for colleagues.

    Parameters
    ----------
    page
        What is wanted.
    site
        Where it is made; later steps read what earlier ones found out.

    Attributes
    ----------
    title
        What it is about, as a heading.
    """

    title = ""

    def __init__(self, page: Page, site: Site) -> None:
        self.page = page
        self.site = site

    def ensure(self, clients: Clients) -> bool:
        """Have all of it as it is wanted; return whether anything was changed.

        Raises
        ------
        ManagerError
            It can't be had.
        """
        raise NotImplementedError

    def remove(self, clients: Clients) -> bool:
        """Remove what :meth:`ensure` made; return whether there was any of it.

        Raises
        ------
        ManagerError
            It can't be removed.
        """
        del clients
        return False

    def gcloud(self) -> Iterator[str]:
        """Yield the commands that do the same."""
        raise NotImplementedError

    def terraform(self) -> Iterator[str]:
        """Yield the blocks of Terraform that do the same."""
        raise NotImplementedError


def block(kind: str, name: str, fields: Mapping[str, str], *, more: str = "") -> str:
    """Write a block of Terraform, with the equals signs of its fields in a column.

    Parameters
    ----------
    fields
        Names to expressions of Terraform; ``text`` writes those that are texts.
    more
        Lines of inner blocks.
    """
    width = max(map(len, fields))
    lines = [f"  {key:{width}} = {value}" for key, value in fields.items()]
    inner = [f"  {line}" for line in more.splitlines()]
    return "\n".join([f'resource "{kind}" "{name}" {{', *lines, *inner, "}"])


def command(*words: str) -> str:
    """Write a command, one flag in a line; words may hold variables of the shell."""
    return " \\\n  ".join(words)
