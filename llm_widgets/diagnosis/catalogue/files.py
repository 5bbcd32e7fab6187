"""Models whose files are not there, not whole, or not to be read."""

from __future__ import annotations

from llm_widgets.diagnosis.failure import Kind, Rank, anywhere, logged
from llm_widgets.diagnosis.remedies import Advice, RemedyKind

_PATH = r"(?P<path>[^'\"`\s]{1,300})"
_IMPORT = Advice(
    RemedyKind.NONE, "Import the model again: the importer checks each file against its hub."
)
_IMPLICIT = Advice(
    RemedyKind.REDEPLOY,
    "Deploy it with the mount option implicit-dirs: without it, folders of the bucket can be "
    "invisible.",
    {"add_mount_options": "implicit-dirs"},
    needs=("bucket",),
)

KINDS: tuple[Kind, ...] = (
    Kind(
        id="model-folder",
        rank=Rank.ENGINE,
        signs=(
            # vLLM also asks the hub for a list of files of a local folder, which does no harm.
            logged(
                r"(?<!file list: )Repo id must be in the form 'repo_name' or "
                rf"'namespace/repo_name': '{_PATH}'"
            ),
            logged(rf"Invalid repository ID or local directory specified: '{_PATH}'"),
            logged(rf"Incorrect path_or_model_id: '{_PATH}'"),
            logged(r"does not appear to have a file named config\.json"),
        ),
        causes=(
            (
                "There is no model at {path}: the folder is empty or not there, so vLLM took it "
                "for a name at Hugging Face."
            ),
            "The model's folder has no config.json.",
        ),
        advice=(
            _IMPLICIT,
            Advice(
                RemedyKind.NONE,
                "Check that the bucket has the model in the folder {folder}; if not, import it.",
            ),
            _IMPORT,
        ),
        source="vllm-project/vllm#12867",
    ),
    Kind(
        id="hub-token",
        rank=Rank.ENGINE,
        signs=(
            logged(r"Cannot access gated repo for url"),
            logged(r"You are trying to access a gated repo"),
            logged(r"Invalid credentials in Authorization header"),
            logged(r"401 Client Error.{0,120}?huggingface\.co"),
        ),
        causes=(
            (
                "The engine tried to load the model from Hugging Face, which asks for a token that "
                "may read it."
            ),
        ),
        advice=(
            Advice(
                RemedyKind.NONE,
                "Serve the imported model by its path in the bucket; or give the service a secret "
                "HF_TOKEN whose owner has accepted the model's licence.",
            ),
        ),
        source="vllm-project/vllm#9255",
    ),
    Kind(
        id="hub-unreachable",
        rank=Rank.ENGINE,
        signs=(
            logged(r"Cannot reach https://huggingface\.co.{0,300}?offline mode is enabled"),
            logged(r"couldn't connect to 'https://huggingface\.co'"),
            logged(r"outgoing traffic has been disabled"),
        ),
        causes=(
            (
                "The engine looked for files at Hugging Face and has no access to it: they are not "
                "in the model's folder."
            ),
        ),
        advice=(
            Advice(
                RemedyKind.NONE,
                "Check that the first argument is the path of the model in the mounted bucket.",
            ),
            _IMPORT,
        ),
        source="vllm-project/vllm#3719",
    ),
    Kind(
        id="config-damaged",
        rank=Rank.ENGINE,
        signs=(logged(rf"config file at [`'\"]?{_PATH}[`'\"]? is not a valid JSON file"),),
        causes=("The file {path} of the model is no JSON: it is not whole, or was changed.",),
        advice=(_IMPORT,),
        source="huggingface/transformers: src/transformers/configuration_utils.py",
    ),
    Kind(
        id="weights-damaged",
        rank=Rank.ENGINE,
        signs=(
            logged(
                r"SafetensorError: (?:Error while deserializing(?: header)?: )?"
                r"(?P<detail>[\w, ]{1,100})"
            ),
            logged(r"Error while deserializing header: (?P<detail>[\w, ]{1,100})"),
        ),
        causes=("A file with weights is not whole or no safetensors file: {detail}.",),
        advice=(_IMPORT,),
        source="QwenLM/Qwen3-VL#264",
    ),
    Kind(
        id="weights-missing",
        rank=Rank.ENGINE,
        signs=(
            logged(rf"Cannot find any (?:safetensors )?model weights with [`'\"]?{_PATH}"),
            logged(r"Following weights were not initialized from checkpoint"),
        ),
        causes=(
            "The folder {path} has no weights that vLLM can load.",
            "Weights of the model are missing.",
        ),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy it with --load-format=auto: the streamer loads safetensors files only.",
                {"add_argument": "--load-format=auto"},
                needs=("is_vllm",),
            ),
            _IMPORT,
        ),
        source="vllm-project/vllm: vllm/model_executor/model_loader/default_loader.py",
    ),
    Kind(
        id="tokenizer-missing",
        rank=Rank.ENGINE,
        signs=(
            logged(rf"Can't load tokenizer for '{_PATH}'"),
            logged(r"Couldn't instantiate the backend tokenizer"),
            logged(r"No tokenizer file found in directory"),
            logged(r"Unable to load vocabulary from file"),
        ),
        causes=("The model's folder has no tokenizer that can be read.",),
        advice=(
            _IMPORT,
            Advice(
                RemedyKind.NONE,
                "If its repository has no tokenizer, name the one to use with --tokenizer.",
            ),
        ),
        source="vllm-project/vllm#31444",
    ),
    Kind(
        id="gguf-damaged",
        rank=Rank.ENGINE,
        signs=(
            anywhere(r"invalid file magic"),
            logged(r"data is not within the file bounds"),
            logged(r"failed to read magic"),
        ),
        causes=("The model's file is not whole, or no GGUF file.",),
        advice=(_IMPORT,),
        source="ggml-org/llama.cpp: ggml/src/gguf.cpp",
    ),
    Kind(
        id="blob-missing",
        rank=Rank.ENGINE,
        signs=(
            anywhere(r"open (?P<path>/[^\s'\"]{1,250}/blobs/sha256-[0-9a-f]{6,64}): no such file"),
            anywhere(
                r"no such file or directory.{0,20}?(?P<path>/[^\s'\"]{1,250}/blobs/sha256-\w)"
            ),
        ),
        causes=("A file of the model is not in the bucket: {path}.",),
        advice=(_IMPORT,),
        source="ollama/ollama: server/images.go",
    ),
)
