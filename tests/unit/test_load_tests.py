"""Load tests: the knee of servers whose knee is known, and what caches and errors make of it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from llm_widgets.domain.load_tests import kept, plan, verdicts
from llm_widgets.domain.load_tests.advice import Told
from llm_widgets.domain.load_tests.levels import Level, Outcome, Sample, level, percentile
from llm_widgets.domain.load_tests.prompts import CHAT, LONG, SHAPES, Shape, prompt
from llm_widgets.domain.load_tests.result import LoadTest
from llm_widgets.domain.load_tests.verdicts import Curve, Verdict
from llm_widgets.domain.prices import Basis, Price
from llm_widgets.serving.codec import scaling
from tests.unit.queue_server import QueueServer, step

if TYPE_CHECKING:
    from collections.abc import Callable

AT = datetime(2026, 12, 3, 5, tzinfo=UTC)
CHANCE = Random(3)
HOUR = Price(Decimal("1.42"), Basis.LIST)


def curve(
    server: QueueServer,
    shape: Shape = CHAT,
    *,
    most: int = 16,
    prompts: Callable[[], str] | None = None,
) -> Curve:
    """Test a server as a use case does: up to the first level that does not pass."""
    chance, planned = Random(7), plan.planned(most)
    ask = prompts or (lambda: prompt(shape, chance))
    first = server.ask(0, 0.0, ask(), plan.LEAST_TOKENS, 1)
    speed = plan.LEAST_TOKENS / (first.ended - (first.first or 0))
    tokens = plan.tokens(shape, planned.step, wait=first.first or 0, speed=speed)
    found: list[Level] = []
    for index, at_once in enumerate(planned.levels):
        begin = 1000.0 * (index + 1)
        samples = step(server, at_once, planned.step, tokens=tokens, prompts=ask, begin=begin)
        found.append(level(at_once, samples))
        if verdicts.knee(found, shape).next:
            break
    return Curve(shape, tokens, tuple(found))


@pytest.mark.parametrize("slots", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("speed", [12.0, 40.0, 300.0])
@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.id)
def test_the_knee_is_what_a_server_works_on_at_once(slots: int, speed: float, shape: Shape) -> None:
    found = curve(QueueServer(slots, speed=speed), shape)
    assert found.knee.best
    assert found.knee.best.at_once == slots
    assert (found.knee.next is None) == (slots == 16)


@pytest.mark.parametrize("slots", [1, 4, 8])
def test_throughput_is_that_of_the_slots(slots: int) -> None:
    server = QueueServer(slots, reading=0.2, speed=40.0)
    best = curve(server).knee.best
    assert best
    assert best.tokens_per_second == pytest.approx(slots * 128 / (0.2 + 128 / 40), rel=0.1)
    assert best.speed == pytest.approx(40, rel=0.02)
    assert best.ttft_95 == pytest.approx(0.2)


def test_a_prefix_cache_is_not_met() -> None:
    """The same server looks endlessly fast to who asks the same again, and has its knee to us."""
    fooled = curve(QueueServer(4), prompts=lambda: "Tell me a story about a river and a stone.")
    assert fooled.levels[0].tokens_per_second
    assert fooled.levels[0].tokens_per_second > 10_000
    server = QueueServer(4)
    best = curve(server).knee.best
    assert best
    assert best.at_once == 4


def test_no_two_prompts_begin_alike() -> None:
    chance = Random(1)
    for shape in SHAPES:
        texts = [prompt(shape, chance) for _ in range(200)]
        assert len({text[:16] for text in texts}) == 200
        assert all(len(text.split()) >= shape.words for text in texts)
    assert prompt(CHAT, Random(1)) != prompt(CHAT, Random(2))


@pytest.mark.parametrize(
    ("outcome", "verdict"),
    [(Outcome.FAILED, Verdict.ERRORS), (Outcome.REFUSED, Verdict.REFUSED)],
)
def test_errors_are_no_fast_answers(outcome: Outcome, verdict: Verdict) -> None:
    """A server that fails above 4 callers looks fast there, and is advised for 4."""
    server = QueueServer(16, outcome=lambda running: outcome if running > 4 else Outcome.ANSWERED)
    knee = curve(server).knee
    assert knee.best
    assert knee.best.at_once == 4
    assert knee.verdict is verdict
    assert knee.next
    assert knee.next.at_once == 8
    assert knee.next.tokens_per_second is None
    counts = (knee.next.refused, knee.next.failed)
    assert counts == ((8, 0) if outcome is Outcome.REFUSED else (0, 8))


def test_one_failure_among_many_does_not_end_it() -> None:
    good = [Sample(n % 8, n, n + 1.0, Outcome.ANSWERED, n + 0.1, 100) for n in range(199)]
    bad = Sample(0, 200, 200.5, Outcome.FAILED, reason="It broke.")
    found = level(8, [*good, bad])
    assert (found.answered, found.failed, found.reason) == (199, 1, "It broke.")
    assert verdicts.judged(found, None, CHAT) is Verdict.PASSED
    assert verdicts.judged(replace(found, failed=3), None, CHAT) is Verdict.ERRORS


def test_tokens_are_never_guessed() -> None:
    found = curve(QueueServer(4, counts=False))
    assert found.knee.best is None
    assert found.knee.verdict is Verdict.UNCOUNTED
    assert len(found.levels) == 1
    assert found.levels[0].tokens_per_second is None
    (told,) = made(found).advice
    assert "does not count its tokens" in told


def test_who_is_cut_off_has_waited() -> None:
    slow = QueueServer(1, reading=0.1, speed=30.0)
    samples = step(slow, 16, 18.0, tokens=128, prompts=lambda: prompt(CHAT, CHANCE), begin=0)
    found = level(16, samples)
    assert found.cut_off
    assert found.ttft_95
    assert found.ttft_95 > 15
    assert found.tokens_per_second == pytest.approx(128 / (0.1 + 128 / 30), rel=0.1)


def test_long_waits_and_slow_answers_end_it() -> None:
    before = Level(1, 10, tokens_per_second=30, speed=30, ttft=0.3, ttft_95=0.4)
    late = Level(2, 20, tokens_per_second=60, speed=30, ttft=1, ttft_95=2.5)
    slow = Level(2, 20, tokens_per_second=60, speed=9, ttft=0.3, ttft_95=0.4)
    assert verdicts.judged(late, before, CHAT) is Verdict.LATE
    assert verdicts.judged(late, before, LONG) is Verdict.PASSED
    assert verdicts.judged(slow, before, CHAT) is Verdict.SLOW
    # A lone caller who waits as long can't be helped by fewer callers.
    assert verdicts.judged(late, None, CHAT) is Verdict.PASSED
    assert verdicts.judged(late, replace(before, ttft_95=2.6), CHAT) is Verdict.PASSED


def measured_on_cloud_run() -> Curve:
    """A curve that was published: 31B in FP8, RTX PRO 6000, ``--max-num-seqs 8`` (2026-08-01)."""
    found = (
        *((1, 37.5, 0.41), (2, 71.9, 1.32), (4, 147.5, 0.43)),
        *((8, 289.5, 0.48), (16, 294.6, 7.19)),
    )
    levels = [
        Level(at_once, 10, tokens_per_second=rate, speed=36, ttft=wait, ttft_95=wait)
        for at_once, rate, wait in found
    ]
    return Curve(CHAT, 256, tuple(levels))


TOLD = Told(16, 8, "--max-num-seqs")


def made(*curves: Curve, told: Told = TOLD, hour: Price | None = HOUR) -> LoadTest:
    return LoadTest(AT, 171.3, "chat-00001-abc", told, hour, curves)


def test_the_published_curve_is_advised_as_it_should_be() -> None:
    test = made(measured_on_cloud_run(), hour=Price(Decimal("3.19"), Basis.ABOUT))
    outcome, settings, limit, costs = test.advice
    assert "up to 8 at once, 289.5 tokens per second" in outcome  # the advised level's
    assert "16 at once: no more tokens per second" in outcome
    assert "Set the concurrency of the service to 8, not 16" in settings
    assert test.shown()["advised_concurrency"] == 8
    assert "--max-num-seqs=8 is what limits it" in limit
    assert "about $3.06 with 8 at once, $23.63 for a lone user" in costs
    (curve_told,) = test.shown()["curves"]
    assert curve_told["best_at_once"] == 8
    assert curve_told["dollars_per_million"] == pytest.approx(3.0608)
    assert test.rows[-1].shown()["per_million"] == "about $3.01"


def test_more_is_advised_where_the_service_is_the_limit() -> None:
    found = curve(QueueServer(16), most=4)
    assert [each.at_once for each in found.levels] == [1, 2, 4]
    told = made(found, told=Told(4, 4, "OLLAMA_NUM_PARALLEL")).advice
    assert "4 is all that the service takes at once, and it still gained" in told[1]
    assert "raise the concurrency and OLLAMA_NUM_PARALLEL to 8" in told[1]


def test_a_price_that_is_not_known_stays_so() -> None:
    test = made(measured_on_cloud_run(), hour=None)
    assert "unknown" in test.advice[-1]
    assert {row.million_text for row in test.rows} == {"unknown"}
    assert test.shown()["curves"][0]["dollars_per_million"] is None


def test_slow_gpus_are_told() -> None:
    found = curve(QueueServer(1, speed=6.0))
    assert any("less than people read" in each for each in made(found).advice)


def test_the_service_s_own_limit_is_the_last_level() -> None:
    assert plan.levels(16) == (1, 2, 4, 8, 16)
    assert plan.levels(6) == (1, 2, 4, 6)
    assert plan.levels(1) == (1,)
    assert plan.planned(80).levels == (1, 2, 4, 8, 16)
    assert plan.planned(0).levels == (1,)
    for seconds in (0, 4.9, 181):
        with pytest.raises(ValueError, match="from 5 to 180"):
            plan.planned(8, seconds)


def test_the_time_is_kept() -> None:
    planned = plan.planned(16)
    assert planned.step * len(planned.levels) * len(planned.shapes) == 180
    for speed in (3.0, 30.0, 3000.0):
        tokens = plan.tokens(CHAT, planned.step, wait=0.2, speed=speed)
        assert 16 <= tokens <= CHAT.tokens
    samples = step(
        QueueServer(1, speed=10), 4, 10.0, tokens=64, prompts=lambda: prompt(CHAT, CHANCE)
    )
    assert max(each.ended for each in samples) <= 10


def test_percentiles() -> None:
    assert percentile([], 0.5) is None
    assert percentile([3.0], 0.95) == 3
    assert percentile([float(n) for n in range(1, 101)], 0.95) == 95


def test_a_test_is_kept_as_it_is() -> None:
    test = made(measured_on_cloud_run(), curve(QueueServer(2), LONG))
    text = kept.written(test)
    assert len(text) < kept.LONGEST
    read = kept.read(text)
    assert read
    assert kept.written(read) == text
    assert read.advice == test.advice
    assert read.hour == test.hour
    assert "1M tokens" in str(read)


@pytest.mark.parametrize(
    "change",
    [
        {"at": "soon"},
        {"at": 5},
        {"seconds": -1},
        {"seconds": True},
        {"revision": "a\nb"},
        {"revision": "x" * 65},
        {"concurrency": "8"},
        {"concurrency": 10**12},
        {"parallel_name": None},
        {"hour": "much"},
        {"hour": "nan"},
        {"basis": "guessed"},
        {"curves": []},
        {"curves": {"chat": {"tokens": 1, "levels": []}}},
        {"curves": {"chat": {"tokens": 1, "levels": [[1, 2]]}}},
        {"curves": {"chat": {"tokens": 1, "levels": [[1, 1, 0, 0, 0, "1", 1, 1, 1, 1, 1]]}}},
        {"curves": {"chat": {"tokens": 1, "levels": [[1, 1, 0, 0, 0, 1e99, 1, 1, 1, 1, 1]]}}},
    ],
    ids=str,
)
def test_what_others_write_is_not_believed(change: dict[str, object]) -> None:
    good = json.loads(kept.written(made(measured_on_cloud_run())))
    assert kept.read(json.dumps(good))
    assert kept.read(json.dumps(good | change)) is None


@pytest.mark.parametrize("text", ["", "[]", "{", "null", "[" * 500, "x" * 9000])
def test_what_is_no_test_is_none(text: str) -> None:
    assert kept.read(text) is None


def test_kinds_that_are_not_known_are_left_out() -> None:
    good = json.loads(kept.written(made(measured_on_cloud_run())))
    good["curves"]["vision"] = good["curves"]["chat"]
    read = kept.read(json.dumps(good))
    assert read
    assert [each.shape for each in read.curves] == [CHAT]


@pytest.mark.parametrize("own", [{}, {"maxInstanceCount": 5}, {"scalingMode": "AUTOMATIC"}])
def test_a_service_has_its_own_limit_back(own: dict[str, Any]) -> None:
    before = {"scaling": own, "annotations": {"a": "b"}, "template": {"scaling": {}}}
    found = scaling.limited(before, AT, "ada@example.com")
    assert found
    during, paths = found
    assert paths == ("scaling", "annotations")
    assert scaling.instances(during) == (0, 1)
    limit = scaling.limit_of(during)
    assert limit
    assert limit.text == "since 2026-12-03 05:00 UTC by ada@example.com"
    after = scaling.released(during)
    assert after
    assert after[0] == before
    assert scaling.released(before) is None
    assert scaling.limited(during, AT, "") is None


def test_limits_that_others_have_set_meanwhile_stay() -> None:
    before: dict[str, Any] = {"scaling": {"maxInstanceCount": 5}, "template": {}}
    found = scaling.limited(before, AT, "")
    assert found
    theirs = {**found[0], "scaling": {"minInstanceCount": 2, "maxInstanceCount": 7}}
    after = scaling.released(theirs)
    assert after
    assert after[0]["scaling"] == theirs["scaling"]
    assert after[1] == ("annotations",)
    paused, _ = scaling.paused(found[0], AT, "")
    pause = scaling.pause_of(paused)
    assert pause
    assert pause.most == 5
    assert scaling.limit_of(paused) is None


@pytest.mark.parametrize(
    ("service", "expected"),
    [
        ({}, (0, 100)),
        ({"scaling": {"maxInstanceCount": 3}, "template": {}}, (0, 3)),
        (
            {
                "scaling": {"minInstanceCount": 1, "maxInstanceCount": 3},
                "template": {"scaling": {"minInstanceCount": 2, "maxInstanceCount": 2}},
            },
            (2, 2),
        ),
        ({"scaling": {"scalingMode": "MANUAL", "manualInstanceCount": 4}}, (4, 4)),
    ],
)
def test_instances_of_a_service(service: dict[str, Any], expected: tuple[int, int]) -> None:
    assert scaling.instances(service) == expected
