"""What services answer beside text: calls of tools, vectors, rankings, labels, transcripts."""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass

from llm_widgets.domain.tables import Shown, Values


@dataclass(frozen=True, slots=True)
class Embedding(Shown):
    """A text as a vector."""

    text: str
    vector: tuple[float, ...]

    @property
    def dimension(self) -> int:
        """How many numbers the vector has."""
        return len(self.vector)

    def similarity(self, other: Embedding) -> float | None:
        """Return the cosine of the angle between two vectors, -1 to 1.

        ``None`` where they are not of one space, or one of them has no direction.
        """
        if self.dimension != other.dimension:
            return None
        lengths = math.hypot(*self.vector) * math.hypot(*other.vector)
        if not lengths or not math.isfinite(lengths):
            return None
        product = math.fsum(map(operator.mul, self.vector, other.vector))
        return max(-1.0, min(1.0, product / lengths))

    def shown(self) -> Values:
        """Return the text, and its vector whole."""
        return {"text": self.text, "dimension": self.dimension, "vector": list(self.vector)}


@dataclass(frozen=True, slots=True)
class Ranked(Shown):
    """A passage, and how well it answers a query.

    Attributes
    ----------
    index
        Which of the passages it is, from 0.
    score
        Higher is better. Engines have scales of their own: some 0 to 1, some any number.
    """

    index: int
    score: float
    passage: str

    def shown(self) -> Values:
        """Return the passage and its score."""
        return {"score": self.score, "passage": self.passage, "index": self.index}


@dataclass(frozen=True, slots=True)
class LabelScore:
    """A label, and how sure a classifier is that it fits; 1 is the most.

    Attributes
    ----------
    name
        Its number, as in ``"label 2"``, where the service does not name it.
    """

    name: str
    score: float


@dataclass(frozen=True, slots=True)
class Classified(Shown):
    """A text with the scores of all labels, the best one first."""

    text: str
    scores: tuple[LabelScore, ...]

    @property
    def best(self) -> LabelScore:
        """The label that fits best."""
        return self.scores[0]

    def shown(self) -> Values:
        """Return the text with its label, and all scores."""
        return {
            "label": self.best.name,
            "score": self.best.score,
            "text": self.text,
            "scores": {each.name: each.score for each in self.scores},
        }


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call of a tool that a model asks for; ``arguments`` is JSON as the model wrote it."""

    name: str
    arguments: str

    def __str__(self) -> str:
        """Write it as a call."""
        return f"{self.name}({self.arguments})"


@dataclass(frozen=True, slots=True)
class Transcript(Shown):
    """What is said in a recording."""

    text: str

    def shown(self) -> Values:
        """Return the text."""
        return {"text": self.text}
