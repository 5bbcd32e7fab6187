"""A service as the ``gcloud`` command that deploys it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from llm_widgets.gcp.client import lazy

_INGRESS = {1: "all", 2: "internal", 3: "internal-and-cloud-load-balancing"}
_NOTE = """\
# gcloud has no flag for a service's annotations, by which the page knows a model and its bucket:
# use the YAML to keep them. Mount options need the beta track."""


def gcloud_command(project: str, region: str, name: str, service: lazy.run_v2.Service) -> str:
    """Write the command, one flag in a line."""
    flags = [
        f"--project={project}",
        f"--region={region}",
        *_container(service.template.containers[0]),
        *_template(service.template),
        f"--ingress={_INGRESS[int(service.ingress)]}",
        "--no-allow-unauthenticated",
        f"--labels={listed(f'{k}={v}' for k, v in sorted(service.labels.items()))}",
    ]
    words = [f"gcloud beta run deploy {shlex.quote(name)}", *(shlex.quote(flag) for flag in flags)]
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


def _container(container: lazy.run_v2.Container) -> list[str]:
    limits = container.resources.limits
    flags = [f"--image={container.image}", f"--port={container.ports[0].container_port}"]
    if container.command:
        flags.append(f"--command={listed(container.command)}")
    if container.args:
        flags.append(f"--args={listed(container.args)}")
    plain = [v for v in container.env if not v.value_source.secret_key_ref.secret]
    if plain:
        flags.append(f"--set-env-vars={listed(f'{v.name}={v.value}' for v in plain)}")
    kept = [(v.name, v.value_source.secret_key_ref) for v in container.env if v not in plain]
    if kept:
        flags.append(f"--set-secrets={listed(f'{n}={s.secret}:{s.version}' for n, s in kept)}")
    flags += [f"--cpu={limits['cpu']}", f"--memory={limits['memory']}"]
    probe = container.startup_probe
    told: dict[str, str | int] = {
        "initialDelaySeconds": probe.initial_delay_seconds,
        "periodSeconds": probe.period_seconds,
        "timeoutSeconds": probe.timeout_seconds,
        "failureThreshold": probe.failure_threshold,
    }
    if probe.http_get.path:
        told |= {"httpGet.path": probe.http_get.path, "httpGet.port": probe.http_get.port}
    else:
        told["tcpSocket.port"] = probe.tcp_socket.port
    return [*flags, f"--startup-probe={listed(f'{k}={v}' for k, v in told.items())}"]


def _template(template: lazy.run_v2.RevisionTemplate) -> list[str]:
    flags = []
    if template.node_selector.accelerator:
        flags += ["--gpu=1", f"--gpu-type={template.node_selector.accelerator}"]
        off = template.gpu_zonal_redundancy_disabled
        flags.append("--no-gpu-zonal-redundancy" if off else "--gpu-zonal-redundancy")
    flags += [
        "--no-cpu-throttling",
        "--cpu-boost",
        "--execution-environment=gen2",
        f"--min-instances={template.scaling.min_instance_count}",
        f"--max-instances={template.scaling.max_instance_count}",
        f"--concurrency={template.max_instance_request_concurrency}",
        f"--timeout={int(template.timeout.total_seconds())}",
    ]
    for volume in template.volumes:
        flags.append(f"--add-volume={listed(_volume(volume))}")
    for mount in template.containers[0].volume_mounts:
        flags.append(f"--add-volume-mount=volume={mount.name},mount-path={mount.mount_path}")
    if template.service_account:
        flags.append(f"--service-account={template.service_account}")
    access = template.vpc_access
    for interface in access.network_interfaces:
        flags += [f"--network={interface.network}", f"--subnet={interface.subnetwork}"]
    if access.connector:
        flags.append(f"--vpc-connector={access.connector}")
    return [*flags, "--vpc-egress=all-traffic"] if access.egress else flags


def _volume(volume: lazy.run_v2.Volume) -> list[str]:
    if volume.gcs.bucket:
        words = ["type=cloud-storage", f"bucket={volume.gcs.bucket}"]
        words.append(f"readonly={str(volume.gcs.read_only).lower()}")
        if volume.gcs.mount_options:
            words.append(f"mount-options={';'.join(volume.gcs.mount_options)}")
    else:
        words = ["type=in-memory", f"size-limit={volume.empty_dir.size_limit}"]
    return [f"name={volume.name}", *words]
