"""What vLLM says of models, weights and tokenizers that it can't load."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.domain.failures.advice import (
    DEFAULT_IMAGE,
    IMPLICIT_DIRS,
    IMPORT_AGAIN,
    NEWER_IMAGE,
    WITHOUT_ARGUMENT,
)
from llm_widgets.domain.failures.known_failure import Groups, KnownFailure, Rank, logged
from llm_widgets.domain.failures.remedies import Advice, RemedyKind
from llm_widgets.engines.vllm.arguments import COMMAND_LINE

if TYPE_CHECKING:
    from llm_widgets.domain.failures.context import Context

_TAGS = "https://hub.docker.com/r/vllm/vllm-openai/tags"
NEWER_VLLM = Advice(
    RemedyKind.OPEN_LINK, "Use a newer image of vLLM that knows the model.", url=_TAGS
)
_OTHER = Advice(RemedyKind.OPEN_LINK, "Use another version of vLLM's image.", url=_TAGS)
_QUANTIZATION = Advice(
    RemedyKind.NONE, "Import the model with another quantization, or the original without one."
)
_PARTS = r"(?:layers|blocks?|experts?|proj|weight|scale|norm|embed|lm_head|visual|vision)"


def _parser(groups: Groups, context: Context) -> Groups:
    """Name the argument of the deployment that has the parser."""
    flags = ("--tool-call-parser", "--reasoning-parser")
    given = [name for name in flags if COMMAND_LINE.value(context.args, name) == groups.get("name")]
    return {**groups, "given": given[0]} if given else groups


def _tools(groups: Groups, context: Context) -> Groups:
    name = "--enable-auto-tool-choice"
    return {**groups, "given": name} if COMMAND_LINE.has(context.args, name) else groups


FAILURES: tuple[KnownFailure, ...] = (
    KnownFailure(
        id="weights-mismatch",
        rank=Rank.ENGINE,
        signs=(
            logged(
                rf"KeyError: ['\"](?P<weight>[\w.]{{0,150}}\b\w{{0,40}}{_PARTS}\w{{0,40}}"
                r"[\w.]{0,100})['\"]"
            ),
            logged(r"There is no module or parameter named '?(?P<weight>[\w.]{1,200})'? in"),
            logged(r"size mismatch for (?P<weight>[\w.]{1,200})"),
            logged(r"Attempted to load (?:nested )?weight"),
            logged(r"was skipped because it is tied to "),
            logged(r"loaded_weight\.shape|param(?:_data|\.data|eter)?\.shape == "),
        ),
        causes=(
            "The model's weights don't go with what this version of vLLM expects: {weight}.",
            "The model's weights don't go with what this version of vLLM expects.",
        ),
        advice=(NEWER_IMAGE, NEWER_VLLM, _QUANTIZATION),
        source="vllm-project/vllm: vllm/model_executor/models/utils.py",
        versions="vLLM 0.6 to 0.33",
    ),
    KnownFailure(
        id="model-type-missing",
        rank=Rank.ENGINE,
        signs=(
            logged(r"Should have a [`'\"]?model_type[`'\"]? key in its config\.json"),
            logged(r"Could not detect config format for no config file found"),
            logged(r"No model architectures are specified"),
        ),
        causes=(
            (
                "The folder's config.json is none of a language model, or is missing: it names no "
                "type "
                "of model that vLLM can read."
            ),
        ),
        advice=(
            Advice(
                RemedyKind.NONE,
                "Check that the folder {folder} has the model itself and not an adapter, a part of "
                "a pipeline or a GGUF file; import the right repository.",
            ),
            IMPLICIT_DIRS,
            Advice(
                RemedyKind.NONE, "Import the right repository: one with weights and config.json."
            ),
        ),
        source="huggingface/transformers: src/transformers/models/auto/configuration_auto.py",
        versions="vLLM 0.4 to 0.33",
    ),
    KnownFailure(
        id="architecture-not-imported",
        rank=Rank.ENGINE,
        signs=(
            logged(
                r"Model architectures \['?(?P<architecture>[\w.-]{1,80}).{0,200}? failed to be "
                r"inspected"
            ),
        ),
        causes=(
            (
                "vLLM knows the architecture {architecture} but could not load its program: mostly "
                "the image lacks a compiler, a package, or has one of another version."
            ),
        ),
        advice=(DEFAULT_IMAGE, NEWER_IMAGE, _OTHER),
        source="vllm-project/vllm: vllm/model_executor/models/registry.py",
        versions="vLLM 0.6 to 0.33",
    ),
    KnownFailure(
        id="architecture-removed",
        rank=Rank.ENGINE,
        signs=(
            logged(
                r"Model architecture (?P<architecture>[\w.-]{1,80}) was supported in vLLM until "
                r"v?(?P<until>[\d.]{1,12})"
            ),
            logged(r"Model architecture (?P<architecture>[\w.-]{1,80}) is not supported in-tree"),
        ),
        causes=(
            "vLLM no longer has the architecture {architecture}; the last version was {until}.",
            "vLLM no longer has the architecture {architecture}; a plug-in does.",
        ),
        advice=(
            Advice(
                RemedyKind.OPEN_LINK,
                "Use an older image of vLLM, or one with the plug-in.",
                url=_TAGS,
            ),
        ),
        source="vllm-project/vllm: vllm/model_executor/models/registry.py",
        versions="vLLM 0.8 to 0.33",
    ),
    KnownFailure(
        id="transformers-unfit",
        rank=Rank.ENGINE,
        signs=(
            logged(
                r"(?:AttributeError: )'?(?P<what>\w{0,60}(?:Tokenizer|Config|Processor)\w{0,30})'?"
                r"(?: object)? has no attribute '?(?P<attribute>\w{1,80})"
            ),
            logged(
                r"cannot import name '(?P<attribute>\w{1,80})' from "
                r"'(?P<what>transformers[\w.]{0,80})'"
            ),
            logged(
                r"Tokenizer class (?P<what>\w{1,80}) does not exist or is not currently imported"
            ),
            logged(r"data did not match any variant of untagged enum (?P<what>\w{1,40})"),
            logged(
                r"Unrecognized (?:processing|image processor|video processor|feature extractor) "
                r"(?:class )?in "
            ),
            logged(
                r"requires (?:\w{1,20} )?transformers ?(?:version )?(?P<version>[<>=!]{1,2} "
                r"?[\d.]{1,12})"
            ),
            logged(r"requires Transformers version (?P<version>[\d.]{1,12})"),
            logged(
                r"rope_(?:type|scaling|parameters)\W{1,5}.{0,80}?(?:must|conflict|modern field|"
                r"missing|unrecognized)"
            ),
        ),
        causes=(
            (
                "The Transformers library in the image is of a version that does not go with vLLM "
                "or the "
                "model: {what} has no {attribute}."
            ),
            (
                "The Transformers library in the image is of a version that does not go with the "
                "model: "
                "it needs {version}."
            ),
            (
                "The Transformers library in the image is of a version that does not go with vLLM "
                "or the "
                "model: {what}."
            ),
            (
                "The Transformers library in the image is of a version that does not go with vLLM "
                "or the "
                "model."
            ),
        ),
        advice=(DEFAULT_IMAGE, NEWER_IMAGE, _OTHER),
        source="huggingface/transformers",
        versions="vLLM 0.8 to 0.33",
    ),
    KnownFailure(
        id="parser-unknown",
        rank=Rank.ENGINE,
        signs=(
            logged(r"(?:Tool|Reasoning) parser '(?P<name>[\w.-]{1,60})' not found"),
            logged(r"invalid (?:tool call|reasoning) parser: (?P<name>[\w.-]{1,60})"),
        ),
        causes=("This version of vLLM has no parser {name}.",),
        advice=(
            WITHOUT_ARGUMENT,
            NEWER_IMAGE,
            Advice(
                RemedyKind.OPEN_LINK,
                "Correct its name; vLLM's documentation has the parsers.",
                url="https://docs.vllm.ai/en/latest/features/tool_calling.html",
            ),
        ),
        source="vllm-project/vllm: vllm/tool_parsers/abstract_tool_parser.py",
        derive=_parser,
        versions="vLLM 0.6 to 0.33",
    ),
    KnownFailure(
        id="parser-missing",
        rank=Rank.ENGINE,
        signs=(logged(r"--enable-auto-tool-choice requires --tool-call-parser"),),
        causes=("--enable-auto-tool-choice needs a parser for the model's tool calls.",),
        advice=(
            WITHOUT_ARGUMENT,
            Advice(
                RemedyKind.OPEN_LINK,
                "Add --tool-call-parser with the parser of the model.",
                url="https://docs.vllm.ai/en/latest/features/tool_calling.html",
            ),
        ),
        source="vllm-project/vllm: vllm/entrypoints/openai/cli_args.py",
        derive=_tools,
        versions="vLLM 0.6 to 0.33",
    ),
    KnownFailure(
        id="dtype-model",
        rank=Rank.ENGINE,
        signs=(
            logged(r"The model type '?(?P<model_type>[\w.-]{1,60})'? does not support float16"),
            logged(
                r"(?P<dtype>torch\.\w{1,20}) is not supported for quantization method "
                r"(?P<method>[\w-]{1,40})\. Supported dtypes: \[(?P<allowed>torch\.\w{1,20})"
            ),
        ),
        causes=(
            "The quantization {method} computes in {allowed} only, and {dtype} was requested.",
            "Models of the type {model_type} can't compute in float16.",
        ),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with --dtype={needed}.",
                {"add_argument": "--dtype={needed}"},
            ),
            Advice(RemedyKind.NONE, "Tell vLLM the type that the error names by --dtype."),
        ),
        source="vllm-project/vllm: vllm/config/vllm.py",
        derive=lambda groups, _: {
            **groups,
            "needed": groups.get("allowed", "torch.bfloat16").partition(".")[2],
        },
        versions="vLLM 0.4 to 0.33",
    ),
    KnownFailure(
        id="runner-unfit",
        rank=Rank.ENGINE,
        signs=(
            logged(r"This model does not support `--runner (?P<runner>\w{1,20})`"),
            logged(r"Embedding models do not support `--runner (?P<runner>\w{1,20})`"),
            logged(r"Model \w{1,80} does not support any pooling tasks"),
        ),
        causes=(
            "The model is of another kind than vLLM is told: it has no --runner {runner}.",
            "The model is of another kind than vLLM is told.",
        ),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with --runner=auto.",
                {"add_argument": "--runner=auto"},
                needs=("is_vllm",),
            ),
            Advice(RemedyKind.NONE, "Leave out --runner, --task and --convert."),
        ),
        source="vllm-project/vllm: vllm/config/model.py",
        versions="vLLM 0.10 to 0.33",
    ),
    KnownFailure(
        id="streamer-file",
        rank=Rank.ENGINE,
        signs=(
            logged(
                r"Could not (?:receive runai_response|send runai_request|open streamer) "
                r".{0,60}?libstreamer "
                r"due to: b?'?(?P<detail>[^'\n]{1,100})"
            ),
        ),
        causes=("The streamer could not read a file with weights: {detail}.",),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with --load-format=auto, which reads without the streamer and tells more.",
                {"add_argument": "--load-format=auto"},
                needs=("is_vllm",),
            ),
            Advice(
                RemedyKind.NONE,
                "Check that the service account may read the bucket's objects, and that none was "
                "deleted or replaced meanwhile.",
            ),
            IMPORT_AGAIN,
        ),
        source="run-ai/runai-model-streamer#69",
        versions="vLLM 0.9 to 0.33",
    ),
    KnownFailure(
        id="lora-rank",
        rank=Rank.ENGINE,
        signs=(
            logged(
                r"LoRA rank (?P<wanted>\d{1,5}) is greater than max_lora_rank (?P<have>\d{1,5})"
            ),
        ),
        causes=("The LoRA adapter has the rank {wanted}, and vLLM is to take up to {have}.",),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with --max-lora-rank={wanted}.",
                {"add_argument": "--max-lora-rank={wanted}"},
            ),
        ),
        source="vllm-project/vllm#2847",
        versions="vLLM 0.3 to 0.33",
    ),
    KnownFailure(
        id="lora-adapter",
        rank=Rank.ENGINE,
        signs=(
            logged(r"No adapter found for (?P<path>[^\s'\"\]]{1,200})"),
            logged(r"expected target modules in "),
            logged(r"is unsupported LoRA weight"),
            logged(r"LoRA is not supported for (?P<class>\w{1,80})"),
        ),
        causes=(
            "There is no LoRA adapter at {path}.",
            "vLLM has no LoRA adapters for models of the class {class}.",
            "The LoRA adapter does not go with the model, or has parts that vLLM can't load.",
        ),
        advice=(
            Advice(
                RemedyKind.NONE,
                "Check the adapter's folder in the bucket and its adapter_config.json: it must be "
                "made for this model, and be all there.",
            ),
            NEWER_IMAGE,
            Advice(RemedyKind.NONE, "Or merge the adapter into the model and import the result."),
        ),
        source="vllm-project/vllm: vllm/lora/worker_manager.py",
        versions="vLLM 0.6 to 0.33",
    ),
    KnownFailure(
        id="chat-template-damaged",
        rank=Rank.ENGINE,
        signs=(
            logged(r"TemplateSyntaxError: (?P<detail>[^\n]{1,200})"),
            logged(r"jinja2\.exceptions\.\w{1,40}: (?P<detail>[^\n]{1,200})"),
        ),
        causes=("The model's chat template can't be used: {detail}",),
        advice=(
            IMPORT_AGAIN,
            Advice(
                RemedyKind.NONE,
                "Name another template with --chat-template, or correct that of the model.",
            ),
        ),
        source="runpod-workers/worker-vllm#129",
        versions="vLLM 0.6",
    ),
)
