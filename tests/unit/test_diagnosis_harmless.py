"""Ordinary logs give no diagnosis, and hostile ones do no harm."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from llm_widgets.diagnosis import Context, Evidence, LogLine, RemedyKind, diagnose, explain
from llm_widgets.diagnosis.catalogue import catalogue
from llm_widgets.engines import registry

if TYPE_CHECKING:
    import re

VLLM_BOOT = """\
INFO 10-08 06:41:20 [__init__.py:235] Automatically detected platform cuda.
(APIServer pid=1) INFO 10-08 06:41:25 [api_server.py:1755] vLLM API server version 0.33.0
(APIServer pid=1) INFO 10-08 06:41:25 [utils.py:293] non-default args: {'model': '/models', \
'port': 8000, 'max_model_len': 8192, 'gpu_memory_utilization': 0.92, 'trust_remote_code': False}
(APIServer pid=1) ERROR 10-08 06:41:26 [config.py:102] Error retrieving file list: Repo id must be \
in the form 'repo_name' or 'namespace/repo_name': '/models'. Use `repo_type` argument if needed., \
retrying 1 of 2
(APIServer pid=1) INFO 10-08 06:41:31 [model.py:1661] Using max model len 8192
(APIServer pid=1) INFO 10-08 06:41:31 [scheduler.py:229] Chunked prefill is enabled with \
max_num_batched_tokens=2048.
(EngineCore_DP0 pid=60) INFO 10-08 06:41:40 [core.py:93] Initializing a V1 LLM engine (v0.33.0) \
with config: model='/models', quantization=None, enforce_eager=False, device_config=cuda
(EngineCore_DP0 pid=60) WARNING 10-08 06:41:41 [interface.py:470] Using 'pin_memory=False' as WSL \
is detected. This may slow down the performance.
(EngineCore_DP0 pid=60) INFO 10-08 06:41:42 [parallel_state.py:1200] rank 0 in world size 1
(EngineCore_DP0 pid=60) WARNING 10-08 06:41:43 [topk_topp_sampler.py:46] FlashInfer is not \
available. Falling back to the PyTorch-native implementation. For the best performance, please \
install FlashInfer.
(EngineCore_DP0 pid=60) INFO 10-08 06:41:43 [cuda.py:367] Using TRITON_ATTN attention backend
/usr/lib/python3/vllm/connections.py:8: RuntimeWarning: Failed to read commit hash: No module \
named 'vllm.commit_id'
Loading safetensors checkpoint shards:   0% Completed | 0/4 [00:00<?, ?it/s]
Loading safetensors checkpoint shards:  50% Completed | 2/4 [00:12<00:12,  6.10s/it]
Loading safetensors checkpoint shards: 100% Completed | 4/4 [00:23<00:00,  5.98s/it]
(EngineCore_DP0 pid=60) INFO 10-08 06:42:10 [default_loader.py:384] Loading weights took 24.84 \
seconds
(EngineCore_DP0 pid=60) INFO 10-08 06:42:11 [gpu_model_runner.py:4879] Model loading took 15.27 \
GiB memory and 31.657031 seconds
(EngineCore_DP0 pid=60) INFO 10-08 06:42:40 [monitor.py:34] torch.compile takes 54.73 s in total
(EngineCore_DP0 pid=60) INFO 10-08 06:42:41 [gpu_worker.py:298] Available KV cache memory: 4.50 GiB
(EngineCore_DP0 pid=60) INFO 10-08 06:42:41 [kv_cache_utils.py:1305] GPU KV cache size: 38,272 \
tokens
(EngineCore_DP0 pid=60) INFO 10-08 06:42:41 [kv_cache_utils.py:1310] Maximum concurrency for 8,192 \
tokens per request: 4.67x
(EngineCore_DP0 pid=60) INFO 10-08 06:42:52 [core.py:273] init engine (profile, create kv cache, \
warmup model) took 41.58 seconds
(APIServer pid=1) INFO 10-08 06:42:53 [api_server.py:1020] Supported tasks: ['generate']
(APIServer pid=1) WARNING 10-08 06:42:53 [model.py:1389] Default sampling parameters have been \
overridden by the model's Hugging Face generation config
(APIServer pid=1) INFO 10-08 06:42:53 [api_server.py:1352] Starting vLLM API server 0 on \
http://0.0.0.0:8000
INFO:     Started server process [1]
INFO:     Waiting for application startup.
INFO:     Application startup complete.
INFO:     169.254.169.126:41234 - "GET /health HTTP/1.1" 200 OK
INFO:     169.254.169.126:41240 - "POST /v1/chat/completions HTTP/1.1" 404 Not Found
INFO:     169.254.169.126:41240 - "POST /v1/chat/completions HTTP/1.1" 200 OK
"""
OLLAMA_BOOT = """\
Couldn't find '/root/.ollama/id_ed25519'. Generating new private key.
Your new public key is: ssh-ed25519 AAAAC3Nz
time=2026-10-08T06:57:20.491Z level=INFO source=routes.go:1304 msg="server config" env="map[\
CUDA_VISIBLE_DEVICES: OLLAMA_CONTEXT_LENGTH:8192 OLLAMA_DEBUG:INFO \
OLLAMA_HOST:http://0.0.0.0:11434 OLLAMA_LOAD_TIMEOUT:30m0s \
OLLAMA_MODELS:/models OLLAMA_NOPRUNE:true OLLAMA_NUM_PARALLEL:4]"
time=2026-10-08T06:57:20.494Z level=INFO source=images.go:477 msg="total blobs: 5"
time=2026-10-08T06:57:20.495Z level=INFO source=images.go:484 msg="total unused blobs removed: 0"
[GIN-debug] [WARNING] Running in "debug" mode. Switch to "release" mode in production.
[GIN-debug] POST   /api/pull                 --> server.(*Server).PullHandler-fm (5 handlers)
time=2026-10-08T06:57:20.495Z level=INFO source=routes.go:1357 msg="Listening on [::]:11434 \
(version 0.24.0)"
time=2026-10-08T06:57:20.496Z level=INFO source=gpu.go:217 msg="looking for compatible GPUs"
time=2026-10-08T06:57:21.015Z level=INFO source=types.go:130 msg="inference compute" id=GPU-452cac \
library=cuda variant=v12 compute=8.9 driver=12.2 name="NVIDIA L4" total="22.0 GiB" \
available="21.8 GiB"
llama_model_loader: loaded meta data with 34 key-value pairs and 883 tensors from \
/models/blobs/sha256-aeda25e63ebd (version GGUF V3 (latest))
llama_model_loader: - kv   0:                       general.architecture str              = gemma3
print_info: model type       = 4B
load_tensors: offloaded 35/35 layers to GPU
llama_context: n_ctx_per_seq (8192) < n_ctx_train (131072) -- the full capacity of the model will \
not be utilized
time=2026-10-08T06:57:31.015Z level=INFO source=server.go:1376 msg="waiting for server to become \
available" status="llm server error"
time=2026-10-08T06:57:41.832Z level=INFO source=server.go:1289 msg="llama runner started in 20.46 \
seconds"
[GIN] 2026/10/08 - 06:57:41 | 200 | 21.859719514s |  127.0.0.1 | POST     "/api/generate"
[GIN] 2026/10/08 - 06:58:01 | 404 |    112.514µs |  169.254.169.126 | POST     "/api/chat"
"""
HARMLESS = """\
0 errors, 0 warnings
log level set to ERROR
error_count=0 failed=0 denied=0
max_model_len=8192 is less than the derived max_model_len
The model card says: on small GPUs you may see that memory is short; use a smaller context.
Tokenizer loaded. Chat template found in tokenizer_config.json.
quota check: ok (3 of 3 GPUs free)
User asked: why do I get an error when the container port is misconfigured?
STARTUP HTTP probe succeeded after 1 attempt for container on port 8000 path "/health".
Mounted bucket my-models read-only; permission denied would be reported here
exit status 0
Starting new instance. Reason: AUTOSCALING - Instance started due to configured scaling factors
Shutting down user disabled instance
"""


def evidence(text: str, severity: str = "DEFAULT") -> Evidence:
    return Evidence(log=tuple(LogLine(line, severity) for line in text.splitlines()))


@pytest.mark.parametrize(
    "text", [VLLM_BOOT, OLLAMA_BOOT, HARMLESS], ids=["vllm", "ollama", "words"]
)
@pytest.mark.parametrize("framework", [engine.id for engine in registry.ENGINES])
def test_an_ordinary_log_gives_no_diagnosis(text: str, framework: str) -> None:
    context = Context(framework=framework, port=8080)

    assert diagnose(evidence(text), context) is None
    assert diagnose(evidence(text, "ERROR"), context) is None


@pytest.mark.parametrize("line", HARMLESS.splitlines())
def test_each_ordinary_line_by_itself_gives_no_diagnosis(line: str) -> None:
    assert diagnose(evidence(line)) is None


def test_healthy_conditions_give_no_diagnosis() -> None:
    assert (
        diagnose(Evidence(conditions=("", "Deploying revision"), reasons=("", "PENDING"))) is None
    )


PATTERNS = [
    pytest.param(sign.pattern, id=f"{kind.id}-{index}")
    for kind in catalogue()
    for index, sign in enumerate(kind.signs)
]
LONG = {
    "one letter": "a" * 100_000,
    "letters and blanks": "a " * 50_000,
    "brackets": "['" * 50_000,
    "digits": "1" * 100_000,
    "paths": "/a" * 50_000,
    "opens": "open /" * 16_000,
}


@pytest.mark.parametrize("pattern", PATTERNS)
def test_no_pattern_is_slow(pattern: re.Pattern[str]) -> None:
    for text in LONG.values():
        # Time of the processor, and the least of three: other programs must not fail this.
        assert min(_seconds(pattern, text) for _ in range(3)) < 0.05


def _seconds(pattern: re.Pattern[str], text: str) -> float:
    begin = time.thread_time()
    pattern.search(text)
    return time.thread_time() - begin


@pytest.mark.parametrize("pattern", PATTERNS)
def test_no_pattern_is_slow_on_repetitions_of_its_own_beginning(pattern: re.Pattern[str]) -> None:
    """The worst text for a pattern begins to match again and again."""
    source = pattern.pattern.partition("(?P")[0]
    literal = "".join(c for c in source if c.isalnum() or c in " '[]:")[:60]
    text = (literal * 16_000)[:16_000] or "a" * 16_000

    assert min(_seconds(pattern, text) for _ in range(3)) < 0.05


def test_a_line_of_ten_megabytes_is_searched_at_its_ends() -> None:
    filler = "x" * 10_000_000
    begin = time.thread_time()

    at_end = diagnose(evidence(filler + " RuntimeError: Failed to infer device type"))
    nowhere = explain(evidence(filler))

    assert time.thread_time() - begin < 2
    assert at_end is not None
    assert at_end.id == "no-gpu"
    assert at_end.proof is not None
    assert len(at_end.proof.text) < 700
    assert len(nowhere.cause) < 700


def test_a_long_log_is_searched_in_time() -> None:
    lines = (VLLM_BOOT * 200).splitlines()
    log = tuple(LogLine(line) for line in lines)
    begin = time.thread_time()

    assert diagnose(Evidence(log=log)) is None
    assert time.thread_time() - begin < 3


def test_mark_up_and_control_characters_stay_text() -> None:
    text = "\x1b[31m<script>alert(1)</script>\x00 RuntimeError: Failed to infer device type\x1b[0m"

    found = diagnose(evidence(text))

    assert found is not None
    assert found.proof is not None
    assert found.proof.text == "<script>alert(1)</script> RuntimeError: Failed to infer device type"


def test_braces_in_a_text_are_no_template() -> None:
    found = diagnose(evidence("terminated: Application failed to start: {project} {0.__class__}"))

    assert found is not None
    assert "{project} {0.__class__}" in found.cause


def test_a_log_line_does_not_choose_who_is_granted_what() -> None:
    """Whoever talks to the model may get a line into the log."""
    line = (
        "Error 403: mallory@evil.example does not have storage.objects.list access to the Google "
        "Cloud Storage bucket."
    )
    context = Context(
        project="my-project", bucket="my-models", service_account="own@p.iam.gserviceaccount.com"
    )

    known = diagnose(evidence(line), context)
    alone = diagnose(evidence(line))

    assert known is not None
    assert alone is not None
    assert known.remedies[0].parameters["member"] == "serviceAccount:own@p.iam.gserviceaccount.com"
    told = [(r.command, r.url, *r.parameters.values()) for r in (*known.remedies, *alone.remedies)]
    assert "mallory" not in str(told)
    assert all(remedy.kind is not RemedyKind.GRANT for remedy in alone.remedies)


def test_cloud_run_itself_may_name_the_account() -> None:
    text = (
        "Error 403: other@p.iam.gserviceaccount.com does not have storage.objects.list access to "
        "the Google Cloud Storage bucket."
    )

    found = diagnose(Evidence(conditions=(text,)), Context(bucket="b", service_account="own@p.com"))

    assert found is not None
    member = found.remedies[0].parameters["member"]
    assert member == "serviceAccount:other@p.iam.gserviceaccount.com"


def test_a_log_line_does_not_choose_a_secret() -> None:
    line = (
        "Permission denied on secret: projects/1/secrets/payroll/versions/latest for Revision "
        "service account mallory@evil.example.com."
    )

    found = diagnose(evidence(line), Context(project="my-project"))

    assert found is not None
    assert all(remedy.kind is RemedyKind.NONE for remedy in found.remedies)
    assert all(not remedy.command for remedy in found.remedies)


def test_a_log_line_is_no_refusal_of_googles() -> None:
    line = (
        "Google Cloud Run Service Agent service-1@serverless-robot-prod.iam.gserviceaccount.com"
        " must have permission to read the image, gcr.io/evil/x:y"
    )

    assert diagnose(evidence(line), Context(project="my-project")) is None


def test_a_log_line_does_not_remove_an_argument_that_is_not_there() -> None:
    line = "vllm: error: unrecognized arguments: --api-key; rm -rf /"

    found = diagnose(evidence(line), Context(args=("/models",)))

    assert found is not None
    assert all(remedy.kind is RemedyKind.OPEN_LINK for remedy in found.remedies)


def test_commands_quote_what_a_shell_would_read() -> None:
    context = Context(project="my-project", caller="user:a'b; rm -rf ~@example.com")
    text = "Permission 'run.services.create' denied on resource 'projects/my-project'"

    found = diagnose(Evidence(operation=text), context)

    assert found is not None
    assert "--member='user:a'\"'\"'b; rm -rf ~@example.com'" in found.remedies[0].command
