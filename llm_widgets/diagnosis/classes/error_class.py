"""A class of errors: what is true of all of them, and how they are told."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llm_widgets.domain.failures.remedies import Advice


@dataclass(frozen=True, slots=True)
class ErrorClass:
    """A class of errors.

    Attributes
    ----------
    meaning
        Template of a sentence that is true of all errors of the class; ``{raising}`` is the one of
        Python whose module raised the error.
    pattern
        Searched in the error's words.
    frames
        Searched in the functions and files of its traceback, where the words are of no use.
    """

    id: str
    meaning: str
    advice: tuple[Advice, ...]
    pattern: re.Pattern[str] | None = None
    frames: re.Pattern[str] | None = None


def words(pattern: str) -> re.Pattern[str]:
    """Compile what is searched in the words of an error, in any case of letters."""
    return re.compile(pattern, re.IGNORECASE)
