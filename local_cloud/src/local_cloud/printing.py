"""Text of others on a terminal or in a log: no more than text."""

from __future__ import annotations

import sys
import traceback
import unicodedata

_UNPRINTABLE = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode's categories of controls, of formats (bidi controls among them), of surrogates, and of
what ends a line or a paragraph."""


def printed(text: str) -> str:
    """Return a text in one line, with all that steers a terminal or turns text round as escapes."""
    return "".join(
        character.encode("unicode_escape").decode()
        if unicodedata.category(character) in _UNPRINTABLE
        else character
        for character in text
    )


def say(text: str) -> None:
    """Write a line on standard error."""
    sys.stderr.write(f"{printed(text)}\n")
    sys.stderr.flush()


def report(error: BaseException) -> None:
    """Write an error that nobody expected on standard error, with the lines that raised it."""
    told = [error]
    while cause := told[-1].__cause__ or told[-1].__context__:
        if cause in told:
            break
        told.append(cause)
    for each in reversed(told):
        where = "".join(traceback.format_tb(each.__traceback__))
        sys.stderr.write(f"Traceback (most recent call last):\n{where}")
        say(f"{type(each).__name__}: {each}")
