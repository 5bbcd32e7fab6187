"""Which files of a repository are copied."""

from __future__ import annotations

import pytest

from llm_widgets.domain.imports import LEFT_OUT_BY_HAND, Digest, DigestKind, HubFile, HubModel
from llm_widgets.hubs.huggingface import selection
from llm_widgets.hubs.huggingface.selection import SAFETENSORS_INDEX, WeightsError

SHARDS = [f"model-0000{number}-of-00003.safetensors" for number in (1, 2, 3)]
SMALL = [
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.jinja",
]


def kept(
    paths: list[str], shards: list[str] | None = None, folders: tuple[str, ...] = ()
) -> set[str]:
    reasons = selection.choose(paths, shards, folders)
    assert set(reasons) == set(paths)
    return {path for path, reason in reasons.items() if not reason}


def test_a_repository_of_meta() -> None:
    others = [
        ".gitattributes",
        "LICENSE",
        "README.md",
        "USE_POLICY.md",
        "original/consolidated.00.pth",
        "original/params.json",
        "original/tokenizer.model",
    ]
    paths = [*SMALL, *SHARDS, SAFETENSORS_INDEX, *others]
    assert kept(paths, SHARDS) == {*SMALL, *SHARDS, SAFETENSORS_INDEX}


def test_a_repository_of_mistral() -> None:
    paths = [
        *SMALL,
        *SHARDS,
        SAFETENSORS_INDEX,
        "consolidated.safetensors",
        "params.json",
        "tekken.json",
        "tokenizer.model.v3",
    ]
    assert kept(paths, SHARDS) == set(paths) - {"consolidated.safetensors"}
    reasons = selection.choose(paths, SHARDS)
    assert "once more" in reasons["consolidated.safetensors"]
    only = ["consolidated.safetensors", "params.json", "tekken.json", "README.md"]
    assert kept(only) == set(only) - {"README.md"}
    parts = [f"consolidated-0000{n}-of-00002.safetensors" for n in (1, 2)]
    index = "consolidated.safetensors.index.json"
    assert kept([*parts, index, "params.json"]) == {*parts, index, "params.json"}


def test_an_old_repository_with_every_format() -> None:
    extras = {
        "pytorch_model.bin": "PyTorch",
        "pytorch_model.bin.index.json": "index",
        "flax_model.msgpack": "Flax",
        "tf_model.h5": "TensorFlow",
        "rust_model.ot": "Rust",
        "64.tflite": "TensorFlow Lite",
        "onnx/decoder_model.onnx": "ONNX",
        "onnx/config.json": "ONNX",
        "coreml/x/weights/weight.bin": "Core ML",
        "model.fp16.safetensors": "once more",
        "model-q4.gguf": "llama.cpp",
        "training_args.bin": "training",
        "checkpoint-500/model.safetensors": "training",
        "figures/loss.png": "pictures",
        "logo.png": "picture",
        "adapter_model.safetensors": "adapter",
        "vae/diffusion.safetensors": "subfolder",
    }
    small = ["config.json", "vocab.json", "merges.txt", "tokenizer.json", "modeling_x.py"]
    reasons = selection.choose([*small, "model.safetensors", *extras], None)
    assert {path for path, reason in reasons.items() if not reason} == {
        *small,
        "model.safetensors",
    }
    for path, word in extras.items():
        assert word in reasons[path], path


def test_a_single_file_and_shards_are_not_copied_both() -> None:
    paths = ["config.json", "model.safetensors", *SHARDS, SAFETENSORS_INDEX]
    assert kept(paths, SHARDS) == {"config.json", *SHARDS, SAFETENSORS_INDEX}
    # An index whose files are gone would stop vLLM: the single file is taken without it.
    assert kept([*paths[:2], SAFETENSORS_INDEX], SHARDS) == {"config.json", "model.safetensors"}


def test_weights_that_the_index_does_not_name_are_left_out() -> None:
    paths = [*SHARDS, SAFETENSORS_INDEX, "mtp.safetensors", "model-00001-of-00009.safetensors"]
    assert kept(paths, SHARDS) == {*SHARDS, SAFETENSORS_INDEX}


def test_pytorch_weights_where_there_are_no_others() -> None:
    parts = ["pytorch_model-00001-of-00002.bin", "pytorch_model-00002-of-00002.bin"]
    index = "pytorch_model.bin.index.json"
    paths = ["config.json", *parts, index, "training_args.bin", "optimizer.pt"]
    assert kept(paths) == {"config.json", *parts, index}
    assert kept(["config.json", "pytorch_model.bin", "pytorch_model.fp16.bin"]) == {
        "config.json",
        "pytorch_model.bin",
    }


