"""Who is said to have deployed and changed a service, in labels and annotations."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_widgets.domain import actors
from llm_widgets.domain.actors import Actor, Deed
from llm_widgets.domain.services import MANAGED_BY
from llm_widgets.serving import codec

ACCOUNT = "manager@p.iam.gserviceaccount.com"
ADA = Actor(ACCOUNT, "Ada.L@example.com")
LABEL = re.compile(r"([a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?)?")


def test_a_label_takes_no_dots_and_no_at() -> None:
    assert actors.label_value("Ada.L@example.com") == "ada_l_example_com"
    assert actors.label_value("") == ""


@given(st.text())
def test_any_name_becomes_a_label(name: str) -> None:
    assert LABEL.fullmatch(actors.label_value(name))


def test_long_names_stay_apart() -> None:
    first, second = (actors.label_value(f"{'a' * 300}{end}@example.com") for end in "xy")
    assert first != second
    assert len(first) == len(second) == actors.LONGEST_LABEL


def test_a_service_is_signed_in_place_of_the_one_before() -> None:
    made, paths = codec.sign({"labels": dict([MANAGED_BY])}, ADA, *Deed)
    changed, _ = codec.sign(made, Actor("bob@example.com"), Deed.CHANGED)
    assert paths == ["labels", "annotations"]
    assert changed["labels"] == {
        **dict([MANAGED_BY]),
        "llm-created-by": "ada_l_example_com",
        "llm-changed-by": "bob_example_com",
    }
    assert changed["annotations"] == {
        "llm-manager/created-by": "Ada.L@example.com",
        "llm-manager/created-through": ACCOUNT,
        "llm-manager/changed-by": "bob@example.com",
    }
    assert "llm-changed-by" in made["labels"]  # what was given is not changed


@pytest.mark.parametrize(
    ("account", "who"),
    [(ACCOUNT, "Ada.L@example.com"), ("eve@example.com", "eve@example.com"), ("", "")],
)
def test_who_changed_it_by_other_means_is_told_all_the_same(account: str, who: str) -> None:
    annotations = actors.annotations_of(Deed.CHANGED, ADA)
    assert actors.told(Deed.CHANGED, annotations, account) == who


def test_nobody_is_believed_where_cloud_run_names_no_account() -> None:
    assert actors.told(Deed.CREATED, {Deed.CREATED.by: "ada@example.com"}, "") == ""


def test_a_service_of_an_older_version_tells_its_account() -> None:
    assert actors.told(Deed.CREATED, {}, ACCOUNT) == ACCOUNT
