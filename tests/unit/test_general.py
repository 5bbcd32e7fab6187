"""What the General tab judges without asking anybody."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llm_widgets.domain import gpus
from llm_widgets.domain.capacity import (
    NO_HISTORY,
    Capacity,
    Fit,
    Kind,
    Wanted,
    shortage,
    verdict,
    worth_asking,
)
from llm_widgets.domain.checklist import (
    BOTH,
    Answer,
    CheckState,
    Row,
    Subject,
    Work,
    blockers,
    replaced,
    summary,
)
from llm_widgets.domain.networks import NetworkChoice, NetworkKind, read_choices, read_labels
from llm_widgets.domain.services import SubnetAccess
from llm_widgets.gcp.iam import role_catalogue

L4, RTX = gpus.GPUS[:2]
NEW_PROJECT = Capacity(
    gpus=3, gpus_redundant=0, cpu=20, memory_gib=40, used_gpus=0, used_cpu=0, used_memory_gib=0
)


def row(key: str, state: CheckState, blocks: frozenset[Work] = frozenset()) -> Row:
    return Row(Subject(key, key, ""), Answer(state, blocks=blocks))


def test_only_what_is_missing_blocks() -> None:
    rows = [
        row("a", CheckState.MISSING, BOTH),
        row("b", CheckState.UNKNOWN, BOTH),
        row("c", CheckState.MISSING, frozenset({Work.IMPORT})),
        row("d", CheckState.MISSING),
        row("e", CheckState.OK, BOTH),
    ]
    assert [each.key for each in blockers(rows, Work.IMPORT)] == ["a", "c"]
    assert [each.key for each in blockers(rows, Work.DEPLOY)] == ["a"]


def test_a_row_is_replaced_in_its_place() -> None:
    rows = (row("a", CheckState.CHECKING), row("b", CheckState.CHECKING))
    done = row("a", CheckState.OK)
    assert replaced(rows, done) == (done, rows[1])
    assert summary(replaced(rows, done)) == "1 of 2 checks passed, 1 checking"
    assert summary(()) == ""


@pytest.mark.parametrize(
    ("capacity", "fit", "words"),
    [
        (NEW_PROJECT, Fit.FITS, "3 GPUs are free."),
        (replace(NEW_PROJECT, used_gpus=2), Fit.FITS, "1 GPU is free."),
        (replace(NEW_PROJECT, used_gpus=3), Fit.NOT, "All 3 GPUs of the quota are in use"),
        (replace(NEW_PROJECT, gpus=0), Fit.GRANTED_FIRST, "usually grants 3"),
        (
            replace(NEW_PROJECT, gpus=0, ineligible_because=NO_HISTORY),
            Fit.NOT,
            "free trials",
        ),
        (
            replace(NEW_PROJECT, used_cpu=8, used_memory_gib=20, used_gpus=1),
            Fit.FITS,
            "At most 8 vCPU and 16 GiB",
        ),
        (
            replace(NEW_PROJECT, used_cpu=18),
            Fit.NOT,
            "Needs 4 vCPU, 2 of 20 free. Request a higher quota.",
        ),
        (
            replace(NEW_PROJECT, used_memory_gib=32),
            Fit.NOT,
            "Needs 16 GiB of memory, 8 of 40 GiB free. Request a higher quota.",
        ),
        (replace(NEW_PROJECT, gpus=None), Fit.UNKNOWN, "Not known: the GPU quota."),
        (Capacity(), Fit.UNKNOWN, "Not known: the GPU quota, the vCPU quota"),
        (replace(NEW_PROJECT, used_cpu=None), Fit.UNKNOWN, "Not known: what services use."),
        (replace(NEW_PROJECT, cpu=float("inf"), gpus=float("inf")), Fit.FITS, "No limit on GPUs."),
    ],
)
def test_verdicts_on_an_l4(capacity: Capacity, fit: Fit, words: str) -> None:
    found = verdict(L4, capacity)
    assert found.fit is fit
    assert words in found.text


@pytest.mark.parametrize(
    ("capacity", "wanted", "told"),
    [
        (NEW_PROJECT, Wanted(1, 8, 32), ""),
        (NEW_PROJECT, Wanted(2, 8, 16), ""),
        (NEW_PROJECT, Wanted(2, 8, 32), "64 GiB of memory needed, 40 of 40 GiB free."),
        (
            replace(NEW_PROJECT, used_gpus=2, used_cpu=16, used_memory_gib=0),
            Wanted(2, 8, 16),
            "2 GPUs needed, 1 of 3 free; 16 vCPU needed, 4 of 20 free.",
        ),
        (
            NEW_PROJECT,
            Wanted(1, 8, 32, redundant=True),
            "1 GPU with zonal redundancy needed, 0 of 0 free.",
        ),
        (replace(NEW_PROJECT, gpus=0), Wanted(1, 8, 32), ""),
        (
            replace(NEW_PROJECT, gpus=0, ineligible_because=NO_HISTORY),
            Wanted(1, 8, 32),
            "1 GPU needed, 0 of 0 free.",
        ),
        (Capacity(), Wanted(100, 8, 32), ""),
    ],
)
def test_what_a_deployment_lacks(capacity: Capacity, wanted: Wanted, told: str) -> None:
    assert shortage(capacity, wanted) == told


def test_what_is_worth_asking_for() -> None:
    assert worth_asking(NEW_PROJECT, Wanted(1, 8, 32)) == (Kind.GPUS, 4)
    assert worth_asking(NEW_PROJECT, Wanted(1, 20, 80)) == (Kind.MEMORY, 80)
    used = replace(NEW_PROJECT, used_cpu=16, used_gpus=1)
    assert worth_asking(used, Wanted(1, 8, 16)) == (Kind.CPU, 24)
    assert worth_asking(used, Wanted(3, 8, 16)) == (Kind.GPUS, 4)
    no_limit = replace(NEW_PROJECT, gpus=float("inf"), cpu=None, memory_gib=None)
    assert worth_asking(no_limit, Wanted(9, 8, 32)) == (Kind.GPUS, 3)


def test_a_new_project_has_no_room_for_the_large_gpu() -> None:
    found = verdict(RTX, NEW_PROJECT)
    assert (found.fit, found.text) == (
        Fit.NOT,
        "Needs 80 GiB of memory; the limit is 40 GiB. Request a higher quota.",
    )


@pytest.mark.parametrize(
    ("permissions", "roles"),
    [
        (["run.services.get"], ("roles/run.viewer",)),
        (["run.services.get", "run.services.create"], ("roles/run.developer",)),
        (["run.jobs.run", "run.services.setIamPolicy"], ("roles/run.admin",)),
        (
            ["compute.networks.list", "vpcaccess.connectors.list"],
            ("roles/compute.networkViewer", "roles/vpcaccess.viewer"),
        ),
        (["nothing.like.this"], ()),
    ],
)
def test_the_least_roles_for_several_permissions(
    permissions: list[str], roles: tuple[str, ...]
) -> None:
    assert role_catalogue.least_roles(permissions) == roles


@pytest.mark.parametrize(
    "member", ["user:a@example.com", "group:g@example.com", "serviceAccount:s@p.example.com", ""]
)
def test_commands_name_the_member(member: str) -> None:
    told = role_catalogue.commands(["roles/browser", "roles/run.viewer"], member, project="p-12345")
    who = member or "MEMBER"
    assert told.splitlines() == [
        f"gcloud projects add-iam-policy-binding p-12345 --member={who} --role=roles/browser",
        f"gcloud projects add-iam-policy-binding p-12345 --member={who} --role=roles/run.viewer",
    ]


SUBNET = NetworkChoice(NetworkKind.SUBNET, "default", "models")
CONNECTOR = NetworkChoice(NetworkKind.CONNECTOR, "", "mine")


@pytest.mark.parametrize("choice", [SUBNET, CONNECTOR, NetworkChoice()])
def test_a_choice_comes_back_from_the_browser_and_from_labels(choice: NetworkChoice) -> None:
    assert read_choices({"p-12345": choice.saved()}) == {"p-12345": choice}
    labels = {key: value for key, value in choice.labels().items() if value}
    assert read_labels({"team": "models", **labels}) == choice


@pytest.mark.parametrize(
    "labels", [{"llm-manager-subnet": "alone"}, {"llm-manager-connector": "under_score"}]
)
def test_labels_of_others_are_no_choice(labels: dict[str, str]) -> None:
    assert read_labels(labels) == NetworkChoice()


@pytest.mark.parametrize(
    "saved",
    [
        None,
        "text",
        [],
        {"p": "text"},
        {"p": {"kind": "subnet"}},
        {"p": {"kind": "tunnel", "network": "n", "name": "n"}},
        {"p": {"kind": ["subnet"], "network": "n", "name": "n"}},
        {"p": {"kind": "subnet", "network": "<b>", "name": "default"}},
        {"p": {"kind": "subnet", "network": "default", "name": "x" * 300}},
        {"p": {"kind": "connector", "network": "", "name": 7}},
    ],
)
def test_what_can_be_no_choice_is_left_out(saved: object) -> None:
    assert read_choices(saved) == {}


def test_what_a_deployment_takes_of_a_choice() -> None:
    assert SUBNET.subnet_access == SubnetAccess("default", "models")
    assert SUBNET.connector("p", "europe-west1") == ""
    assert CONNECTOR.connector("p", "r") == "projects/p/locations/r/connectors/mine"
    assert (CONNECTOR.subnet_access, NetworkChoice().subnet_access) == (None, None)
