"""The deploy form's values: what is typed arrives as it is, whatever characters it has."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_widgets.domain.models import ModelRecord, ModelStatus, Source
from llm_widgets.errors import InvalidInputError
from llm_widgets.serving import recipes
from llm_widgets.state.deploy_values import Callers, callers_from, deployment_from, values_of

if TYPE_CHECKING:
    from llm_widgets.domain.services import Deployment

WORDS = st.lists(st.text(min_size=1), max_size=6)
PAIRS = st.dictionaries(st.text("ABCDEF_", min_size=1), st.text(), max_size=5)


def offered(source: Source = Source.HUGGING_FACE) -> Deployment:
    record = ModelRecord("org/name", source, ModelStatus.READY, 10**9, prefix="folder")
    return recipes.defaults(
        record, project="some-project", region="europe-west4", bucket="some-bucket"
    )


@pytest.mark.parametrize("source", list(Source))
def test_what_was_not_touched_is_what_it_was(source: Source) -> None:
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
    made = deployment_from(offered(), {"port": 9000, "probe_port": 9000})
    assert made.probe.port == 0
    assert deployment_from(offered(), {"port": 9000, "probe_port": 8000}).probe.port == 8000


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "Not A Name"),
        ("region", "nowhere"),
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
    with pytest.raises(InvalidInputError):
        deployment_from(offered(), {"network_kind": "connector", "connector": ""})


def test_callers() -> None:
    assert callers_from({"callers": "me", "members": ["ignored"]}) == Callers()
    typed = ["ann@example.org", "group:x@example.org", "r@p.iam.gserviceaccount.com"]
    assert callers_from({"callers": "members", "members": typed}).members == (
        "user:ann@example.org",
        "group:x@example.org",
        "serviceAccount:r@p.iam.gserviceaccount.com",
    )


@pytest.mark.parametrize("text", ["allUsers", "allAuthenticatedUsers", "ann", "user:", "x:y@z"])
def test_nobody_else_and_never_everybody(text: str) -> None:
    with pytest.raises(InvalidInputError):
        callers_from({"callers": "members", "members": [text]})
