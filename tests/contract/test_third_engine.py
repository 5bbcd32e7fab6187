"""An engine that is added by a folder and a line goes all the way, and one that is not does not."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import yaml
from google.cloud import run_v2
from google.protobuf.json_format import MessageToDict

from llm_widgets.diagnosis import Context, Evidence, LogLine, changed, diagnose
from llm_widgets.domain.manifest import manifest_name
from llm_widgets.domain.services import ENGINE_LABEL, MANAGED_BY, Deployment, ServiceState
from llm_widgets.engines import registry
from llm_widgets.errors import InvalidInputError
from llm_widgets.gcp.run import service_list, services, summaries
from llm_widgets.gcp.storage import buckets, metadata
from llm_widgets.gcp.storage.objects import SmallObjects
from llm_widgets.page.services.chat import Chats, ChatState
from llm_widgets.page.services.comparison import ComparisonState
from llm_widgets.page.services.deploy_fields import deploy_fields
from llm_widgets.page.services.deploy_fields import summaries as folded
from llm_widgets.page.services.deploy_form import DeployFormState
from llm_widgets.page.services.deploy_page import DeployPage
from llm_widgets.page.services.deploy_values import values_of
from llm_widgets.page.services.pauses import Pauses
from llm_widgets.page.services.service import ServicePageState
from llm_widgets.page.services.service_edit import ServiceEditState
from llm_widgets.page.services.service_metrics import ServiceMetricsState
from llm_widgets.page.services.service_page import ServicePage
from llm_widgets.page.services.services import ServicesState
from llm_widgets.page.services.services_table import service_row
from llm_widgets.serving import checks, codec, recipes
from llm_widgets.serving.deployment_steps import Step, StepState
from llm_widgets.serving.export import Language, written
from llm_widgets.widgets.form import Form
from local_cloud.testing.waiting import LONG, until
from tests.contract.engine import ENGINE, deploy, service
from tests.contract.product import PARENT, PROJECT, REGION, Product, running
from tests.contract.test_deploy_form import ENOUGH, inside, press
from tests.third_engine.engine import Parrot
from tests.unit.test_serving_hardware import L4, manifest

if TYPE_CHECKING:
    from collections.abc import Iterator

    import ipywidgets as w

    from llm_widgets.domain.services import ServiceSummary
    from llm_widgets.page.session import Session

BUCKET, MODEL = "parrots", "Llama-3.1-8B"


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        for started in running(tmp_path_factory.mktemp("third"), environment):
            buckets.create_bucket(started.clients, PROJECT, BUCKET, REGION)
            put(started)
            started.faults.update(quotas=ENOUGH)
            yield started


def put(product: Product) -> None:
    """Put into the bucket what an import leaves beside the files of a model."""
    kept = manifest(MODEL, "huggingface")
    storage = product.clients.storage(PROJECT)
    SmallObjects(storage, BUCKET).write(manifest_name(kept.import_id), kept.to_json().encode())
    metadata.update_metadata(storage, BUCKET, lambda file: file.with_model(kept.record()))


@pytest.fixture
def parrot(monkeypatch: pytest.MonkeyPatch) -> Parrot:
    """The engine, by its one line in the registry."""
    added = Parrot()
    monkeypatch.setattr(registry, "ENGINES", (*registry.ENGINES, added))
    return added


def offered(framework: str = "parrot") -> Deployment:
    return recipes.defaults(
        manifest(MODEL, "huggingface").record(),
        project=PROJECT,
        region=REGION,
        bucket=BUCKET,
        accelerator=L4,
        framework=framework,
    )


def test_a_source_has_several_engines_the_preferred_one_first(parrot: Parrot) -> None:
    assert [each.id for each in registry.for_source("huggingface")] == ["vllm", parrot.id]
    assert offered("").framework == "vllm"
    with pytest.raises(InvalidInputError, match="ollama does not serve org/Llama"):
        offered("ollama")


def test_the_fields_of_the_form(parrot: Parrot) -> None:
    made = offered()
    engines = registry.for_source("huggingface")
    fields = {field.key: field for field in deploy_fields(made, made, REGION, engines=engines)}
    assert [each.label for each in fields["framework"].options] == ["vLLM", "Parrot"]
    assert fields["framework"].value == parrot.id
    assert fields["image"].help == parrot.texts.image
    assert fields["args"].help == parrot.texts.args
    assert fields["command"].help == parrot.texts.command
    assert fields["probe_path"].help.startswith(parrot.texts.probe)
    assert fields["concurrency"].help.startswith("Also sets --beaks")
    assert folded(made)["Command"] == "Repeats what it hears"


def test_what_it_is_told_follows(parrot: Parrot) -> None:
    made = recipes.with_concurrency(offered(), 5)
    made = recipes.with_mount_path(recipes.with_port(made, 7100), "/tree")
    assert made.args == ("--loud", "--perch=7100", "--nest=/tree", "--beaks=5")
    assert checks.problems(made) == []
    (problem,) = checks.problems(replace(made, port=7200))
    assert (problem.field, "(--perch)" in problem.message) == (parrot.port.field, True)
    mute = replace(made, environment={**made.environment, "PARROT_MUTE": "1"})
    assert [each.message for each in checks.problems(mute)] == ["A mute parrot serves nobody."]


@pytest.mark.usefixtures("parrot")
def test_the_request_and_all_exports() -> None:
    made = offered()
    document = codec.document(made)
    assert document["labels"] == {"managed-by": "llm-manager", ENGINE_LABEL: "parrot"}
    assert codec.deployment_of(document) == made
    for language in Language:
        text = written(made, language)
        assert "parrot" in text
        assert "--nest=/nest" in text
        assert "PARROT_FEATHERS" in text
    read = yaml.safe_load(written(made, Language.YAML))
    assert read["metadata"]["labels"][ENGINE_LABEL] == "parrot"


@pytest.mark.usefixtures("parrot")
def test_a_diagnosis_and_its_remedy() -> None:
    made = offered()
    lost = Evidence(log=(LogLine("Parrot lost its voice: hunger"),))
    found = diagnose(lost, Context.of(made))
    assert found
    assert (found.id, found.cause) == ("parrot-voice", "Parrot can't speak, because of hunger.")
    fixed = changed(made, found.remedies[0])
    assert fixed.environment == {"PARROT_FEATHERS": "1000"}
    vllm = diagnose(lost, Context.of(offered("vllm")))
    assert vllm is None  # no other engine says such a thing
    beside = Evidence(
        conditions=("The user-provided container failed the configured startup probe checks",),
        log=(LogLine("Parrot sits on perch 7100"),),
    )
    found = diagnose(beside, Context.of(made))
    assert found
    assert found.id == "port"
    assert "--perch=7000" in changed(replace(made, args=()), found.remedies[0]).args
    gone = Evidence(conditions=("There is no Parrot on this machine: install it",))
    found = diagnose(gone, Context.of(made))
    assert found
    assert [(each.text, each.url) for each in found.remedies] == [
        ("Buy a parrot.", "https://parrot.example/")
    ]


def shown(widget: w.Widget) -> str:
    """Return all that widgets show, as text."""
    return json.dumps(
        [each.get_state() for each in inside(widget)], default=str, ensure_ascii=False
    )


def test_from_the_form_to_an_answer(session: Session, product: Product, parrot: Parrot) -> None:
    state = DeployFormState(session, ServicesState(session))
    page = DeployPage(state, back=state.close)
    form = next(each for each in inside(page.box) if isinstance(each, Form))
    state.start(BUCKET, REGION, manifest(MODEL, "huggingface").record())
    until(lambda: state.memory.estimate)
    assert state.deployment
    assert state.deployment.framework == "vllm"

    state.followed = {"cpu": "4"}  # what an earlier change had let follow
    chosen = {"callers": "me", "framework": parrot.id}
    press(form, "input", {**values_of(state.deployment), **chosen})
    assert state.followed == {}
    made = state.deployment
    assert made.framework == parrot.id
    until(lambda: state.memory.estimate and state.memory.estimate.advice == ("Feed it.",))
    assert (state.memory.context, state.memory.is_refused) == (2000, False)
    assert "Feed it." in shown(page.box)
    assert "Parrot serves" in shown(page.box)
    too_many = state.use_context(40_000)
    assert too_many
    assert too_many.environment == {"PARROT_FEATHERS": "40000"}
    until(lambda: state.memory.is_refused)
    state.change(values_of(made))
    until(lambda: not state.memory.is_refused)

    taken: list[str] = []
    state.on_deployed(taken.append)
    state.deploy({**values_of(made), "grant_access": True}, lambda: None)
    until(lambda: taken or state.problems)
    assert taken, state.problems
    (name,) = taken
    until(lambda: summary_of(product, name).state is ServiceState.READY, LONG)

    (found,) = service_list.list_services(product.clients, PROJECT, [REGION]).services
    row = service_row(found)
    assert (row["framework"], row["model"], row["disabled"]) == ("Parrot", f"org/{MODEL}", {})
    looked = ServicePageState(session, found)
    chat = Chats(session).begin(found, looked.log)
    try:
        edit = ServiceEditState(session, ServicesState(session))
        drawn = service_page(session, looked, chat, edit)
        looked.start()
        until(lambda: looked.document)
        assert {each.step: each.state for each in looked.steps}[Step.LOADING] is StepState.DONE
        assert '"Parrot"' in shown(drawn.box)
        assert "/talk/chat/completions" in shown(drawn.box)
        chat.ask("Hello")
        until(lambda: not chat.busy)
        assert [turn.text for turn in chat.turns] == ["Hello", "Hello on /talk/chat/completions"]
    finally:
        looked.close()
    product.clients.services.delete_service(name=name).result()


def summary_of(product: Product, name: str) -> ServiceSummary:
    return summaries.summary(services.get(product.clients, name))


def service_page(
    session: Session, state: ServicePageState, chat: ChatState, edit: ServiceEditState
) -> ServicePage:
    services = ServicesState(session)
    return ServicePage(
        state,
        chat,
        edit,
        ServiceMetricsState(session, state.name),
        ComparisonState(session, services, Chats(session)),
        back=lambda: None,
        delete=lambda: None,
        moved=lambda: None,
        adopt=lambda _: None,
        pauses=Pauses(session, services),
        is_local=True,
    )


@pytest.mark.parametrize(
    ("label", "image", "framework"),
    [
        ("lmdeploy", "local/python:3", "lmdeploy"),
        ("", "local/python:3", ""),
        ("", "x/vllm-fork:1", "vllm"),
    ],
)
def test_an_engine_that_is_not_known_is_shown_as_what_it_is(
    label: str, image: str, framework: str
) -> None:
    made = service(ENGINE)
    made.name = f"{PARENT}/services/foreign"
    made.labels = {ENGINE_LABEL: label} if label else {}
    made.template.containers[0].image = image
    made.template.node_selector.accelerator = L4
    found = summaries.summary(made)
    assert found.framework == framework
    document = MessageToDict(run_v2.Service.pb(made))
    deployment = codec.deployment_of(document)
    assert deployment.framework == framework
    known = registry.of(framework)
    assert (known is None) == (framework != "vllm")
    row = service_row(replace(found, state=ServiceState.READY))
    assert row["framework"] == (known.label if known else label or None)
    assert ("try" in row["disabled"]) == (known is None)
    # What vLLM would say means something else where it is not vLLM that says it.
    log = (LogLine("server: error: unrecognized arguments: --tail"),)
    assert bool(diagnose(Evidence(log=log), Context.of(deployment))) == (known is not None)
    if known is None:
        told = replace(deployment, port=1, accelerator="", cpu=1, memory_gib=1)
        assert recipes.with_port(told, 2).args == told.args
        assert "listens" not in " ".join(each.message for each in checks.problems(told))
        assert "vLLM" not in str(deploy_fields(deployment, deployment, REGION))
        assert "Ollama" not in str(deploy_fields(deployment, deployment, REGION))


def test_of_an_unknown_engine_nothing_is_claimed_on_its_page(
    session: Session, product: Product
) -> None:
    made = service(ENGINE)
    made.labels = dict([MANAGED_BY, (ENGINE_LABEL, "lmdeploy")])
    deploy(product, "foreign", made)
    name = f"{PARENT}/services/foreign"
    found = summary_of(product, name)
    looked = ServicePageState(session, found)
    chat = Chats(session).begin(found, looked.log)
    edit = ServiceEditState(session, ServicesState(session))
    drawn = service_page(session, looked, chat, edit)
    text = shown(drawn.box)
    assert '"lmdeploy"' in text
    assert "No chat for “lmdeploy”." in text
    assert "chat/completions" not in text
    chat.ask("Hello")
    assert chat.error
    assert "can't talk" in chat.error.message
    edit.start(name)
    until(lambda: edit.is_open)
    until(lambda: "Unknown" in edit.memory.note)
    assert edit.memory.estimate is None
    looked.close()
    product.clients.services.delete_service(name=name).result()
