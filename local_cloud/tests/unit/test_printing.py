"""What others wrote, on standard error."""

from __future__ import annotations

import pytest

from local_cloud.printing import printed, report


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain \u00e4\u4e2d text", "plain \u00e4\u4e2d text"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("a\r\nERROR forged", "a\\r\\nERROR forged"),
        ("\x9b2J\x00\x7f", "\\x9b2J\\x00\\x7f"),
        ("\u202etxt.exe\u2066", "\\u202etxt.exe\\u2066"),
        ("\u2028\u2029\ud800", "\\u2028\\u2029\\ud800"),
    ],
)
def test_nothing_but_text_is_left(text: str, shown: str) -> None:
    assert printed(text) == shown


def test_an_error_forges_no_lines(capfd: pytest.CaptureFixture[str]) -> None:
    def fails() -> None:
        try:
            _ = dict[str, str]()["\x1b[2Jwiped\nForged: line"]
        except KeyError as error:
            raise ValueError("a\nForged: line") from error

    try:
        fails()
    except ValueError as error:
        report(error)
    told = capfd.readouterr().err
    assert "test_an_error_forges_no_lines" in told
    assert "ValueError: a\\nForged: line\n" in told
    assert "\x1b" not in told
    assert not [line for line in told.splitlines() if line.startswith("Forged")]
