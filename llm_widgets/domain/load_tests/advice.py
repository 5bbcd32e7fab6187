"""What to change of a service after a load test, in sentences.

All numbers are those of the level that is advised, never those of the highest throughput.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_widgets.domain.load_tests.plan import MOST_AT_ONCE
from llm_widgets.domain.load_tests.prompts import CHAT
from llm_widgets.domain.load_tests.verdicts import READING, Verdict, per_million
from llm_widgets.domain.prices import dollars

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from llm_widgets.domain.load_tests.levels import Level
    from llm_widgets.domain.load_tests.prompts import Shape
    from llm_widgets.domain.load_tests.verdicts import Curve, Knee
    from llm_widgets.domain.prices import Price


@dataclass(frozen=True, slots=True)
class Told:
    """What a service was told while it was tested.

    Attributes
    ----------
    concurrency
        Requests that Cloud Run sends to an instance at once.
    parallel
        Requests that the engine works on at once; ``None`` where that is not known.
    parallel_name
        Where the engine is told so.
    """

    concurrency: int
    parallel: int | None = None
    parallel_name: str = ""


def advised(curves: Sequence[Curve], told: Told) -> int | None:
    """Return how many requests at once a service should take; ``None`` where nothing tells.

    Twice as many as it takes where it still gained with all of them: that is what to test next.
    """
    knee = next((each.knee for each in curves if each.knee.best), None)
    if knee is None or knee.best is None:
        return None
    count = knee.best.at_once
    is_limit = knee.next is None and count == told.concurrency
    return min(2 * count, max(count, MOST_AT_ONCE)) if is_limit else count


def advice(curves: Sequence[Curve], told: Told, hour: Price | None) -> tuple[str, ...]:
    """Return what follows from a load test.

    The first kind of requests that was served decides on the settings; of the others it is said
    how many of them at once go well.
    """
    sentences = [_outcome(each.shape, each.knee) for each in curves]
    served = [each for each in curves if each.knee.best]
    if not served:
        return tuple(sentences)
    knee = served[0].knee
    assert knee.best
    sentences += _settings(knee.best, knee, told, advised(served, told))
    sentences += _gpu(knee.best)
    sentences += _costs(served, hour)
    return tuple(sentences)


def _outcome(shape: Shape, knee: Knee) -> str:
    best, label = knee.best, shape.label
    if best is None:
        why = f" {knee.next.reason}" if knee.next and knee.next.reason else ""
        return f"{label}: nothing can be advised. {_why(knee, shape)}{why}".strip()
    return (
        f"{label}: up to {best.at_once} at once, {best.tokens_per_second or 0:,.1f} tokens per "
        f"second in all; 95% of the answers begin within {best.ttft_95 or 0:.2f} s. "
        f"{_why(knee, shape)}"
    ).strip()


def _why(knee: Knee, shape: Shape) -> str:
    """Return why it is not more."""
    level = knee.next
    if level is None:
        return ""
    why = {
        Verdict.REFUSED: f"{level.refused} of {level.requests} requests were refused.",
        Verdict.ERRORS: f"{level.failed} of {level.requests} requests failed.",
        Verdict.UNANSWERED: "no answer was complete in time.",
        Verdict.UNCOUNTED: "the engine does not count its tokens (usage).",
        Verdict.LATE: (
            f"answers begin after {level.ttft_95 or 0:.1f} s; at most {shape.longest_wait:g} s "
            "are good."
        ),
        Verdict.SLOW: f"an answer has {level.speed or 0:.1f} tokens per second only.",
        Verdict.NO_GAIN: "no more tokens per second, and a longer wait.",
    }
    return f"{level.at_once} at once: {why[knee.verdict]}"


def _settings(best: Level, knee: Knee, told: Told, wanted: int | None) -> Iterator[str]:
    count, name = best.at_once, told.parallel_name
    if knee.next is None and count < MOST_AT_ONCE:
        # Never beyond what the service takes: the rest would wait in front of it.
        also = f" and {name}" if name else ""
        yield (
            f"{count} is all that the service takes at once, and it still gained: raise the "
            f"concurrency{also} to {wanted}, and test again."
        )
    elif count == told.concurrency:
        yield f"The concurrency of the service, {count}, is right."
    elif count < told.concurrency:
        yield (
            f"Set the concurrency of the service to {count}, not {told.concurrency}: with more, "
            "requests wait in the engine where no further instance could take them."
        )
    elif knee.next is None:
        yield f"More than {MOST_AT_ONCE} at once were not tried; it still gained there."
    if name and told.parallel is not None and told.parallel != count and knee.next is not None:
        yield f"The engine works on {told.parallel} at once ({name}): {count} are enough."
    elif name and told.parallel == count and knee.verdict is Verdict.NO_GAIN:
        yield (
            f"{name}={count} is what limits it: a GPU with memory to spare may do more with a "
            "higher one."
        )


def _gpu(best: Level) -> Iterator[str]:
    if best.speed is not None and best.speed < READING:
        yield (
            f"An answer has {best.speed:.1f} tokens per second, less than people read "
            f"({READING:g}): a larger GPU or a quantized version of the model is faster."
        )
    elif (best.ttft_95 or 0) > CHAT.longest_wait and best.at_once == 1:
        yield (
            f"Even a lone user waits {best.ttft_95 or 0:.1f} s for the first token: a larger GPU "
            "or a smaller model is faster."
        )


def _costs(served: Sequence[Curve], hour: Price | None) -> Iterator[str]:
    for curve in served:
        best = curve.knee.best
        full, lone = per_million(hour, best), per_million(hour, curve.alone)
        if best is None or full is None or lone is None:
            yield "What a million tokens cost is unknown: there is no price for an instance."
            return
        yield (
            f"{curve.shape.label}: 1M tokens of answers cost {full.basis.prefix}"
            f"{dollars(full.amount)} with {best.at_once} at once, {dollars(lone.amount)} for a "
            "lone user."
        )