@pytest.mark.parametrize(
    ("held", "taken"),
    [
        (["model.pt"], {"model.pt"}),
        (["llama-7b-4bit-128g.pt", "optimizer.pt", "rng_state.pth"], {"llama-7b-4bit-128g.pt"}),
        (["model.bin", "model.pt"], {"model.bin"}),
        (["weights-00001-of-00002.bin", "weights-00002-of-00002.bin"], None),
        (["part_a.bin", "part_b.bin", "training_args.bin"], {"part_a.bin", "part_b.bin"}),
        (["pytorch_model.bin", "model.bin", "model.pt"], {"pytorch_model.bin"}),
        (["model.safetensors", "model.bin", "model.pt"], {"model.safetensors"}),
        (["model.fp16.safetensors", "model.pt"], {"model.fp16.safetensors"}),
        (["model.fp16.safetensors", "model.bf16.safetensors"], {"model.bf16.safetensors"}),
        (["model.bin", "openvino_model.bin", "mm_projector.bin"], {"model.bin"}),
    ],
)
def test_weights_with_unusual_names_are_taken_as_vllm_takes_them(
    held: list[str], taken: set[str] | None
) -> None:
    assert kept(["config.json", *held]) == {"config.json", *(held if taken is None else taken)}


@pytest.mark.parametrize(
    "path",
    [
        *("model.pth", "optimizer.bin", "model_world_size_8_rank_0.pt", "ggml-model-q4_0.bin"),
        *("adapter_model.bin", "pytorch_lora_weights.bin", "learned_embeds.bin", "vocab.bin"),
        *("bf16_zero_pp_rank_0_mp_rank_00_optim_states.pt", "medusa_lm_head.pt", "scaler.pt"),
    ],
)
def test_what_is_no_model_is_not_taken_for_its_suffix(path: str) -> None:
    with pytest.raises(WeightsError, match="no weights"):
        kept(["config.json", path])


def test_code_and_settings_in_folders_are_kept() -> None:
    paths = ["model.safetensors", "1_Pooling/config.json", "custom/modeling.py", ".cache/x.json"]
    assert kept(paths) == set(paths[:-1])


def test_weights_in_folders_that_the_model_names() -> None:
    dense = ["2_Dense/config.json", "2_Dense/model.safetensors"]
    paths = ["config.json", "model.safetensors", "modules.json", *dense, "other/model.safetensors"]
    both = [*paths, "2_Dense/pytorch_model.bin"]
    assert kept(both, folders=("1_Pooling", "2_Dense")) == set(paths[:-1])
    older = [
        path.replace("2_Dense/model.safetensors", "2_Dense/pytorch_model.bin") for path in paths
    ]
    assert "2_Dense/pytorch_model.bin" in kept(older, folders=("2_Dense",))
    lora = ["speech-lora/adapter_config.json", "speech-lora/adapter_model.safetensors"]
    assert kept([*SMALL, "model.safetensors", *lora], folders=("speech-lora",)) == {
        *SMALL,
        "model.safetensors",
        *lora,
    }


def test_weights_that_are_all_in_folders() -> None:
    shards = [f"transformer/{path}" for path in SHARDS]
    paths = [*SMALL, *shards, "vision_encoder/model.safetensors", "vae/model.safetensors"]
    folders = ("transformer", "vision_encoder")
    assert kept(paths, folders=folders) == set(paths[:-1])
    with pytest.raises(WeightsError, match="1 of 3 files"):
        selection.choose([path for path in paths if path != shards[1]], None, folders)
    with pytest.raises(WeightsError, match="1 of 3 files"):
        selection.choose([*paths, *SHARDS[1:]], None, folders)


@pytest.mark.parametrize(
    ("paths", "shards", "said"),
    [
        (["config.json", SHARDS[0], SHARDS[2]], SHARDS, SHARDS[1]),
        (["config.json", SHARDS[0], SHARDS[2]], None, "1 of 3 files"),
        (["README.md"], None, "no weights"),
        ([], None, "no weights"),
    ],
)
def test_repositories_that_vllm_cannot_load(
    paths: list[str], shards: list[str] | None, said: str
) -> None:
    with pytest.raises(WeightsError, match=said):
        selection.choose(paths, shards)


def test_the_choice_can_be_changed_and_put_back() -> None:
    digest = Digest(DigestKind.SHA256, "0" * 64)
    model = HubModel(
        source="huggingface",
        id="org/name",
        revision="1" * 40,
        files=(
            HubFile("config.json", 1, digest),
            HubFile("model.safetensors", 10, digest),
            HubFile("README.md", 100, digest, skipped="text for people"),
        ),
    )
    changed = model.with_chosen({"model.safetensors", "README.md"})
    assert [file.path for file in changed.chosen] == ["model.safetensors", "README.md"]
    assert changed.size == 110
    assert changed.files[0].skipped == LEFT_OUT_BY_HAND
    back = changed.with_chosen({"config.json", "model.safetensors"})
    assert back.chosen == model.chosen
