"""What stands for an image on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from google.cloud import run_v2

from local_cloud.runner.container import Builder, Program, check
from local_cloud.runner.failures import RevisionFailed
from local_cloud.runner.images import NO_OLLAMA, NO_VLLM, repository
from local_cloud.runner.machine import Machine
from local_cloud.runner.mounts import READ_ONLY, VolumeSource
from local_cloud.runner.ports import PortMap

if TYPE_CHECKING:
    from pathlib import Path


def program(folder: Path, name: str) -> Path:
    """Put an executable file into a folder."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def build(
    data: Path,
    container: dict[str, Any],
    *,
    machine: Machine | None = None,
    listens: bool = True,
    **template: Any,
) -> Program:
    machine = machine or Machine(path=str(data / "path"), python="py", llama_cpp=False, gpu=True)
    volumes = VolumeSource(
        buckets=data / "buckets",
        scratch=data / "scratch",
        secret=lambda name, version: f"{name}={version}",
        may_mount=lambda _bucket, _read_only: "",
        warn=lambda _text: None,
    )
    builder = Builder(machine, volumes, data / "scratch", data / "bin")
    wanted = run_v2.RevisionTemplate(containers=[run_v2.Container(container)], **template)
    return builder.build(wanted, {"K_SERVICE": "s"}, {}, listens=listens)


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("ollama/ollama", "ollama/ollama"),
        ("docker.io/ollama/ollama:0.33.0", "docker.io/ollama/ollama"),
        ("localhost:5000/x/y@sha256:abc", "localhost:5000/x/y"),
        ("localhost:5000/x/y:tag@sha256:abc", "localhost:5000/x/y"),
    ],
)
def test_the_repository_of_an_image(image: str, name: str) -> None:
    assert repository(image) == name


def test_llama_cpp_is_its_server_or_python_on_a_port_of_this_machine(tmp_path: Path) -> None:
    container = {
        "image": "ghcr.io/ggml-org/llama.cpp:server-cuda",
        "env": [{"name": "LLAMA_ARG_PORT", "value": "8080"}],
        "ports": [{"container_port": 8080}],
    }
    python = Machine(path=str(tmp_path / "path"), python="py", llama_cpp=True, gpu=False)
    built = build(tmp_path, container, machine=python)
    assert built.command == ["py", "-m", "local_cloud.runner.llama_server"]
    assert built.environment["LLAMA_ARG_PORT"] == str(built.port)
    assert built.environment["LLAMA_ARG_HOST"] == "127.0.0.1"
    server = program(tmp_path / "path", "llama-server")
    assert build(tmp_path, container).command == [str(server)]


def test_without_llama_cpp_the_reason_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RevisionFailed, match="pip install xllamacpp"):
        build(tmp_path, {"image": "ghcr.io/ggml-org/llama.cpp:server-cuda"})


def test_vllm_gets_its_model_port_and_flags(tmp_path: Path) -> None:
    vllm = program(tmp_path / "path", "vllm")
    (tmp_path / "buckets" / "b" / "llama").mkdir(parents=True)
    built = build(
        tmp_path,
        {
            "image": "vllm/vllm-openai:v0.33.0",
            "args": ["/models", "--port", "8080", "--load-format", "runai_streamer"],
            "volume_mounts": [{"name": "m", "mount_path": "/models"}],
        },
        volumes=[{"name": "m", "gcs": {"bucket": "b", "mount_options": ["only-dir=llama"]}}],
    )
    folder = str(tmp_path / "buckets" / "b" / "llama")
    assert built.command[:3] == [str(vllm), "serve", folder]
    assert built.command[3:] == [
        *("--host", "127.0.0.1", "--port", str(built.port), "--load-format", "runai_streamer")
    ]


def test_vllm_without_a_gpu(tmp_path: Path) -> None:
    program(tmp_path / "path", "vllm")
    built = build(
        tmp_path,
        {
            "image": "vllm/vllm-openai:v0.33.0",
            "args": ["m", "--load-format=runai_streamer", "--gpu-memory-utilization", "0.9"],
        },
        machine=Machine(path=str(tmp_path / "path"), python="py", llama_cpp=False, gpu=False),
    )
    assert not any("runai" in word or "utilization" in word for word in built.command)
    assert built.command[-1] == "--enforce-eager"
    assert len(built.notes) == 2


