"""Services that exist: read, changed field by field, and nothing of the rest is lost."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

import pytest
from google.protobuf import json_format
from hypothesis import given
from hypothesis import strategies as st

from llm_widgets.domain.models import ModelRecord, ModelStatus
from llm_widgets.domain.services import Ingress, SubnetAccess
from llm_widgets.gcp.run import services
from llm_widgets.page.services.deploy_values import deployment_from, values_of
from llm_widgets.serving import codec, recipes
from llm_widgets.serving.codec import deployment_of, edited

NAME = "projects/some-project/locations/europe-west4/services/one"


def offered(source: str = "ollama", **changes: Any) -> Any:
    record = ModelRecord("org/name", source, ModelStatus.READY, 10**9, prefix="folder")
    made = recipes.defaults(
        record, project="some-project", region="europe-west4", bucket="some-bucket"
    )
    return replace(made, name="one", **changes)


def document(deployment: Any) -> dict[str, Any]:
    """Write the service as the API would."""
    service = services.message(codec.document(deployment))
    text = json_format.MessageToJson(type(service).pb(service))
    return {"name": NAME, "etag": '"1"', **json.loads(text)}


@pytest.mark.parametrize("source", ["huggingface", "ollama"])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"subnet": SubnetAccess("net", "sub"), "ingress": Ingress.INTERNAL},
        {"connector": "projects/p/locations/r/connectors/c", "labels": {"team": "blue"}},
        {"secrets": {"TOKEN": "hf-token:3"}, "accelerator": "", "zonal_redundancy": False},
        {"service_account": "a@b", "min_instances": 1, "timeout": 60, "cache_gib": 3},
    ],
)
def test_what_was_deployed_is_read_back(source: str, changes: dict[str, Any]) -> None:
    made = offered(source, **changes)
    if source == "huggingface" and made.cache_gib:
        assert deployment_of(document(made)).cache_gib == 3
    assert deployment_of(document(made)) == made


def strange(made: dict[str, Any]) -> dict[str, Any]:
    """Put fields everywhere that this product has never heard of."""
    known = copy.deepcopy(made)
    template = known["template"]
    container = template["containers"][0]
    known["futureField"] = {"a": [1, {"b": None}]}
    template["sshEnabled"] = True
    template["scaling"]["concurrencyUtilization"] = 0.7
    container["future"] = "x"
    container["startupProbe"]["future"] = "y"
    container["resources"]["limits"]["example.org/fpga"] = "1"
    container["env"].insert(0, {"name": "ODD", "valueSource": {"futureRef": {"x": 1}}})
    template["containers"].append({"name": "sidecar", "image": "i", "extra": 1})
    template["volumes"].append({"name": "disk", "emptyDir": {"medium": "DISK"}})
    container["volumeMounts"].append({"name": "disk", "mountPath": "/disk", "subPath": "s"})
    return known


CHANGES: dict[str, Any] = {
    "image": "other/image:1",
    "port": 9999,
    "args": ("--flag", "--x=y=z"),
    "command": ("a",),
    "environment": {"MODEL": "m", "NEW": "two\nlines"},
    "secrets": {"S": "s:1"},
    "cpu": 4,
    "memory_gib": 16,
    "min_instances": 1,
    "max_instances": 2,
    "concurrency": 9,
    "timeout": 10,
    "service_account": "x@y",
    "accelerator": "nvidia-rtx-pro-6000",
    "zonal_redundancy": True,
    "labels": {"a": "b"},
    "ingress": Ingress.BALANCER,
    "subnet": SubnetAccess("n", "s"),
    "mount_options": ("uid=1",),
}


@given(st.sets(st.sampled_from(sorted(CHANGES)), min_size=1))
def test_only_what_was_changed_is_changed(fields: set[str]) -> None:
    service = strange(document(offered()))
    before = deployment_of(service)
    after = replace(before, **{field: CHANGES[field] for field in fields})
    changed, paths = edited(service, before, after)
    assert deployment_of(changed) == after
    assert set(paths) <= {"template", "labels", "ingress"}
    # Back again: all that is not shown is as it was.
    restored, _ = edited(changed, after, before)
    was, now = copy.deepcopy(service), restored
    for each in (was, now):
        each["template"]["containers"][0]["env"].sort(key=lambda variable: variable["name"])
    assert pruned(now) == pruned(was)


TCP = {"tcpSocket": {"port": 11434}, "periodSeconds": 240, "timeoutSeconds": 240}


@pytest.mark.parametrize(
    "probe",
    [
        TCP,
        {"grpc": {"port": 11434, "service": "health"}, "failureThreshold": 9},
        {"httpGet": {"path": "/x", "port": 11434, "httpHeaders": [{"name": "A", "value": "b"}]}},
    ],
)
def test_a_probe_keeps_its_kind(probe: dict[str, Any]) -> None:
    service = document(offered())
    service["template"]["containers"][0]["startupProbe"] = probe
    before = deployment_of(service)
    wanted = replace(before, port=9000, probe=replace(before.probe, failures=4))
    changed, _ = edited(service, before, wanted)
    kind = next(name for name in probe if name in ("tcpSocket", "grpc", "httpGet"))
    after = changed["template"]["containers"][0]["startupProbe"]
    assert after[kind] == {**probe[kind], "port": 9000}
    assert after["failureThreshold"] == 4
    assert len(set(after) & {"tcpSocket", "grpc", "httpGet"}) == 1


def test_a_service_without_a_probe_gets_none_by_the_way() -> None:
    service = document(offered())
    del service["template"]["containers"][0]["startupProbe"]
    before = deployment_of(service)
    changed, _ = edited(service, before, replace(before, port=9000))
    assert "startupProbe" not in changed["template"]["containers"][0]


def test_a_probe_over_tcp_becomes_one_over_http_and_back() -> None:
    service = document(offered())
    container = service["template"]["containers"][0]
    container["startupProbe"] = copy.deepcopy(TCP)
    before = deployment_of(service)
    assert before.probe.path == ""
    over_http = replace(before, probe=replace(before.probe, path="/up"))
    changed, _ = edited(service, before, over_http)
    assert deployment_of(changed) == over_http
    assert "tcpSocket" not in changed["template"]["containers"][0]["startupProbe"]
    back, _ = edited(changed, over_http, before)
    assert deployment_of(back) == before


def test_what_is_not_shown_of_a_network_stays() -> None:
    service = document(offered())
    access = {
        "egress": "PRIVATE_RANGES_ONLY",
        "networkInterfaces": [{"subnetwork": "one", "tags": ["t"]}],
    }
    service["template"]["vpcAccess"] = access
    before = deployment_of(service)
    assert deployment_from(before, values_of(before)) == before
    changed, _ = edited(service, before, replace(before, subnet=SubnetAccess("", "two")))
    assert changed["template"]["vpcAccess"] == {
        "egress": "PRIVATE_RANGES_ONLY",
        "networkInterfaces": [{"subnetwork": "two", "tags": ["t"]}],
    }


def pruned(value: Any) -> Any:
    """Leave out what is empty, zero or false: it means the same as nothing."""
    if isinstance(value, dict):
        kept = {name: pruned(each) for name, each in value.items()}
        return {name: each for name, each in kept.items() if each}
    return [pruned(each) for each in value] if isinstance(value, list) else value


def test_the_name_of_a_revision_is_used_once() -> None:
    service = document(offered())
    service["template"]["revision"] = "one-first"
    before = deployment_of(service)
    changed, paths = edited(service, before, replace(before, timeout=1))
    assert paths == ["template"]
    assert "revision" not in changed["template"]
    assert service["template"]["revision"] == "one-first"
