"""Every field of the form as it is shown, byte for byte.

`python -m tests.unit.test_deploy_fields` writes the file anew, where a difference is wanted.
"""

from __future__ import annotations

import json
from dataclasses import asdict, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_widgets.domain import gpus
from llm_widgets.domain.services import Ingress, StartupProbe
from llm_widgets.engines import registry
from llm_widgets.page.services.deploy_fields import advanced, deploy_fields, summaries
from llm_widgets.page.services.deploy_values import values_of
from llm_widgets.widgets.fields import Field
from tests.unit import codec_cases
from tests.unit.codec_cases import DEPLOYMENTS

if TYPE_CHECKING:
    from llm_widgets.domain.services import Deployment

DATA = Path(__file__).parents[1] / "data" / "form_fields.json"
# A foreign service: its engine is not known, its GPU not offered, its numbers are none of ours.
FOREIGN = replace(
    DEPLOYMENTS["vllm"],
    framework="tgi",
    region="europe-west9",
    accelerator="nvidia-old",
    cpu=7,
    memory_gib=33.5,
    probe=StartupProbe("", port=81),
    ingress=Ingress.BALANCER,
)
FORMS: dict[str, tuple[Deployment, Deployment, dict[str, Any]]] = {
    **{name: (each, each, {}) for name, each in DEPLOYMENTS.items()},
    "foreign": (FOREIGN, FOREIGN, {}),
    "engines": (DEPLOYMENTS["vllm"], DEPLOYMENTS["vllm"], {"engines": registry.ENGINES[:2]}),
    "one_engine": (DEPLOYMENTS["vllm"], DEPLOYMENTS["vllm"], {"engines": registry.ENGINES[:1]}),
    "code": (DEPLOYMENTS["vllm"], DEPLOYMENTS["vllm"], {"has_code": True}),
    "refused": (DEPLOYMENTS["vllm"], DEPLOYMENTS["vllm"], {"is_refused": True}),
    "elsewhere": (DEPLOYMENTS["ollama"], replace(FOREIGN, region="asia-east1"), {}),
    "no_gpu": (
        DEPLOYMENTS["vllm"],
        replace(DEPLOYMENTS["vllm"], accelerator="", cpu=4, memory_gib=8),
        {},
    ),
    "fewer_cpus": (DEPLOYMENTS["vllm"], replace(DEPLOYMENTS["vllm"], cpu=4, memory_gib=16), {}),
}
# Choices that a new GPU adds to are not written down.
_OF_TABLES = ("region", "accelerator")
_PLAIN = {field.name: field.default for field in fields(Field)}


def shown(name: str) -> dict[str, Any]:
    """Return the fields of a form by their keys, without what is as it is of any field."""
    offered, now, more = FORMS[name]
    form = {
        field.key: {name: value for name, value in asdict(field).items() if value != _PLAIN[name]}
        for field in deploy_fields(offered, now, "europe-west4", **more)
    }
    for key in _OF_TABLES:
        del form[key]["options"]
    return {**form, "values": dict(sorted(values_of(now).items())), "folded": summaries(now)}


def written() -> str:
    """Write down the first form, and of the others the keys and what differs from the first."""
    first, *others = FORMS
    plain = shown(first)
    forms: dict[str, Any] = {first: plain}
    for name in others:
        form = shown(name)
        differing = {key: value for key, value in form.items() if value != plain.get(key)}
        forms[name] = {"keys": list(form), **differing}
    return json.dumps(forms, indent=1, ensure_ascii=False) + "\n"


def test_the_forms_are_what_they_were() -> None:
    assert written() == DATA.read_text("utf-8")


def test_what_is_advanced_says_what_differs() -> None:
    offered = DEPLOYMENTS["vllm"]
    groups = {field.group: field for field in deploy_fields(offered, offered, offered.region)}
    rare = [group for group, field in groups.items() if field.is_advanced]
    assert list(groups) == ["Service", *rare]
    assert advanced(offered, offered) == ", ".join(rare)
    # The number of instances is asked at once; it needs no line of its own.
    changed = replace(offered, max_instances=7, cpu=4, timeout=61)
    assert advanced(offered, changed) == "Changed: vCPUs, Request timeout (seconds)"


def test_a_form_offers_the_gpus_of_its_region() -> None:
    offered = DEPLOYMENTS["vllm"]
    form = {field.key: field for field in deploy_fields(offered, offered, "europe-west4")}
    gpus_there = [gpu.accelerator for gpu in gpus.in_region(offered.region)]
    assert [option.value for option in form["accelerator"].options] == [*gpus_there, ""]
    regions = dict.fromkeys((offered.region, *gpus.regions()))
    assert [option.value for option in form["region"].options] == list(regions)


def test_what_a_service_has_stays_a_choice() -> None:
    hardware = {"accelerator": "nvidia-of-tomorrow", "cpu": 0.5, "memory_gib": 0.25}
    read = codec_cases.ollama(**hardware, max_instances=500)
    fields = {field.key: field for field in deploy_fields(read, read, read.region)}
    for key in ("accelerator", "cpu", "memory_gib"):
        field = fields[key]
        assert field.value in [option.value for option in field.options], key
    assert (fields["max_instances"].maximum or 0) >= 500
    other = replace(read, accelerator="nvidia-l4", cpu=8)
    fields = {field.key: field for field in deploy_fields(read, other, read.region)}
    assert [option.value for option in fields["cpu"].options] == ["8", "4"]


if __name__ == "__main__":
    DATA.write_text(written(), "utf-8")
