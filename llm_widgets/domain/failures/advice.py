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
    "Deploy with a larger GPU: {bigger_gpu}.",
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
    "Deploy with a context of {less_context} tokens instead of {tokens}.",
    {"max_model_len": "{less_context}"},
    needs=("context_takes_memory",),
)
MORE_MEMORY = Advice(
    RemedyKind.REDEPLOY,
    "Deploy with {more_memory} GiB of memory.",
    {"memory_gib": "{more_memory}", "cpu": "{more_memory_cpu}"},
)
NEWER_IMAGE = Advice(
    RemedyKind.REDEPLOY,
    "Deploy with {newer_image}, which is newer than {image}.",
    {"image": "{newer_image}"},
)
DEFAULT_IMAGE = Advice(
    RemedyKind.REDEPLOY,
    "Deploy with {default_image}, the image that {engine} is offered with.",
    {"image": "{default_image}"},
)
WITHOUT_ARGUMENT = Advice(
    RemedyKind.REDEPLOY, "Deploy without {given}.", {"remove_argument": "{given}"}
)
OTHER_GPU = Advice(
    RemedyKind.CHOOSE, "Use another GPU: {other_gpus_text}.", {"accelerators": "{other_gpus}"}
)
FEWER_REQUESTS = Advice(
    RemedyKind.REDEPLOY,
    "Deploy with {fewer_requests} concurrent requests instead of {requests}: {requests_name}.",
    {"parallel": "{fewer_requests}"},
    needs=("may_free",),
)
LESS_BATCH = Advice(
    RemedyKind.REDEPLOY,
    "Deploy with {less_batch}: fewer tokens are computed at once.",
    {"add_argument": "{less_batch}"},
    needs=("may_free",),
)
LESS_SHARE = Advice(
    RemedyKind.REDEPLOY,
    "Deploy with {less_utilization} of the GPU's memory for {engine} instead of {utilization}: "
    "the rest is for computing.",
    {"gpu_memory_utilization": "{less_utilization}"},
    needs=("may_free",),
)
SMALL_CACHE = Advice(
    RemedyKind.REDEPLOY,
    "Deploy with a cache of 8 bits instead of 16: {small_cache}.",
    {"environment": "{small_cache}"},
)
IMPORT_AGAIN = Advice(
    RemedyKind.NONE, "Import the model again: the importer checks each file against its hub."
)
IMPLICIT_DIRS = Advice(
    RemedyKind.REDEPLOY,
    "Deploy with the mount option implicit-dirs: without it, folders of the bucket can be "
    "invisible.",
    {"add_mount_options": "implicit-dirs"},
    needs=("bucket",),
)
LONGER_PROBE = Advice(
    RemedyKind.REDEPLOY,
    "Deploy with a startup probe that waits for {longest_probe}.",
    {"probe_failures": "{more_failures}"},
)
FIRST_ERROR = Advice(RemedyKind.OPEN_LINK, "Look for the first error in the log.", url="{logs_url}")
RETRY = Advice(RemedyKind.REDEPLOY, "Deploy again: a passing fault is gone then.")
AGAIN_LATER = Advice(RemedyKind.REDEPLOY, "Deploy again in some minutes.")
WITHOUT_NETWORK = Advice(
    RemedyKind.REDEPLOY,
    "Deploy without a network of its own: it reads the bucket over Google's public addresses "
    "then, which is slower.",
    {"network": "none"},
)
MOUNT_AGAIN = Advice(RemedyKind.REDEPLOY, "Deploy again: a new instance mounts the bucket again.")
WRITE_LESS = Advice(RemedyKind.NONE, "Let the program write less, or deploy with more memory.")
OTHER_QUANTIZATION = Advice(
    RemedyKind.NONE, "Import the model with another quantization, or without one."
)
DISK_FULL = "The container's file system is full; it uses the container's memory."
"""Cause of a write that failed, in Cloud Run's words for where files lie."""
