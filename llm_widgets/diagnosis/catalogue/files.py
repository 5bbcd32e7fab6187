"""Models whose files are not there, not whole, or not to be read."""

from __future__ import annotations

from llm_widgets.domain.failures.advice import DEFAULT_IMAGE, IMPORT_AGAIN, NEWER_IMAGE, PATH
from llm_widgets.domain.failures.known_failure import KnownFailure, Rank, anywhere, logged
from llm_widgets.domain.failures.remedies import Advice, RemedyKind

FAILURES: tuple[KnownFailure, ...] = (
    KnownFailure(
        id="hub-missing",
        rank=Rank.ENGINE,
        signs=(
            logged(r"Repository Not Found for url"),
            logged(r"RepositoryNotFoundError"),
            logged(r"Revision Not Found for url"),
            logged(
                r"OSError: (?P<name>[\w.-]{1,96}/[\w.-]{1,96}) is not a local folder and is not a "
                r"valid model identifier"
            ),
            logged(r"is not a local folder and is not a valid model identifier"),
            logged(r"get_repo_commit: error: .{0,60}\(40[134]\)"),
            logged(r"error from HF API, response code: 40[134]"),
        ),
        causes=(
            "Hugging Face has no model {name}, or does not show it without a token.",
            (
                "The engine looked for the model at Hugging Face, which has none of this name or "
                "does not show it without a token."
            ),
        ),
        advice=(
            Advice(
                RemedyKind.NONE,
                "Name the model by its path in the mounted bucket, and not by its name at the hub.",
            ),
            IMPORT_AGAIN,
            Advice(
                RemedyKind.NONE,
                "If it is to be downloaded, correct its name, or give the service a secret "
                "HF_TOKEN that may read it.",
            ),
        ),
        source="vllm-project/vllm#7986",
    ),
    KnownFailure(
        id="hub-token",
        rank=Rank.ENGINE,
        signs=(
            logged(r"Cannot access gated repo for url"),
            logged(r"You are trying to access a gated repo"),
            logged(r"GatedRepoError"),
            logged(r"Access to model \S{1,200} is restricted"),
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
    KnownFailure(
        id="hub-unreachable",
        rank=Rank.ENGINE,
        signs=(
            logged(r"Cannot reach https://huggingface\.co.{0,300}?offline mode is enabled"),
            logged(r"couldn't connect to 'https://huggingface\.co'"),
            logged(r"outgoing traffic has been disabled"),
            logged(r"429 Client Error: Too Many Requests for url: https://huggingface\.co"),
            logged(r"LocalEntryNotFoundError"),
            logged(r"OfflineModeIsEnabled"),
            logged(r"host='huggingface\.co', port=443\): Max retries exceeded"),
            logged(r"error from HF API, response code: \d{3}"),
            logged(r"failed to GET model info from HF|get_repo_commit: error"),
        ),
        causes=(
            (
                "The engine looked for files at Hugging Face, which can't be reached or did not "
                "answer: they are not in the model's folder."
            ),
        ),
        advice=(
            Advice(
                RemedyKind.NONE,
                "Check that the first argument is the path of the model in the mounted bucket.",
            ),
            IMPORT_AGAIN,
        ),
        source="vllm-project/vllm#3719",
    ),
    KnownFailure(
        id="config-damaged",
        rank=Rank.ENGINE,
        signs=(logged(rf"config file at [`'\"]?{PATH}[`'\"]? is not a valid JSON file"),),
        causes=("The model's file {path} is not valid JSON: incomplete or changed.",),
        advice=(IMPORT_AGAIN,),
        source="huggingface/transformers: src/transformers/configuration_utils.py",
    ),
    KnownFailure(
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
        advice=(IMPORT_AGAIN,),
        source="QwenLM/Qwen3-VL#264",
    ),
    KnownFailure(
        id="weights-with-code",
        rank=Rank.ENGINE,
        signs=(
            logged(r"Unsupported (?:global: GLOBAL|class) (?P<name>[\w.]{1,120})"),
            logged(r"Weights only load failed\..{0,400}(?:not an allowed|[Uu]nsupported)"),
        ),
        causes=(
            (
                "A file with weights names program code ({name}), which PyTorch 2.6 and later "
                "do not run by default."
            ),
            (
                "A file with weights names program code, which PyTorch 2.6 and later do not run by "
                "default."
            ),
        ),
        advice=(
            Advice(
                RemedyKind.NONE,
                "Import the model as safetensors, which have no code in them: another repository "
                "or revision mostly has these.",
            ),
            Advice(
                RemedyKind.REDEPLOY,
                "If you trust its author, deploy with TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD=1: the code "
                "runs in the container with the rights of its service account.",
                {"environment": "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD=1"},
            ),
            NEWER_IMAGE,
        ),
        source="pytorch/pytorch: torch/serialization.py, torch/_weights_only_unpickler.py",
    ),
    KnownFailure(
        id="tokenizer-form",
        rank=Rank.ENGINE,
        signs=(
            logged(r"Couldn't instantiate the backend tokenizer"),
            logged(r"You need to have sentencepiece(?: or tiktoken)? installed to convert"),
            logged(r"Converting from (?:SentencePiece and )?Tiktoken failed"),
            logged(r"Cannot instantiate this tokenizer from a slow version"),
            logged(r"is required to read a `?tiktoken`? file"),
        ),
        causes=(
            (
                "The model's tokenizer can't be read: it has no tokenizer.json, or the image "
                "lacks the package that its older form needs, sentencepiece or tiktoken."
            ),
        ),
        advice=(
            Advice(
                RemedyKind.NONE,
                "Import the tokenizer.json of the model, or of the one that it was made from, "
                "beside the weights.",
            ),
            DEFAULT_IMAGE,
            NEWER_IMAGE,
            Advice(
                RemedyKind.NONE,
                "Or use an image that has the packages sentencepiece and tiktoken.",
            ),
        ),
        source="huggingface/transformers: src/transformers/tokenization_utils_fast.py",
    ),
    KnownFailure(
        id="tokenizer-missing",
        rank=Rank.ENGINE,
        signs=(
            logged(rf"Can't load tokenizer for '{PATH}'"),
            logged(r"No tokenizer file found in directory"),
            logged(r"Unable to load vocabulary from file"),
        ),
        causes=("The model's folder has no tokenizer that can be read.",),
        advice=(
            IMPORT_AGAIN,
            Advice(
                RemedyKind.NONE,
                "If its repository has no tokenizer, name the one to use with --tokenizer.",
            ),
        ),
        source="vllm-project/vllm#31444",
    ),
    KnownFailure(
        id="gguf-damaged",
        rank=Rank.ENGINE,
        signs=(
            anywhere(r"invalid file magic"),
            logged(r"data is not within the file bounds"),
            logged(r"failed to read magic"),
        ),
        causes=("The model's file is not whole, or no GGUF file.",),
        advice=(IMPORT_AGAIN,),
        source="ggml-org/llama.cpp: ggml/src/gguf.cpp",
    ),
)
