"""Of several failures that are found, the cause is told and not its effects."""

from __future__ import annotations

import itertools

import pytest

from llm_widgets.diagnosis import (
    Confidence,
    Context,
    Evidence,
    LogLine,
    Place,
    RemedyKind,
    diagnose,
    explain,
    unknown,
)
from llm_widgets.domain.services import StartupProbe

NOT_LISTENING = (
    "Revision 'x-00001-abc' is not ready and cannot serve traffic. The user-provided container "
    "failed to start and listen on the port defined provided by the PORT=8000 environment variable "
    "within the allocated timeout. This can happen when the container port is misconfigured or if "
    "the timeout is too short."
)
PROBE = (
    "STARTUP HTTP probe failed 180 times consecutively for container on port 8000. The instance "
    "was not started.\nConnection failed with status ERROR_CONNECTION_FAILED."
)
EARLY_PROBE = PROBE.replace("180 times", "2 times")
SUCCEEDED = "STARTUP HTTP probe succeeded after 12 attempts for container on port 8000."
EXIT = "Container called exit(1)."
ENGINE_ENDED = "RuntimeError: Engine core initialization failed. See root cause above."
CUDA_MEMORY = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.16 GiB."
FUSE = (
    "SetUpBucket: googleapi: Error 403: a@p.iam.gserviceaccount.com does not have "
    "storage.objects.list access to the Google Cloud Storage bucket."
)
NO_FOLDER = "Repo id must be in the form 'repo_name' or 'namespace/repo_name': '/models'."
DRIVER = "RuntimeError: The NVIDIA driver on your system is too old (found version 12020)."
MEMORY = "Memory limit of 16384 MiB exceeded with 16500 MiB used."
RUNNER_KILLED = "Error: llama runner process has terminated: signal: killed"
ABORTED = "The request was aborted because there was no available instance."
QUOTA = "You do not have quota for using GPUs without zonal redundancy."

# The cause, a line that shows it, and lines of what follows from it.
CHAINS = [
    ("gpu-out-of-memory", CUDA_MEMORY, (ENGINE_ENDED, EXIT, PROBE, ABORTED)),
    ("bucket-access", FUSE, (NO_FOLDER, EXIT, PROBE, ABORTED)),
    ("driver-too-old", DRIVER, (CUDA_MEMORY, ENGINE_ENDED, EXIT, PROBE)),
    ("model-folder", NO_FOLDER, (EXIT, PROBE)),
    ("container-memory", MEMORY, (RUNNER_KILLED, EXIT, PROBE, ABORTED)),
    ("vllm-engine", ENGINE_ENDED, (EXIT, PROBE)),
    ("exit-code", EXIT, (PROBE, ABORTED)),
    ("probe", PROBE, (ABORTED,)),
]


def log(*lines: str) -> tuple[LogLine, ...]:
    return tuple(LogLine(line, "ERROR") for line in lines)


@pytest.mark.parametrize(("cause", "line", "effects"), CHAINS, ids=lambda value: str(value)[:20])
def test_cause_beats_effects_in_any_order(cause: str, line: str, effects: tuple[str, ...]) -> None:
    for order in itertools.permutations((line, *effects)):
        found = diagnose(Evidence(conditions=(NOT_LISTENING,), log=log(*order)))

        assert found is not None
        assert found.id == cause
        assert found.proof is not None
        assert found.proof.place is Place.LOG


def test_a_refused_request_beats_an_older_log() -> None:
    found = diagnose(Evidence(operation=QUOTA, log=log(CUDA_MEMORY, PROBE)))

    assert found is not None
    assert found.id == "gpu-quota-none"


def test_what_names_its_cause_beats_a_general_condition() -> None:
    general = (
        "The user-provided container failed to start: mounting volume type gcs failed: see log"
    )

    found = diagnose(Evidence(conditions=(general,), log=log(FUSE)))

    assert found is not None
    assert found.id == "bucket-access"


def test_an_exit_code_in_a_condition_does_not_hide_its_reason_in_the_log() -> None:
    condition = f"{NOT_LISTENING} {EXIT}"
    line = "terminated: Application failed to start: failed to load /bin/x: exec format error"

    found = diagnose(Evidence(conditions=(condition,), log=log(line)))

    assert found is not None
    assert found.id == "image-architecture"


def test_of_two_causes_the_first_one_counts() -> None:
    tokenizer = "OSError: Can't load tokenizer for '/models'."
    template = "ValueError: default chat template is no longer allowed, so you must provide one"

    first = diagnose(Evidence(log=log(tokenizer, template)))
    second = diagnose(Evidence(log=log(template, tokenizer)))

    assert first is not None
    assert second is not None
    assert (first.id, second.id) == ("tokenizer-missing", "chat-template")


