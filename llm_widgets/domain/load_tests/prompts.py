"""What a load test asks: prompts whose beginning no cache has seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

_NONCE_BITS = 64


@dataclass(frozen=True, slots=True)
class Shape:
    """A kind of requests.

    Attributes
    ----------
    label
        What such requests are, as the page says it.
    words
        Of the prompt, chosen by chance; a word is about one token.
    tokens
        Most tokens of an answer.
    longest_wait
        Seconds after which 95 % of the answers must have begun.
    """

    id: str
    label: str
    words: int
    tokens: int
    longest_wait: float


CHAT = Shape("chat", "Short chat", words=40, tokens=128, longest_wait=2.0)
LONG = Shape("long", "Long prompt", words=1500, tokens=64, longest_wait=5.0)
SHAPES = (CHAT, LONG)
"""The waits are our own choice: a person in a chat gets impatient; a long prompt has to be read."""

_TEXT = (
    "river stone light cloud green table winter music paper silver garden window road bridge "
    "market letter summer island forest animal number story circle engine metal sugar water "
    "yellow morning valley ocean mountain castle farmer doctor teacher kitchen picture station "
    "village harbour feather blanket candle mirror pencil ticket basket button carpet drawer "
    "engineer fabric glass hammer insect jacket kettle ladder magnet needle orange"
)
_WORDS = tuple(_TEXT.split())


def prompt(shape: Shape, chance: Random) -> str:
    """Return a prompt.

    It differs from every other one from its first word on: what an engine keeps of an earlier
    prompt (prefix caching) can't be used for it. The other words differ too, as engines may keep
    a prompt in blocks.
    """
    nonce = f"{chance.getrandbits(_NONCE_BITS):016x}"
    words = " ".join(chance.choices(_WORDS, k=shape.words))
    return f"{nonce}: {words}.\nWrite a long story in which these words occur. Do not stop early."
