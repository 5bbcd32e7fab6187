"""Tables for terminals, notebooks and programs: what others wrote stays text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from llm_widgets.domain.tables import Listing, Shown, Values


@dataclass(frozen=True, slots=True)
class Thing(Shown):
    name: str
    size: int | None = None
    url: str = ""

    def shown(self) -> Values:
        made = datetime(2026, 12, 1, 12, tzinfo=UTC)
        return {"name": self.name, "size": self.size, "url": self.url, "made_at": made}


THINGS = Listing(
    [Thing("a<b>", 98_400_000, "https://a.run.app"), Thing("c\x1b[31m")], ("name", "size")
)


def test_a_terminal_shows_columns_and_no_escapes_of_others() -> None:
    assert repr(THINGS).splitlines() == ["name       size", "a<b>       98.4 MB", "c\\x1b[31m"]
    assert repr(Listing()) == "(none)"


def test_a_notebook_shows_what_others_wrote_as_text() -> None:
    table = THINGS._repr_html_()
    assert "<td>a&lt;b&gt;</td>" in table
    assert "\x1b" not in table
    card = THINGS[0]._repr_html_()
    assert '<a href="https://a.run.app" target="_blank" rel="noopener noreferrer">' in card
    assert "href" not in Thing("x", url="javascript:alert(1)")._repr_html_()
    assert "href" not in Thing("x", url='https://a.app/"onclick="x')._repr_html_()


def test_a_part_of_a_table_is_a_table_and_a_program_gets_values() -> None:
    assert THINGS[1:].columns == ("name", "size")
    assert tuple(THINGS) == (THINGS[0], THINGS[1])
    assert [row["size"] for row in THINGS.values()] == [98_400_000, None]
    assert str(THINGS[0]).splitlines()[1] == "size     98.4 MB"
