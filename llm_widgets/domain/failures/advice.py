"""Advice that several catalogues give, and what they share beside it."""

from __future__ import annotations

from llm_widgets.domain.failures.remedies import Advice, RemedyKind

PATH = r"(?P<path>[^'\"`\s]{1,300})"
"""Pattern of a path in a message."""

# The local cloud gives engines other ports, on this machine's own address.
ADDRESS = r"(?!127\.|localhost)[\w.:\[\]-]{1,60}:(?P<listens>\d{2,5})"
"""Pattern of the address where a program listens, for all who can reach the container."""

UNANSWERED = ("probe", "not-listening", "probe-checks")
"""Failures of a container that did not answer in time: others may say why."""

LEAST_CONTEXT = 512
"""Tokens: a shorter context serves nobody."""

BIGGER_GPU = Advice(
    RemedyKind.REDEPLOY,
    "Deploy it with a larger GPU: {bigger_gpu}.",
    {
        "accelerator": "{bigger_accelerator}",
        "cpu": "{bigger_gpu_cpu}",
        "memory_gib": "{bigger_gpu_memory}",
    },
)
SMALLER_MODEL = Advice(
    RemedyKind.NONE, "Use a smaller model, or one that is quantized to fewer bits."
)
LESS_CONTEXT = Advice(
    RemedyKind.REDEPLOY,
    "Deploy it with a context of {less_context} tokens instead of {tokens}.",
    {"max_model_len": "{less_context}"},
)
MORE_MEMORY = Advice(
    RemedyKind.REDEPLOY,
    "Deploy it with {more_memory} GiB of memory.",
    {"memory_gib": "{more_memory}", "cpu": "{more_memory_cpu}"},
)
NEWER_IMAGE = Advice(
    RemedyKind.REDEPLOY,
    "Deploy it with {newer_image}, which is newer than {image}.",
    {"image": "{newer_image}"},
)
IMPORT_AGAIN = Advice(
    RemedyKind.NONE, "Import the model again: the importer checks each file against its hub."
)
IMPLICIT_DIRS = Advice(
    RemedyKind.REDEPLOY,
    "Deploy it with the mount option implicit-dirs: without it, folders of the bucket can be "
    "invisible.",
    {"add_mount_options": "implicit-dirs"},
    needs=("bucket",),
)
LONGER_PROBE = Advice(
    RemedyKind.REDEPLOY,
    "Deploy it with a startup probe that waits for {longest_probe}.",
    {"probe_failures": "{more_failures}"},
)
FIRST_ERROR = Advice(RemedyKind.OPEN_LINK, "Look for the first error in the log.", url="{logs_url}")
