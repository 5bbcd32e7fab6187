"""When services are to be paused by themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from llm_widgets.domain import leases, pausing
from llm_widgets.domain.leases import LEASE_ANNOTATION, Lease
from llm_widgets.domain.pausing import PAUSED_ANNOTATION, Pause
from llm_widgets.serving.codec import scaling

NOW = datetime(2026, 12, 3, 16, 30, tzinfo=UTC)
AT = datetime(2026, 12, 3, 18, 0, tzinfo=UTC)
HERE = timezone(timedelta(hours=1))
STOPPED = {"scalingMode": "MANUAL"}


def document(**scale: Any) -> dict[str, Any]:
    return {"annotations": {"of/others": "stays"}, "scaling": scale, "template": {}}


def leased(**scale: Any) -> dict[str, Any]:
    found, paths = scaling.leased(document(**scale), AT, "anna", is_scheduled=True)
    assert paths == ("annotations",)
    return found


def test_it_is_read_as_it_was_written() -> None:
    for lease in (Lease(AT), Lease(AT, "anna", 1, 3, is_scheduled=True)):
        assert leases.read({LEASE_ANNOTATION: leases.written(lease)}) == lease


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '"x"', '{"at": 5}', '{"by": "anna"}', "[" * 2000]
)
def test_what_is_none(text: str) -> None:
    assert leases.read({LEASE_ANNOTATION: text}) is None
    assert leases.read({}) is None


def test_only_true_promises_that_it_is_carried_out() -> None:
    told = f'{{"at": "{AT.isoformat()}", "isScheduled": "true"}}'
    found = leases.read({LEASE_ANNOTATION: told})
    assert found
    assert not found.is_scheduled
    assert found.text(NOW) == "Pause due at 2026-12-03 18:00 UTC. Nothing pauses it automatically."
    assert found.text(AT).startswith("Pause was due")


def test_what_is_said_of_one_that_is_scheduled() -> None:
    lease = Lease(AT, "anna", is_scheduled=True)
    assert lease.text(NOW) == "Pauses at 2026-12-03 18:00 UTC, by anna"
    assert lease.text(AT) == "Should have paused at 2026-12-03 18:00 UTC, by anna"


def test_a_service_keeps_what_it_is_resumed_with() -> None:
    kept = leased(minInstanceCount=1, maxInstanceCount=3)
    assert kept["scaling"] == {"minInstanceCount": 1, "maxInstanceCount": 3}
    assert kept["annotations"]["of/others"] == "stays"
    # Cloud Scheduler stops it and writes nothing else.
    stopped = {**kept, "scaling": STOPPED}
    pause = leases.pause_of(stopped["annotations"], AT)
    assert pause == Pause(AT, "anna", 1, 3)
    resumed, _ = scaling.resumed(stopped, pause)
    assert resumed["scaling"] == {
        "scalingMode": "AUTOMATIC",
        "minInstanceCount": 1,
        "maxInstanceCount": 3,
    }
    assert resumed["annotations"] == {"of/others": "stays"}


def test_a_pause_by_others_before_it_is_not_told_as_its() -> None:
    annotations = leased(maxInstanceCount=3)["annotations"]
    assert leases.pause_of(annotations, NOW) == Pause(most=3)
    by_hand = {**annotations, PAUSED_ANNOTATION: pausing.written(Pause(NOW, "ben"))}
    assert leases.pause_of(by_hand, AT) == Pause(NOW, "ben")


def test_taking_it_off_keeps_what_a_paused_service_is_resumed_with() -> None:
    assert scaling.without_lease(document(), NOW) is None
    off = scaling.without_lease(leased(maxInstanceCount=3), NOW)
    assert off
    assert off[0]["annotations"] == {"of/others": "stays"}
    stopped = {**leased(maxInstanceCount=3), "scaling": STOPPED}
    off = scaling.without_lease(stopped, AT)
    assert off
    assert LEASE_ANNOTATION not in off[0]["annotations"]
    assert pausing.read(off[0]["annotations"][PAUSED_ANNOTATION]) == Pause(AT, "anna", None, 3)


def test_its_time_in_cron_is_that_of_utc() -> None:
    assert leases.schedule(datetime(2026, 12, 31, 23, 5, tzinfo=HERE)) == "5 22 31 12 *"
    assert leases.schedule(datetime(2027, 1, 1, 0, 30, tzinfo=HERE)) == "30 23 31 12 *"


def test_seconds_are_rounded_up() -> None:
    assert leases.whole(AT) == AT
    assert leases.whole(AT + timedelta(seconds=1)) == AT + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("at", "why"),
    [
        (NOW, "over"),
        (NOW + timedelta(seconds=90), "two minutes"),
        (NOW + timedelta(days=91), "90 days"),
        (NOW + timedelta(minutes=2), ""),
        (NOW + timedelta(days=90), ""),
    ],
)
def test_times_that_are_refused(at: datetime, why: str) -> None:
    found = leases.problem(at, NOW)
    assert why in found
    assert bool(found) == bool(why)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("18:00", "2026-12-03T17:00"),
        ("9:15", "2026-12-04T08:15"),
        ("2026-12-24T18:00", "2026-12-24T17:00"),
        ("2026-12-24 18:00+00:00", "2026-12-24T18:00"),
    ],
)
def test_times_are_of_the_persons_zone(text: str, found: str) -> None:
    moment = leases.moment(text, NOW.astimezone(HERE))
    assert f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M}" == found


@pytest.mark.parametrize("text", ["", "noon", "25:00", "18", "2026-13-01T00:00"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="not a time such as"):
        leases.moment(text, NOW)


def test_how_long_it_runs_on() -> None:
    assert leases.after("4h") == timedelta(hours=4)
    assert leases.after("90 M") == timedelta(minutes=90)
    for text in ("", "4", "h", "-1h", "1.5h", "99999d"):
        with pytest.raises(ValueError, match="not a time such as"):
            leases.after(text)
