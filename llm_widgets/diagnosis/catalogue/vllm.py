"""Models and arguments that vLLM does not take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llm_widgets.diagnosis.failure import Groups, Kind, Rank, logged
from llm_widgets.diagnosis.remedies import Advice, RemedyKind

if TYPE_CHECKING:
    from llm_widgets.diagnosis.context import Context

_NEWEST = Advice(
    RemedyKind.REDEPLOY,
    "Deploy it with {newer_image}, which is newer than {image}.",
    {"image": "{newer_image}"},
)
_NEWER = Advice(
    RemedyKind.OPEN_LINK,
    "Use a newer image of vLLM that knows the model.",
    url="https://hub.docker.com/r/vllm/vllm-openai/tags",
)

_ARGUMENTS = "https://docs.vllm.ai/en/latest/cli/serve.html"


def _unknown_arguments(groups: Groups, context: Context) -> Groups:
    """Give the first unknown argument only as the deployment has it."""
    name = groups["arguments"].split()[0].partition("=")[0]
    values = {**groups, "argument": name}
    if any(word.partition("=")[0] == name for word in context.args):
        values["given"] = name
    return values


def _wrong_value(groups: Groups, context: Context) -> Groups:
    """Of ``--dtype/-d``, give the long name."""
    name = groups["argument"].partition("/")[0]
    values = {**groups, "argument": name}
    if any(word.partition("=")[0] == name for word in context.args):
        values["given"] = name
    return values


_WITHOUT = Advice(
    RemedyKind.REDEPLOY,
    "Deploy it without {given}.",
    {"remove_argument": "{given}"},
)

KINDS: tuple[Kind, ...] = (
    Kind(
        id="vllm-arguments",
        rank=Rank.ENGINE,
        signs=(logged(r"error: unrecognized arguments: (?P<arguments>[^\n]{1,300})"),),
        causes=("vLLM does not know the argument {argument}.",),
        advice=(
            _WITHOUT,
            Advice(
                RemedyKind.OPEN_LINK,
                "Correct the arguments; vLLM's are listed in its documentation.",
                url=_ARGUMENTS,
            ),
        ),
        source="vllm-project/vllm: vllm/entrypoints/cli/serve.py",
        derive=_unknown_arguments,
    ),
    Kind(
        id="vllm-argument-value",
        rank=Rank.ENGINE,
        signs=(
            logged(
                r"error: argument (?P<argument>--[\w-]{1,60}(?:/[\w/-]{1,60})?): "
                r"(?P<detail>[^\n]{1,200})"
            ),
        ),
        causes=("vLLM does not take the value of {argument}: {detail}",),
        advice=(
            _WITHOUT,
            Advice(
                RemedyKind.OPEN_LINK,
                "Correct the arguments; vLLM's are listed in its documentation.",
                url=_ARGUMENTS,
            ),
        ),
        source="vllm-project/vllm: vllm/entrypoints/cli/serve.py",
        derive=_wrong_value,
    ),
    Kind(
        id="vllm-architecture",
        rank=Rank.ENGINE,
        signs=(
            logged(
                r"Model architectures \['?(?P<architecture>[\w.-]{1,80}).{0,200}? are not "
                r"supported for now"
            ),
            logged(
                r"Model architectures \['?(?P<architecture>[\w.-]{1,80}).{0,200}? failed to be "
                r"inspected"
            ),
        ),
        causes=("This version of vLLM does not know the model's architecture, {architecture}.",),
        advice=(_NEWEST, _NEWER),
        source="vllm-project/vllm#27314",
    ),
    Kind(
        id="transformers-architecture",
        rank=Rank.ENGINE,
        signs=(
            logged(
                r"has model type [`'\"]?(?P<architecture>[\w.-]{1,80})[`'\"]? but Transformers "
                r"does not recognize this architecture"
            ),
        ),
        causes=(
            "The Transformers library in the image does not know the model's type, {architecture}.",
        ),
        advice=(_NEWEST, _NEWER),
        source="vllm-project/vllm#36217",
    ),
    Kind(
        id="custom-code",
        rank=Rank.ENGINE,
        signs=(
            logged(r"Please pass the argument [`'\"]?trust_remote_code=True"),
            logged(r"contains custom code which must be executed to correctly load the model"),
            logged(r"set the option [`'\"]?trust_remote_code=True"),
        ),
        causes=(
            "The model comes with program code of its own, which vLLM runs only if it is told to.",
        ),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "If you trust its author, deploy it with --trust-remote-code: the code runs in "
                "the container with the rights of its service account.",
                {"add_argument": "--trust-remote-code"},
            ),
            Advice(RemedyKind.NONE, "Else use a model that vLLM knows without code of its own."),
        ),
        source="runpod-workers/worker-vllm#43",
    ),
    Kind(
        id="quantization-unknown",
        rank=Rank.ENGINE,
        signs=(
            logged(r"Unknown quantization method: (?P<method>[\w.-]{1,60})"),
            logged(
                r"Quantization method specified in the model config \((?P<method>[\w.-]{1,60})\) "
                r"does not match"
            ),
            logged(r"Cannot find the config file for (?P<method>[\w.-]{1,60})"),
        ),
        causes=("vLLM can't load the model's quantization, {method}.",),
        advice=(
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy it without --quantization={asked}: vLLM reads it from the model.",
                {"remove_argument": "--quantization"},
            ),
            Advice(RemedyKind.NONE, "Import the model with another quantization, or without one."),
        ),
        source="vllm-project/vllm: vllm/config/model.py",
        derive=lambda groups, context: (
            {**groups, "asked": context.argument("--quantization")}
            if context.argument("--quantization")
            else groups
        ),
    ),
    Kind(
        id="chat-template",
        rank=Rank.ENGINE,
        signs=(logged(r"default chat template is no longer allowed"),),
        causes=(
            "The model has no chat template: it is no chat model, or its template is missing.",
        ),
        advice=(
            Advice(
                RemedyKind.NONE,
                "Use the model's instruct or chat variant, name a template with --chat-template, "
                "or ask it by /v1/completions.",
            ),
        ),
        source="vllm-project/vllm#39279",
    ),
    Kind(
        id="vllm-configuration",
        rank=Rank.ENGINE_ENDED,
        signs=(logged(r"Value error, (?P<detail>[^\n]{1,300}?)(?: \[type=value_error|$)"),),
        causes=("vLLM refuses its arguments for this model: {detail}",),
        advice=(
            Advice(
                RemedyKind.OPEN_LINK,
                "Correct the arguments; vLLM's are listed in its documentation.",
                url=_ARGUMENTS,
            ),
        ),
        source="vllm-project/vllm: vllm/engine/arg_utils.py",
    ),
    Kind(
        id="vllm-engine",
        rank=Rank.ENGINE_ENDED,
        signs=(
            logged(
                # A line of the traceback that a worker or the engine's core logs before it ends.
                r"\((?:Vllm)?(?:Worker|EngineCore)[^)\n]{0,60}\) ERROR [^\]\n]{1,80}\] "
                r"(?P<error>[A-Z]\w{1,60}(?:Error|Exception): [^\n]{1,300})"
            ),
            logged(r"Engine core initialization failed"),
            logged(r"EngineDeadError"),
        ),
        causes=(
            "vLLM's engine ended: {error}",
            "vLLM's engine ended; lines before this one in the log tell why.",
        ),
        advice=(
            Advice(
                RemedyKind.OPEN_LINK,
                "Look for the first error in the log.",
                url="{logs_url}",
            ),
        ),
        source="vllm-project/vllm: vllm/v1/engine/core_client.py",
    ),
)
