"""The deploy form's values: what is typed arrives as it is, whatever characters it has."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.domain.services import SubnetAccess
from llm_widgets.errors import InvalidInputError
from llm_widgets.manager.callers import member
from llm_widgets.manager.differences import Change
from llm_widgets.manager.offering import with_code
from llm_widgets.page.services.access_entries import callers_from
from llm_widgets.page.services.deploy_values import (
    deployment_from,
    differences,
    followers,
    values_of,
)
from llm_widgets.serving import recipes

if TYPE_CHECKING:
    from llm_widgets.domain.services import Deployment

WORDS = st.lists(st.text(min_size=1), max_size=6)
PAIRS = st.dictionaries(st.text("ABCDEF_", min_size=1), st.text(), max_size=5)


def offered(source: str = "huggingface") -> Deployment:
    record = ModelRecord("org/name", source, ModelStatus.READY, 10**9, prefix="folder")
    return recipes.defaults(
        record, project="some-project", region="europe-west4", bucket="some-bucket"
    )


@pytest.mark.parametrize("source", ["huggingface", "ollama"])
def test_what_was_not_touched_is_what_it_was(source: str) -> None:
    deployment = offered(source)
    assert deployment_from(deployment, values_of(deployment)) == deployment


@given(args=WORDS, command=WORDS, environment=PAIRS)
def test_words_and_variables_arrive_letter_by_letter(
    args: list[str], command: list[str], environment: dict[str, str]
) -> None:
    deployment = replace(
        offered(), args=tuple(args), command=tuple(command), environment=environment
    )
    assert deployment_from(deployment, values_of(deployment)) == deployment


@pytest.mark.parametrize(
    "word",
    ["--enable-prefix-caching", "--a=b=c", '--x={"n": "o"}', "it's", "two\nlines", "\r\n", "a,b"],
)
def test_a_word_stays_one_word(word: str) -> None:
    values = {**values_of(offered()), "args": ["/models", word], "environment": [["A", word]]}
    made = deployment_from(offered(), values)
    assert made.args == ("/models", word)
    assert made.environment == {"A": word}


def test_the_engine_follows_the_concurrency_unless_told_otherwise() -> None:
    values = values_of(offered())
    made = deployment_from(offered(), {**values, "concurrency": 8})
    assert made.concurrency == 8
    assert "--max-num-seqs=8" in made.args
    own = [word.replace("=64", "=16") for word in values["args"]]
    made = deployment_from(offered(), {**values, "concurrency": 8, "args": own})
    assert "--max-num-seqs=16" in made.args


def test_the_probe_goes_with_the_port() -> None:
    for shown in (9000, 8000):
        made = deployment_from(offered(), {"port": 9000, "probe_port": shown})
        assert made.probe.port == 0
    assert deployment_from(offered(), {"port": 9000, "probe_port": 8001}).probe.port == 8001


def test_the_engine_follows_the_port_unless_told_otherwise() -> None:
    values = values_of(offered())
    made = deployment_from(offered(), {**values, "port": 9000})
    assert "--port=9000" in made.args
    assert followers(made, {**values, "port": 9000}) == {"probe_port": 9000, "args": [*made.args]}
    own = [word.replace("=8000", "=8001") for word in values["args"]]
    assert "--port=8001" in deployment_from(offered(), {**values, "port": 9000, "args": own}).args
    ollama = deployment_from(offered("ollama"), {"port": 9000})
    assert ollama.environment["OLLAMA_HOST"] == "0.0.0.0:9000"


def test_the_engine_looks_where_the_bucket_is_mounted_unless_told_otherwise() -> None:
    ollama = offered("ollama")
    moved = deployment_from(ollama, {"mount_path": "/data"})
    assert (moved.mount_path, moved.environment["OLLAMA_MODELS"]) == ("/data", "/data")
    assert deployment_from(offered(), {"mount_path": "/data"}).args[0] == "/data"
    own = [["OLLAMA_MODELS", "/mine"]]
    made = deployment_from(ollama, {"mount_path": "/data", "environment": own})
    assert made.environment["OLLAMA_MODELS"] == "/mine"


def test_what_was_followed_is_followed_again() -> None:
    made = offered()
    for concurrency in (8, 3, 64):
        made = deployment_from(made, {**values_of(made), "concurrency": concurrency})
        assert f"--max-num-seqs={concurrency}" in made.args


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("port", None),
        ("port", 80.5),
        ("environment", [["A", "1"], ["A", "2"]]),
        ("secrets", [["TOKEN", " "]]),
    ],
)
def test_what_has_no_form_is_told_at_its_field(field: str, value: object) -> None:
    with pytest.raises(InvalidInputError) as caught:
        deployment_from(offered(), {field: value})
    assert caught.value.field == field


def test_networks() -> None:
    made = deployment_from(
        offered(), {"network_kind": "subnet", "network": "net", "subnetwork": "sub"}
    )
    assert made.subnet
    assert (made.subnet.network, made.subnet.subnetwork) == ("net", "sub")
    assert deployment_from(made, values_of(made)) == made
    one = {"network_kind": "subnet", "network": "", "subnetwork": "sub"}
    assert deployment_from(offered(), one).subnet == SubnetAccess("", "sub")
    for kind in ("connector", "subnet"):
        empty = {"network_kind": kind, "connector": "", "network": "", "subnetwork": ""}
        with pytest.raises(InvalidInputError):
            deployment_from(offered(), empty)


def test_differences_line_by_line() -> None:
    before = replace(offered(), args=("--a", "--b=1"), environment={"A": "1", "B": "2"})
    after = replace(
        before,
        args=("--b=2", "--a"),
        environment={"A": "1", "B": "two\nlines"},
        command=("x",),
        zonal_redundancy=True,
        service_account="a@b",
    )
    assert differences(before, after) == (
        Change("zonal_redundancy", ("off",), ("on",)),
        Change("args", ("--b=1",), ("--b=2",)),
        Change("environment", ("B=2",), ("B=two\nlines",)),
        Change("command", (), ("x",)),
        Change("service_account", (), ("a@b",)),
    )
    turned = replace(before, args=("--b=1", "--a"))
    assert differences(before, turned) == (Change("args", before.args, turned.args),)


def test_callers() -> None:
    assert callers_from({"callers": "me", "members": ["ignored"]}) == ()
    typed = ["ann@example.org", "group:x@example.org", "r@p.iam.gserviceaccount.com"]
    assert tuple(map(member, callers_from({"callers": "members", "members": typed}))) == (
        "user:ann@example.org",
        "group:x@example.org",
        "serviceAccount:r@p.iam.gserviceaccount.com",
    )


@pytest.mark.parametrize("text", ["allUsers", "allAuthenticatedUsers", "ann", "user:", "x:y@z"])
def test_nobody_else_and_never_everybody(text: str) -> None:
    with pytest.raises(InvalidInputError):
        member(text)


def test_the_code_of_a_model_runs_by_a_yes_only() -> None:
    base = offered()
    values = values_of(base)
    assert values["trust_remote_code"] is False
    agreed = deployment_from(base, {**values, "trust_remote_code": True})
    assert agreed.args == (*base.args, "--trust-remote-code")
    assert values_of(agreed)["trust_remote_code"] is True
    assert deployment_from(agreed, {**values_of(agreed), "trust_remote_code": False}) == base
    # Python asks in the same way.
    assert with_code(base, runs=True) == agreed
    assert with_code(agreed, runs=False) == base
    assert with_code(agreed, runs=None) == agreed
    # Who takes the word away by hand takes the yes back.
    by_hand = deployment_from(agreed, {**values_of(agreed), "args": base.args})
    assert by_hand == base
    assert followers(by_hand, values_of(agreed))["trust_remote_code"] is False