def test_the_newest_numbers_are_told() -> None:
    text = "ValueError: To serve at least one request with the model's max seq len ({0}), ({0} GiB "
    text += (
        "KV cache is needed, which is larger than the available KV cache memory (1.0 GiB). Based"
    )
    text += " on the available memory, the estimated maximum model length is {0}."

    found = diagnose(Evidence(log=log(text.format("4096"), text.format("8192"))))

    assert found is not None
    assert found.remedies[0].parameters == {"max_model_len": "8192"}


def test_what_was_logged_before_a_probe_succeeded_is_past() -> None:
    assert diagnose(Evidence(log=log(CUDA_MEMORY, PROBE, SUCCEEDED))) is None

    again = diagnose(Evidence(log=log(PROBE, SUCCEEDED, CUDA_MEMORY)))

    assert again is not None
    assert again.id == "gpu-out-of-memory"


def test_a_probe_that_fails_while_the_engine_loads_is_no_failure() -> None:
    context = Context(probe=StartupProbe("/health", failures=180), port=8000)

    assert diagnose(Evidence(log=log(EARLY_PROBE)), context) is None
    assert diagnose(Evidence(log=log(EARLY_PROBE, PROBE)), context) is not None


def test_port_of_an_engine_counts_only_when_it_was_not_reached() -> None:
    line = "INFO:     Uvicorn running on http://0.0.0.0:8000 (Press CTRL+C to quit)"
    context = Context(port=8080)

    assert diagnose(Evidence(log=log(line)), context) is None
    missed = diagnose(Evidence(conditions=(NOT_LISTENING,), log=log(line)), context)
    right = diagnose(Evidence(conditions=(NOT_LISTENING,), log=log(line)), Context(port=8000))

    assert missed is not None
    assert right is not None
    assert (missed.id, right.id) == ("port", "not-listening")


def test_probe_of_a_second_port_is_no_wrong_port() -> None:
    """The recipe for Ollama listens on another port once the model is loaded."""
    line = 'level=INFO source=routes.go:1357 msg="Listening on [::]:11434 (version 0.24.0)"'
    context = Context(port=11434, probe=StartupProbe("/", failures=180, port=11435))
    probe = PROBE.replace("8000", "11435")

    found = diagnose(Evidence(log=log(line, probe)), context)

    assert found is not None
    assert found.id == "probe"
    assert "11435" in found.cause


def test_unknown_failure_shows_the_words_of_cloud_run_and_the_end_of_the_log() -> None:
    lines = log(*(f"line {n}" for n in range(50)))
    evidence = Evidence(operation="Flux capacitor 7 is out of plutonium.", log=lines)

    assert diagnose(evidence) is None
    shown = explain(evidence)

    assert shown.id == "unknown"
    assert "Flux capacitor 7 is out of plutonium." in shown.cause
    assert [line.text for line in shown.lines] == [f"line {n}" for n in range(30, 50)]
    assert shown.proof is not None
    assert shown.proof.text == "line 49"
    assert shown.confidence is Confidence.LIKELY
    assert shown.remedies


@pytest.mark.parametrize(
    ("evidence", "part"),
    [
        (Evidence(reasons=("ACTIVE_REVISION_LIMIT_REACHED",)), "ACTIVE_REVISION_LIMIT_REACHED"),
        (Evidence(conditions=("A condition",)), "A condition"),
        (Evidence(log=(LogLine("hm"),)), "last lines"),
        (Evidence(), "log is empty"),
    ],
)
def test_unknown_failure_always_says_something_that_is_known(evidence: Evidence, part: str) -> None:
    shown = unknown(evidence)

    assert part in shown.cause
    assert "went wrong" not in shown.cause
    assert (shown.proof is None) == (evidence == Evidence())


def test_unknown_failure_links_to_the_log() -> None:
    shown = unknown(Evidence(), Context(project="p", region="europe-west4", service="s"))

    assert shown.remedies[0].kind is RemedyKind.OPEN_LINK
    assert "/run/detail/europe-west4/s/logs?project=p" in shown.remedies[0].url


def test_port_of_this_machine_is_no_wrong_port() -> None:
    """The local cloud lets an engine listen on a free port of this machine."""
    line = 'level=INFO source=routes.go:1357 msg="Listening on 127.0.0.1:43029 (version 0.24.0)"'

    found = diagnose(Evidence(log=log(line, PROBE)), Context(port=8000))

    assert found is not None
    assert found.id == "probe"