def test_vllm_that_does_not_listen_where_it_should(tmp_path: Path) -> None:
    """vLLM ignores PORT: without --port it listens on 8000, whatever the container's port."""
    program(tmp_path / "path", "vllm")
    built = build(tmp_path, {"image": "vllm/vllm-openai", "args": ["m"]})
    assert str(built.port) not in built.command
    assert str(built.ports.local(8000)) in built.command


@pytest.mark.parametrize(
    ("image", "message"),
    [("vllm/vllm-openai:x", NO_VLLM), ("ollama/ollama:x", NO_OLLAMA), ("x/y", "Image 'x/y' not")],
)
def test_what_is_not_there(tmp_path: Path, image: str, message: str) -> None:
    with pytest.raises(RevisionFailed) as failure:
        build(tmp_path, {"image": image})
    assert failure.value.message.startswith(message)
    assert failure.value.reason == "CONTAINER_MISSING"


def test_ollama_where_it_is_installed(tmp_path: Path) -> None:
    program(tmp_path / "path", "ollama")
    built = build(tmp_path, {"image": "ollama/ollama", "ports": [{"container_port": 11434}]})
    assert built.command == ["ollama", "serve"]
    assert built.environment["OLLAMA_HOST"] == f"127.0.0.1:{built.port}"
    assert not (tmp_path / "bin").exists()


def test_a_script_with_mounts_and_ports(tmp_path: Path) -> None:
    program(tmp_path / "path", "ollama")
    (tmp_path / "buckets" / "b").mkdir(parents=True)
    built = build(
        tmp_path,
        {
            "image": "ollama/ollama",
            "command": ["/bin/sh", "-c"],
            "args": ["OLLAMA_HOST=0.0.0.0:8080 ollama serve & ls /models/blobs /modelsx; wait"],
            "env": [{"name": "OLLAMA_MODELS", "value": "/models"}],
            "volume_mounts": [{"name": "m", "mount_path": "/models/"}],
        },
        volumes=[{"name": "m", "gcs": {"bucket": "b", "read_only": True}}],
    )
    bucket = tmp_path / "buckets" / "b"
    assert built.command == [
        "/bin/sh",
        "-c",
        f"OLLAMA_HOST=127.0.0.1:{built.port} ollama serve & ls {bucket}/blobs /modelsx; wait",
    ]
    assert built.environment["OLLAMA_MODELS"] == str(bucket)
    assert built.environment[READ_ONLY] == str(bucket)


@pytest.mark.parametrize("image", ["mine:local", "docker.io/a/mine@sha256:abc", "a/b/other:1"])
def test_an_image_of_ones_own_as_a_job(tmp_path: Path, image: str) -> None:
    images = {"mine": ("py", "-m", "program"), "a/b/other": ("py", "-m", "program")}
    built = build(
        tmp_path,
        {"image": image, "args": ["work", "--port", "8000", "0.0.0.0:80"]},
        machine=Machine(path="", python="py", llama_cpp=False, gpu=False, images=images),
        listens=False,
    )
    assert built.command == ["py", "-m", "program", "work", "--port", "8000", "0.0.0.0:80"]
    assert "PORT" not in built.environment


def test_an_image_that_only_ends_like_ones_own(tmp_path: Path) -> None:
    bare = Machine(path="", python="py", llama_cpp=False, gpu=False, images={"mine": ("py",)})
    with pytest.raises(RevisionFailed, match="Image 'notmine' not found"):
        build(tmp_path, {"image": "notmine"}, machine=bare)


