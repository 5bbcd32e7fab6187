"""A service as the ``gcloud`` command that deploys it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from llm_widgets.serving import codec
from llm_widgets.serving.codec.settings import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_WORDS = ("command", "args")
_NOTE = """\
# gcloud has no flag for a service's annotations, by which the page knows a model and its bucket:
# use the YAML to keep them. Mount options need the beta track."""


def gcloud_command(document: Mapping[str, Any]) -> str:
    """Write the command, one flag in a line."""
    service = codec.deployment_of(document)
    labels = sorted(document["labels"].items())
    flags = [
        f"--project={service.project}",
        f"--region={service.region}",
        *_container(document["template"]["containers"][0]),
        *_gpu(document["template"]),
        "--no-cpu-throttling",
        "--cpu-boost",
        "--execution-environment=gen2",
        *_settings(document),
        *_template(document["template"]),
        f"--ingress={service.ingress.value}",
        "--no-allow-unauthenticated",
        f"--labels={listed(f'{name}={value}' for name, value in labels)}",
    ]
    words = [f"gcloud beta run deploy {shlex.quote(service.name)}", *map(shlex.quote, flags)]
    return _NOTE + "\n" + " \\\n  ".join(words)


def listed(items: Iterable[str]) -> str:
    """Join a list as ``gcloud`` reads it: by commas, or by what ``^…^`` in front declares.

    See ``gcloud topic escaping``.
    """
    words = list(items)
    if not any("," in word or word.startswith("^") for word in words):
        return ",".join(words)
    together = "".join(words)
    delimiter = next(each for each in _delimiters() if not set(each) & set(together))
    return f"^{delimiter}^{delimiter.join(words)}"


def _delimiters() -> Iterator[str]:
    yield from "|@#;:~%!?"
    # Far from what anybody types: Unicode's private characters.
    yield from (chr(code) for code in range(0xE000, 0xF8FF))


def _container(container: Mapping[str, Any]) -> list[str]:
    limits = container["resources"]["limits"]
    flags = [f"--image={container['image']}", f"--port={container['ports'][0]['containerPort']}"]
    flags += [f"--{words}={listed(container[words])}" for words in _WORDS if words in container]
    variables = container.get("env", [])
    plain = [each for each in variables if "value" in each]
    if plain:
        told = listed(f"{each['name']}={each['value']}" for each in plain)
        flags.append(f"--set-env-vars={told}")
    kept = [
        (each["name"], each["valueSource"]["secretKeyRef"])
        for each in variables
        if each not in plain
    ]
    if kept:
        told = listed(f"{name}={secret['secret']}:{secret['version']}" for name, secret in kept)
        flags.append(f"--set-secrets={told}")
    probe = listed(_probe(container["startupProbe"]))
    return [
        *flags,
        f"--cpu={limits['cpu']}",
        f"--memory={limits['memory']}",
        f"--startup-probe={probe}",
    ]


def _probe(probe: Mapping[str, Any], kind: str = "") -> Iterator[str]:
    for name, value in probe.items():
        if isinstance(value, dict):
            yield from _probe(value, f"{name}.")
        else:
            yield f"{kind}{name}={value}"


def _gpu(template: Mapping[str, Any]) -> list[str]:
    if "nodeSelector" not in template:
        return []
    off = template["gpuZonalRedundancyDisabled"]
    return [
        "--gpu=1",
        f"--gpu-type={template['nodeSelector']['accelerator']}",
        "--no-gpu-zonal-redundancy" if off else "--gpu-zonal-redundancy",
    ]


def _settings(document: Mapping[str, Any]) -> Iterator[str]:
    for setting in SETTINGS:
        found = setting.found_in(document)
        if setting.flag and found is not None:
            value = setting.read(found)
            if isinstance(value, bool):
                yield f"--{setting.flag}" if value else f"--no-{setting.flag}"
            else:
                yield f"--{setting.flag}={value}"


def _template(template: Mapping[str, Any]) -> list[str]:
    flags = [f"--add-volume={listed(_volume(each))}" for each in template["volumes"]]
    flags += [
        f"--add-volume-mount=volume={mount['name']},mount-path={mount['mountPath']}"
        for mount in template["containers"][0]["volumeMounts"]
    ]
    if "serviceAccount" in template:
        flags.append(f"--service-account={template['serviceAccount']}")
    access = template.get("vpcAccess", {})
    for interface in access.get("networkInterfaces", []):
        named = {"network": "network", "subnetwork": "subnet"}
        flags += [f"--{flag}={interface[key]}" for key, flag in named.items() if key in interface]
    if "connector" in access:
        flags.append(f"--vpc-connector={access['connector']}")
    return [*flags, "--vpc-egress=all-traffic"] if access else flags


def _volume(volume: Mapping[str, Any]) -> list[str]:
    if "emptyDir" in volume:
        words = ["type=in-memory", f"size-limit={volume['emptyDir']['sizeLimit']}"]
    else:
        bucket = volume["gcs"]
        words = ["type=cloud-storage", f"bucket={bucket['bucket']}"]
        words.append(f"readonly={str(bucket['readOnly']).lower()}")
        if bucket["mountOptions"]:
            words.append(f"mount-options={';'.join(bucket['mountOptions'])}")
    return [f"name={volume['name']}", *words]
