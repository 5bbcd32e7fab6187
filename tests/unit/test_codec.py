"""A deployment as the JSON of a service, and back: nothing is lost, nothing comes by the way."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_widgets.domain.services import Deployment, Ingress, StartupProbe, SubnetAccess
from llm_widgets.domain.units import quantity
from llm_widgets.gcp.run import services
from llm_widgets.page.services.deploy_values import deployment_from, values_of
from llm_widgets.serving.codec import deployment_of, document, edited
from tests.unit.codec_cases import DEPLOYMENTS, FOREIGN, LEAST, ollama, vllm

TEXT = st.sampled_from(["", "a", "^x^", "a=b,c", "it's", "two\nlines", "${x} %{y}", "ü 你"])
SOME = TEXT.filter(bool)
NAMES = st.sampled_from("ABC")
WORDS = st.lists(TEXT, max_size=3).map(tuple)
PAIRS = st.dictionaries(NAMES, TEXT, max_size=2)
OPTIONS = st.sampled_from(["implicit-dirs", "uid=1", "metadata-cache-ttl-secs=-1", "a=,b"])
COUNT = st.integers(0, 4000)
SIZE = st.floats(0.08, 100) | st.integers(1, 80).map(float)


@st.composite
def deployments(draw: st.DrawFn) -> Deployment:
    """Make deployments of one name and place that say each thing in one way only.

    A probe of the port of the requests has port 0, a variable has one value, and without a GPU
    there is no second zone for it.
    """
    port = draw(st.integers(1, 65535))
    accelerator = draw(st.sampled_from(["", "nvidia-l4", "nvidia-rtx-pro-6000"]))
    environment = draw(PAIRS)
    network = draw(st.sampled_from(["none", "subnet", "connector"]))
    subnet = st.tuples(SOME | st.just(""), SOME) | st.tuples(SOME, st.just(""))
    ports = st.integers(0, 65535).filter(lambda asked: asked != port)
    probe = st.builds(StartupProbe, st.just("") | SOME, COUNT, COUNT, COUNT, COUNT, ports)
    return Deployment(
        project="some-project",
        region="europe-west4",
        name="one",
        framework="vllm",
        model_id=draw(TEXT),
        served_name=draw(TEXT),
        image=draw(SOME),
        port=port,
        bucket=draw(SOME),
        folder=draw(SOME | st.just("")),
        mount_path=draw(SOME),
        probe=draw(probe),
        command=draw(WORDS),
        args=draw(WORDS),
        environment=environment,
        secrets={
            name: f"{secret}:{version}"
            for name, (secret, version) in draw(
                st.dictionaries(
                    st.sampled_from("ABCDE").filter(lambda name: name not in environment),
                    st.tuples(SOME, st.sampled_from(["latest", "3"])),
                    max_size=2,
                )
            ).items()
        },
        mount_options=tuple(draw(st.lists(OPTIONS, unique=True))),
        accelerator=accelerator,
        cpu=draw(SIZE),
        memory_gib=draw(SIZE),
        min_instances=draw(COUNT),
        max_instances=draw(COUNT),
        concurrency=draw(COUNT),
        timeout=draw(COUNT),
        zonal_redundancy=bool(accelerator) and draw(st.booleans()),
        service_account=draw(TEXT),
        subnet=SubnetAccess(*draw(subnet)) if network == "subnet" else None,
        connector=draw(SOME) if network == "connector" else "",
        cache_gib=draw(st.integers(0, 160)),
        labels=draw(st.dictionaries(st.sampled_from("abc"), TEXT, max_size=2)),
        ingress=draw(st.sampled_from(Ingress)),
    )


@given(deployments())
def test_what_is_written_is_read_back(deployment: Deployment) -> None:
    assert deployment_of(document(deployment)) == deployment


@given(deployments())
def test_without_a_change_nothing_is_sent(deployment: Deployment) -> None:
    written = document(deployment)
    assert edited(written, deployment, deployment) == (written, [])


@given(deployments(), deployments())
def test_whatever_it_was_before_it_becomes_what_is_wanted(
    before: Deployment, after: Deployment
) -> None:
    changed, paths = edited(document(before), before, after)
    assert deployment_of(changed) == after
    assert in_order(changed) == in_order(document(after))
    assert bool(paths) == (before != after)


def in_order(service: dict[str, Any]) -> dict[str, Any]:
    """Sort what has no order of its own, and leave out what is empty: it means the same."""
    service = copy.deepcopy(service)
    for container in service["template"]["containers"]:
        container["env"] = sorted(container.get("env", []), key=lambda each: each["name"])
        for field in ("env", "command", "args"):
            if not container.get(field):
                container.pop(field, None)
    service["template"].setdefault("serviceAccount", "")
    return service


def strange(value: Any) -> Any:
    """Put a field everywhere that this product has never heard of."""
    if isinstance(value, dict):
        return {"future": {"x": [1, None]}} | {name: strange(each) for name, each in value.items()}
    return [strange(each) for each in value] if isinstance(value, list) else value


def strange_places(value: Any, path: str = "") -> set[str]:
    """Return where such fields are; elements of lists by their names, where they have one."""
    found = {path} if isinstance(value, dict) and "future" in value else set()
    if isinstance(value, dict):
        entries = [(name, each) for name, each in value.items() if name != "future"]
    elif isinstance(value, list):
        entries = [(e.get("name", n), e) for n, e in enumerate(value) if isinstance(e, dict)]
    else:
        entries = []
    return found.union(*(strange_places(each, f"{path}.{name}") for name, each in entries))


@given(deployments(), deployments())
def test_unknown_fields_survive_every_change(before: Deployment, after: Deployment) -> None:
    service = strange(document(before))
    service["labels"].pop("future")
    was = strange_places(service)
    changed, _ = edited(service, before, after)
    assert deployment_of(changed) == after
    # What goes is what they belong to: a variable, a kind of probe, a network, a cache.
    container = ".template.containers.vllm"
    gone = {f"{container}.env.{n}" for n in {*before.environment} - {*after.environment}}
    gone |= {
        f"{container}.env.{name}{deeper}"
        for name in {*before.secrets}
        if after.secrets.get(name) != before.secrets[name]
        for deeper in ("", ".valueSource", ".valueSource.secretKeyRef")
    }
    if bool(before.probe.path) != bool(after.probe.path):
        gone |= {f"{container}.startupProbe.{kind}" for kind in ("httpGet", "tcpSocket")}
    if not after.cache_gib:
        cache = ".template.volumes.cache"
        gone |= {cache, f"{cache}.emptyDir", f"{container}.volumeMounts.cache"}
    if not (after.subnet or after.connector):
        gone.add(".template.vpcAccess")
    if not after.subnet:
        gone.add(".template.vpcAccess.networkInterfaces.0")
    assert was - strange_places(changed) <= gone


@given(deployments())
def test_what_others_have_made_is_carried_through(wanted: Deployment) -> None:
    before = deployment_of(FOREIGN)
    changed, paths = edited(FOREIGN, before, replace(wanted, name="theirs"))
    # The image may name an engine only by chance, and the label says which it is.
    assert changed["labels"]["managed-by"] == "terraform"
    template, sidecar = changed["template"], FOREIGN["template"]["containers"][0]
    assert template["containers"][0] == sidecar
    assert template["containers"][1]["livenessProbe"] == {"httpGet": {"path": "/live"}}
    assert template["sshEnabled"] is True
    assert template["scaling"]["concurrencyUtilization"] == 0.7
    assert template["executionEnvironment"] == "EXECUTION_ENVIRONMENT_GEN1"
    assert changed["futureField"] == FOREIGN["futureField"]
    assert "revision" not in template
    assert {key for key in FOREIGN if changed[key] != FOREIGN[key]} <= {*paths}


@pytest.mark.parametrize("service", [FOREIGN, LEAST])
def test_reading_what_others_have_made_changes_nothing(service: dict[str, Any]) -> None:
    before = deployment_of(service)
    assert edited(service, before, before) == (service, [])
    # Nor does showing it in a form.
    assert edited(service, before, deployment_from(before, values_of(before))) == (service, [])


def test_sizes_of_all_units() -> None:
    sizes = {"512Mi": 0.5, "1500Mi": 1500 / 1024, "2Gi": 2, "1Ti": 1024, "1G": 1e9 / 2**30}
    sizes |= {"500M": 5e8 / 2**30, "1048576Ki": 1, str(2**31): 2}
    for text, expected in sizes.items():
        service = copy.deepcopy(LEAST)
        service["template"]["containers"][0]["resources"] = {"limits": {"memory": text}}
        assert deployment_of(service).memory_gib == expected, text
    assert (quantity("500m"), quantity("1100m"), quantity("2")) == (0.5, 1.1, 2)
    for text in ("", "Gi", "1 Gi", "1gi", "1.2.3"):
        with pytest.raises(ValueError, match=r"quantity|Invalid literal"):
            quantity(text)


def test_a_service_without_a_gpu_has_no_second_zone_for_it() -> None:
    """Else whoever adds a GPU later would get a second zone, which nobody asked for."""
    plain = vllm(accelerator="")
    assert deployment_of(document(plain)).zonal_redundancy is False
    with_gpu = replace(plain, accelerator="nvidia-l4")
    changed, _ = edited(document(plain), plain, with_gpu)
    assert changed["template"]["gpuZonalRedundancyDisabled"] is True
    back, _ = edited(changed, with_gpu, plain)
    assert "gpuZonalRedundancyDisabled" not in back["template"]


def test_a_service_with_a_gpu_that_says_nothing_has_a_second_zone() -> None:
    service = document(vllm())
    del service["template"]["gpuZonalRedundancyDisabled"]
    assert deployment_of(service).zonal_redundancy is True


def test_a_cache_is_added_resized_and_removed() -> None:
    without, small = ollama(cache_gib=0), ollama(cache_gib=3)
    service, paths = edited(document(without), without, small)
    assert paths == ["template"]
    assert service == document(small)
    large = replace(small, cache_gib=9)
    service, _ = edited(service, small, large)
    assert service == document(large)
    service, _ = edited(service, large, without)
    assert service == document(without)


def test_a_cache_takes_no_volume_of_somebody_else() -> None:
    without = ollama(cache_gib=0)
    service = document(without)
    service["template"]["volumes"].append({"name": "cache", "emptyDir": {"medium": "MEMORY"}})
    service["template"]["containers"][0]["volumeMounts"].append(
        {"name": "cache", "mountPath": "/cache"}
    )
    assert deployment_of(service) == without
    wanted = replace(without, cache_gib=2)
    changed, _ = edited(service, without, wanted)
    assert deployment_of(changed) == wanted
    mounts = changed["template"]["containers"][0]["volumeMounts"]
    assert len({mount["mountPath"] for mount in mounts}) == len(mounts) == 3
    assert edited(changed, wanted, without)[0] == service


def test_a_cache_that_a_sidecar_reads_stays_its_volume() -> None:
    before = ollama()
    service = document(before)
    sidecar = {"name": "sidecar", "volumeMounts": [{"name": "cache", "mountPath": "/c"}]}
    service["template"]["containers"].append(sidecar)
    changed, _ = edited(service, before, replace(before, cache_gib=0))
    assert changed["template"]["containers"][1] == sidecar
    assert changed["template"]["volumes"] == [
        {**service["template"]["volumes"][0], "gcs": changed["template"]["volumes"][0]["gcs"]},
        service["template"]["volumes"][1],
    ]
    assert deployment_of(changed).cache_gib == 0


def test_the_bucket_its_folder_and_its_mount_can_change() -> None:
    before = vllm()
    after = replace(before, bucket="next", folder="", mount_path="/data")
    changed, paths = edited(document(before), before, after)
    assert changed == document(after)
    assert paths == ["template", "annotations"]


@pytest.mark.parametrize("case", DEPLOYMENTS)
def test_google_s_client_knows_every_field(case: str) -> None:
    """It refuses what it does not know."""
    services.message(document(DEPLOYMENTS[case]))