def test_secret_files(tmp_path: Path) -> None:
    items = [{"path": "token", "version": "3"}]
    build(
        tmp_path,
        {"image": "hello", "volume_mounts": [{"name": "s", "mount_path": "/secrets"}]},
        volumes=[{"name": "s", "secret": {"secret": "hf", "items": items}}],
    )
    file = tmp_path / "scratch" / "volumes" / "s" / "token"
    assert file.read_text() == "hf=3"
    assert file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("containers", "volumes", "message"),
    [
        ([], [], "at least one container"),
        ([{"image": "a"}, {"image": "b"}], [], "without sidecars"),
        ([{}], [], "the image is required"),
        ([{"image": "a", "env": [{"name": "PORT", "value": "1"}]}], [], "reserved env names"),
        ([{"image": "a", "resources": {"limits": {"memory": "lots"}}}], [], "memory: Invalid"),
        (
            [{"image": "a", "volume_mounts": [{"name": "m", "mount_path": "/m"}]}],
            [],
            "Volume with name m not found",
        ),
        (
            [{"image": "a", "volume_mounts": [{"name": "m", "mount_path": "/proc/x"}]}],
            [{"name": "m", "empty_dir": {}}],
            "must be a valid absolute path",
        ),
        ([{"image": "a"}], [{"name": "n", "nfs": {"server": "x"}}], "cannot be mounted on this"),
    ],
)
def test_templates_that_contradict_themselves(
    containers: list[dict[str, Any]], volumes: list[dict[str, Any]], message: str
) -> None:
    with pytest.raises(RevisionFailed, match=message):
        check(run_v2.RevisionTemplate(containers=containers, volumes=volumes))


@pytest.mark.parametrize(
    "text",
    ['{"concurrency":16}', "gemma3:4b", "example.com:8080", "10.0.0.1:8080", "--size 8000", ""],
)
def test_what_is_no_port_of_the_container(text: str) -> None:
    assert PortMap().translate(text) == text


def test_addresses_of_others_stay() -> None:
    cloud = "http://127.0.0.1:55963"
    assert PortMap([cloud, "no address"]).translate(f"{cloud}/v1") == f"{cloud}/v1"
    assert PortMap([cloud]).local(8080) != 8080


def test_ports_are_the_same_wherever_they_stand() -> None:
    ports = PortMap()
    local = ports.local(8080)
    assert ports.translate("0.0.0.0:8080") == f"127.0.0.1:{local}"
    assert ports.translate(":8080") == f"127.0.0.1:{local}"
    assert ports.translate("http://localhost:8080/x") == f"http://localhost:{local}/x"
    assert ports.translate("serve --port=8080") == f"serve --port={local}"
    assert ports.translate("[::]:8080") == f"127.0.0.1:{local}"
    words = ["--max-model-len", "8080", "--port", "8080"]
    assert ports.translate_all(words) == [*words[:3], str(local)]


@pytest.mark.parametrize("name", ["../..", "..", "a/../../b", "/..", "link", "link/x", "a\0b"])
@pytest.mark.parametrize("kind", ["bucket", "empty", "secret"])
def test_no_mount_leads_out_of_its_volume(tmp_path: Path, kind: str, name: str) -> None:
    (tmp_path / "buckets" / "b").mkdir(parents=True)
    (tmp_path / "keys").mkdir()
    (tmp_path / "buckets" / "b" / "link").symlink_to(tmp_path / "keys")
    volumes = {
        "bucket": {"name": "v", "gcs": {"bucket": "b"}},
        "empty": {"name": "v", "empty_dir": {}},
        "secret": {"name": "v", "secret": {"secret": "s"}},
    }
    if name.startswith("link") and kind != "bucket":
        folder = tmp_path / "scratch" / "volumes" / "v"
        folder.mkdir(parents=True)
        (folder / "link").symlink_to(tmp_path / "keys")
    mount = {"name": "v", "mount_path": "/m", "sub_path": name}
    container = {"image": "local/python", "args": ["/m"], "volume_mounts": [mount]}
    with pytest.raises(RevisionFailed, match=r"sub_path: must be a relative path"):
        build(tmp_path, container, volumes=[volumes[kind]])


@pytest.mark.parametrize("name", ["../../escaped", "..", "../v2/escaped"])
def test_no_volume_is_made_elsewhere(tmp_path: Path, name: str) -> None:
    (tmp_path / "buckets" / "b").mkdir(parents=True)
    (tmp_path / "keys").mkdir()
    item = {"path": name, "version": "1"}
    for volume in (
        {"name": "v", "secret": {"secret": "s", "items": [item]}},
        {"name": f"../{name}", "empty_dir": {}},
        {"name": "v", "gcs": {"bucket": "../keys"}},
        {"name": "v", "gcs": {"bucket": "b", "mount_options": [f"only-dir={name}"]}},
    ):
        mount = {"name": volume["name"], "mount_path": "/m"}
        container = {"image": "local/python", "volume_mounts": [mount]}
        with pytest.raises(RevisionFailed):
            build(tmp_path, container, volumes=[volume])
    assert not list(tmp_path.rglob("escaped"))
