"""What secrets look like in a text: in a log that others are shown, and in what is typed.

Python and JavaScript read these regular expressions alike: they have no flags of their own.
"""

from __future__ import annotations

FORMS: tuple[tuple[str, str], ...] = (
    (r"-----BEGIN [A-Z ]{1,40}-----.{0,4000}?(?:-----END [A-Z ]{1,40}-----|$)", "KEY"),
    (r"\beyJ[\w-]{5,4000}\.[\w-]{5,4000}(?:\.[\w-]{0,4000})?", "TOKEN"),
    (r"\b[A-Za-z]{2,10}(?:_pat)?[_-](?=[A-Za-z_-]{0,40}\d)[\w-]{20,300}", "TOKEN"),
    (r"\b(?:ya29\.|AIza|AKIA|1//)[\w-]{8,500}", "TOKEN"),
)
"""What is a secret by its form, and a word for it: keys, tokens of Google, AWS and hubs."""

NAMES = r"authorization|bearer|password|passwd|secret|token|api[_-]?key|access[_-]?key"
"""Words that a secret follows, upper or lower case."""

IN_ADDRESS = r"(?<=://)[^/\s@]{1,200}:[^/\s@]{1,200}@"
"""User and password in a URL."""

BY_FORM = "|".join([*(form for form, _ in FORMS), IN_ADDRESS])
"""Found in a text that holds a secret which its form gives away, upper or lower case."""

HELD = "|".join([BY_FORM, rf"(?<![a-z])(?:{NAMES})(?![a-z])"])
"""Found in a text that holds a secret, or names one, upper or lower case.

Rather in too many: whatever follows a word such as ``--api-key`` may be one.
"""
