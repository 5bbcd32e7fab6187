"""What a model does when vLLM serves it, told from its own files and from its author's label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from llm_widgets.domain.loading import POOLING, Task
from llm_widgets.engines.vllm import architectures, arguments

if TYPE_CHECKING:
    from llm_widgets.domain.loading import Contents
    from llm_widgets.engines.settings import Container

# Labels of Hugging Face for what vLLM has no endpoint for.
UNSERVED = frozenset(
    {
        "audio-classification",
        "audio-to-audio",
        "depth-estimation",
        "graph-ml",
        "image-classification",
        "image-feature-extraction",
        "image-segmentation",
        "image-to-3d",
        "image-to-image",
        "image-to-video",
        "image-text-to-image",
        "image-text-to-video",
        "keypoint-detection",
        "mask-generation",
        "object-detection",
        "reinforcement-learning",
        "robotics",
        "tabular-classification",
        "tabular-regression",
        "text-to-3d",
        "text-to-audio",
        "text-to-image",
        "text-to-speech",
        "text-to-video",
        "time-series-forecasting",
        "unconditional-image-generation",
        "video-classification",
        "video-to-video",
        "voice-activity-detection",
        "zero-shot-image-classification",
        "zero-shot-object-detection",
    }
)
WRITES = "text-generation"
"""Label of Hugging Face for what writes text."""

_LABELS = {
    "feature-extraction": Task.EMBED,
    "sentence-similarity": Task.EMBED,
    "visual-document-retrieval": Task.EMBED,
    "text-ranking": Task.RERANK,
    "automatic-speech-recognition": Task.TRANSCRIBE,
    "any-to-any": Task.VISION,
    "audio-text-to-text": Task.VISION,
    "document-question-answering": Task.VISION,
    "image-text-to-text": Task.VISION,
    "image-to-text": Task.VISION,
    "video-text-to-text": Task.VISION,
    "visual-question-answering": Task.VISION,
}
# Of vLLM's own table of endings (``_SUFFIX_TO_DEFAULTS`` in ``vllm/config/model.py``).
WRITERS = ("ForCausalLM", "ForConditionalGeneration", "ChatModel", "LMHeadModel")
_LABELLERS = (
    "ForTokenClassification",
    "ForAudioClassification",
    "ForImageClassification",
    "ForVideoClassification",
    "ClassificationModel",
    "ForRewardModeling",
    "RewardModel",
)
ENDINGS = (
    *WRITERS,
    "ForSequenceClassification",
    *_LABELLERS,
    "ForTextEncoding",
    "EmbeddingModel",
    "Model",
)

PATHS: Mapping[Task, str] = {
    Task.EMBED: "/embeddings",
    Task.RERANK: "/rerank",
    Task.TRANSCRIBE: "/audio/transcriptions",
}
"""Where a task is asked, below the base (``vllm/entrypoints`` of 0.33.0)."""

OWN_PATHS: Mapping[Task, str] = {Task.CLASSIFY: "/classify"}
"""The same of what is not below the base (``vllm/entrypoints/pooling`` of 0.33.0)."""

_BEFORE = {
    "classify": Task.CLASSIFY,
    "embed": Task.EMBED,
    "embedding": Task.EMBED,
    "score": Task.RERANK,
    "transcription": Task.TRANSCRIBE,
}
"""Values of ``--task``, which versions before 0.14 have in place of runner and conversion."""

_ADVICE = {
    Task.EMBED: "It makes embeddings and does not chat: it is deployed with --runner=pooling, and "
    "asked at /v1/embeddings.",
    Task.RERANK: "It ranks texts and does not chat: it is deployed with --runner=pooling, and "
    "asked at /rerank.",
    Task.CLASSIFY: "It gives labels or scores and does not chat: it is deployed with "
    "--runner=pooling, and asked at /classify.",
    Task.TRANSCRIBE: "It writes down speech and does not chat. vLLM's image lacks the "
    "libraries for sound: deploy with an image of your own that adds "
    "vllm[audio].",
}


def of(contents: Contents) -> tuple[Task, str]:
    """Return what a model does, and what tells it."""
    architecture, label = contents.architecture, contents.task
    if _LABELS.get(label) is Task.RERANK:
        return Task.RERANK, f"the label {label}"
    if isinstance(contents.documents.get("modules.json"), list):
        return Task.EMBED, "modules.json"
    if found := _by_architecture(contents, architecture):
        return found, f"the architecture {architecture}"
    if label in _LABELS:
        return _LABELS[label], f"the label {label}"
    if architecture.endswith("Model") and not is_writer(architecture):
        return Task.EMBED, f"the architecture {architecture}"
    return Task.CHAT, f"the architecture {architecture}" if architecture else ""


def is_writer(architecture: str) -> bool:
    """Return whether an architecture writes text, by vLLM's list or by its name."""
    return architecture in architectures.TEXT or architecture.endswith(WRITERS)


def advice(task: Task) -> str:
    """Say what to know of a task other than chatting; empty for that one."""
    return _ADVICE.get(task, "")


def told(container: Container, said: Task | None) -> Task | None:
    """Return what a service does, as vLLM is told; ``None`` where nothing tells.

    A pooling runner makes vectors or scores, another one text, whatever the model was found to be
    (``vllm/config/model.py`` of 0.33.0).
    """
    runner, convert = arguments.RUNNER.told(container), arguments.CONVERT.told(container)
    before = _BEFORE.get(arguments.TASK.told(container))
    if before or convert == "embed":
        return before or Task.EMBED
    if convert == "classify":
        return said if said in (Task.RERANK, Task.CLASSIFY) else None
    if runner == "pooling":
        return said if said in POOLING else None
    if runner == "generate" and said in POOLING:
        return Task.CHAT
    if said is Task.VISION and arguments.COMMAND_LINE.has(container.args, arguments.TEXT_ONLY):
        return Task.CHAT
    return said


def known_as(architecture: str) -> str:
    """Return the architecture that vLLM loads for one; empty where it has none for it.

    vLLM makes a model of vectors or scores from one that writes, and the other way round.
    """
    if architecture in architectures.ALL:
        return architecture
    ending = next((each for each in ENDINGS if architecture.endswith(each)), "")
    if not ending:
        return ""
    stem = architecture.removesuffix(ending)
    return next((stem + each for each in ENDINGS if stem + each in architectures.ALL), "")


def _by_architecture(contents: Contents, architecture: str) -> Task | None:
    if architecture in architectures.SPEECH:
        return Task.TRANSCRIBE
    if architecture in architectures.MULTIMODAL:
        return None if _LABELS.get(contents.task) is Task.EMBED else Task.VISION
    if architecture.endswith("ForRanking"):
        return Task.RERANK
    if architecture.endswith("ForSequenceClassification"):
        return Task.RERANK if _labels(contents.config or {}) == 1 else Task.CLASSIFY
    if architecture.endswith(_LABELLERS):
        return Task.CLASSIFY
    return Task.EMBED if architecture in architectures.POOLING else None


def _labels(config: Mapping[str, object]) -> int:
    """Return how many labels a classifier has; two when it does not say."""
    names = config.get("id2label")
    count = config.get("num_labels")
    if isinstance(names, Mapping) and names:
        return len(names)
    return count if isinstance(count, int) and not isinstance(count, bool) else 2
