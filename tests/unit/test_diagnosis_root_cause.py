"""The error that decides is found by the form of a log, whatever it says."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from llm_widgets.diagnosis import Context, Evidence, LogLine, Place, RemedyKind, explain
from llm_widgets.diagnosis.catalogue import catalogue
from llm_widgets.diagnosis.log_records import Level, records
from llm_widgets.diagnosis.report import report, stable_part
from llm_widgets.diagnosis.root_cause import root_cause
from llm_widgets.domain.failures.known_failure import literals_of
from tests.bench.diagnosis import FILES, LINES, cases, explained, long_logs, score
from tests.unit.failure_cases import OLLAMA, VLLM

CORE = "(EngineCore_DP0 pid=68) ERROR 06-12 10:01:02 [core.py:1108] "
API = "(APIServer pid=1) "
HEAD = "Traceback (most recent call last):"
FRAME = '  File "/opt/zorp/engine.py", line 7, in start'
WRAPPER = f"{API}RuntimeError: Engine core initialization failed. See root cause above."
EXIT = "Container called exit(1)."


def decided(*lines: str) -> str:
    """Return the deciding error of a log."""
    found = root_cause([LogLine(line) for line in lines])
    assert found is not None
    return found.text


def raised(front: str, *lines: str) -> tuple[str, ...]:
    """Return a traceback as a process logs it."""
    return tuple(f"{front}{line}" for line in (HEAD, FRAME, *lines))


LOGS = {
    "a traceback whose head is not there": (
        (f"[0] [0] {FRAME}", "[0] [0]     self.start()", "[0] [0] ZorpError: flux 7 is out", EXIT),
        "ZorpError: flux 7 is out",
    ),
    "Rust's logger, before what only says that nothing came about": (
        (
            "2025-04-23T03:14:05.341111Z  INFO zorp_router: src/lib.rs:230: Starting the backend",
            "2025-04-23T03:14:07.818830Z ERROR zorp_core: src/lib.rs:255: Could not open flux 7",
            "Error: Could not create backend",
            "",
            "Caused by:",
            "    Could not start backend: Could not start a suitable backend",
            EXIT,
        ),
        "Could not open flux 7",
    ),
    "why a program in C++ gives up, before its stack": (
        (
            "srv    load_model: loading model '/models/a.gguf'",
            "/app/tools/zorp.cpp:7: Unknown flux type",
            "/app/libzorp.so.0(+0x1a2b5) [0x7f12]",
            "/app/libzorp.so.0(zorp_abort+0x152) [0x7f14]",
            "Container terminated on signal 6.",
        ),
        "/app/tools/zorp.cpp:7: Unknown flux type",
    ),
    "the form that is too old, before the file that it is in": (
        (
            "gguf_zorp: ZORPv1 is no longer supported. please use a newer flux",
            "terminate called after throwing an instance of 'std::runtime_error'",
            "  what():  failed to load zorp from /models/a.gguf. Does this file exist?",
            "Container terminated on signal 6.",
        ),
        "gguf_zorp: ZORPv1 is no longer supported. please use a newer flux",
    ),
    "what Rust tells below an error": (
        (
            "Error: Could not create flux",
            "",
            "Caused by:",
            "    0: Could not read zorp.json",
            "    1: missing field `flux` at line 7",
            EXIT,
        ),
        "Could not create flux: Could not read zorp.json: missing field `flux` at line 7",
    ),
    "Rust's logger in JSON": (
        (
            '{"level":"ERROR","fields":{"message":"Could not open flux 7"},"target":"zorp"}',
            "Error: ZorpCannotStart",
            EXIT,
        ),
        "Could not open flux 7",
    ),
    "a traceback in a structured line": (
        (
            json.dumps({"severity": "ERROR", "message": f"{HEAD}\n{FRAME}\nZorpError: no flux"}),
            EXIT,
        ),
        "ZorpError: no flux",
    ),
    "a traceback beside the message of a structured line": (
        (
            json.dumps(
                {"level": "error", "msg": "it broke", "exc_info": f"{HEAD}\n{FRAME}\nZorpError: 7"}
            ),
            EXIT,
        ),
        "ZorpError: 7",
    ),
    "what nothing catches, in the words of another library": (
        (
            "libc++abi: terminating due to uncaught exception of type std::out_of_range: no flux",
            "error: Uncaught SIGABRT at 0x7 on zorp pid 7",
            "Container terminated on signal 6.",
        ),
        "std::out_of_range: no flux",
    ),
    "what a driver gives up with": (
        (
            "Abort was called at 7 line in file:",
            "../../zorp/flux.h",
            (
                'time=2026-06-12T10:00:00Z level=ERROR source=a.go:1 msg="error loading llama '
                'server" error="llama runner process has terminated: exit status 2"'
            ),
        ),
        "Abort was called at 7 line in file:",
    ),
    "what llama.cpp expected, before what it could not do": (
        (
            "0.00.910.211 E gguf_zorp: flux 'a' has offset 7, expected 9",
            "0.00.910.385 E gguf_zorp: failed to read flux",
            EXIT,
        ),
        "gguf_zorp: flux 'a' has offset 7, expected 9",
    ),
    "memory that was written over": (
        (
            "INFO zorp begins",
            "double free or corruption (!prev)",
            "Container terminated on signal 6.",
        ),
        "double free or corruption (!prev)",
    ),
    "what a logger calls critical": (
        (
            "[2026-06-12 10:00:00 +0000] [1] [INFO] Starting zorp 7",
            "[2026-06-12 10:00:30 +0000] [1] [CRITICAL] FLUX TIMEOUT (pid:9)",
            "[2026-06-12 10:00:31 +0000] [10] [INFO] Starting a flux",
            'Default STARTUP TCP probe failed 1 time consecutively for container "zorp".',
        ),
        "FLUX TIMEOUT (pid:9)",
    ),
    "the last words of a container, without what continues them": (
        (
            "zorp_init: found 1 device:",
            "HTTPZ is not supported. Please rebuild with one of:",
            "  -DZORP_SSL=ON",
            EXIT,
        ),
        "HTTPZ is not supported. Please rebuild with one of:",
    ),
    "an error that is only a name": (
        (
            "2024-07-16T08:52:18Z ERROR zorp: Zorp was signaled to shutdown with signal 11 rank=0",
            "Error: ZorpCannotStart",
            EXIT,
        ),
        "Zorp was signaled to shutdown with signal 11 rank=0",
    ),
    "llama.cpp's clock, and the file that it could not use": (
        (
            "0.00.910.211 E clip_init: failed to load model '/models/a.gguf': unknown flux: 7",
            "0.00.910.385 E mtmd_init_from_file: error: Failed to load CLIP model from /models/a",
            "0.00.910.388 E srv    load_model: failed to load multimodal model, '/models/a.gguf'",
            EXIT,
        ),
        "clip_init: failed to load model '/models/a.gguf': unknown flux: 7",
    ),
    "the words of an exception of C++": (
        (
            "terminate called after throwing an instance of 'std::runtime_error'",
            "  what():  Expected flux at row 7",
            "Container terminated on signal 6.",
        ),
        "std::runtime_error: Expected flux at row 7",
    ),
    "llama.cpp's server, before what only says that it ends": (
        (
            "0.00.910.211 I srv    load_model: loading model '/models/a.gguf'",
            "common_zorp: flux type must match the target",
            "srv    load_model: the flux '/models/b.gguf' is not compatible with the target",
            "srv    operator(): operator(): cleaning up before exit...",
            "main: exiting due to model loading error",
            EXIT,
        ),
        "common_zorp: flux type must match the target",
    ),
    "a file that can't be read, before who could not load it": (
        (
            HEAD,
            FRAME,
            "_pickle.UnpicklingError: invalid load key, 'v'.",
            "",
            "During handling of the above exception, another exception occurred:",
            "",
            HEAD,
            FRAME,
            "OSError: Unable to load zorps from '/models/mine'.",
            EXIT,
        ),
        "_pickle.UnpicklingError: invalid load key, 'v'.",
    ),
    "levels in brackets": (
        (
            "[04/30/2025-14:03:32] [ZORP] [RANK 0] [E] Failed to open flux 7: no such flux",
            *raised("", "RuntimeError: Executor worker returned error"),
            EXIT,
        ),
        "Failed to open flux 7: no such flux",
    ),
    "the engine's process, not the one that waits for it": (
        (*raised(CORE, "ZorpError: flux 7 is out"), *raised(API), WRAPPER, EXIT),
        "ZorpError: flux 7 is out",
    ),
    "the API server itself": (
        (*raised(API, "zorp.core.FluxError: no flux"), EXIT),
        "zorp.core.FluxError: no flux",
    ),
    "a worker that its parent quotes": (
        (
            (
                f"{CORE}RuntimeError: Worker failed with error 'ZorpError: no flux', please check "
                f"the "
                "stack trace above for the root cause"
            ),
            EXIT,
        ),
        "ZorpError: no flux",
    ),
    "the direct cause": (
        (
            *raised("", "OSError: disk 4 said no", ""),
            "The above exception was the direct cause of the following exception:",
            "",
            *raised("", "RuntimeError: could not start"),
            EXIT,
        ),
        "OSError: disk 4 said no",
    ),
    "what was raised while a vague error was handled": (
        (
            *raised("", "KeyError: 'zorp'", ""),
            "During handling of the above exception, another exception occurred:",
            "",
            *raised("", "ValueError: no engine is called zorp"),
        ),
        "ValueError: no engine is called zorp",
    ),
    "a value that pydantic refuses": (
        raised(
            API,
            "pydantic_core._pydantic_core.ValidationError: 1 validation error for ZorpConfig",
            "  Value error, flux must be 7 [type=value_error, input_value=ArgsKwargs(())]",
            "    For further information visit https://errors.pydantic.dev/2.12/v/value_error",
        ),
        "pydantic_core._pydantic_core.ValidationError: flux must be 7",
    ),
    "argparse after its usage": (
        (
            "usage: zorp serve [-h] [--flux N]",
            "zorp serve: error: argument --flux: invalid int",
            EXIT,
        ),
        "zorp serve: error: argument --flux: invalid int",
    ),
    "not what comes with the end": (
        (
            *raised(CORE, "ZorpError: no flux"),
            (
                "[rank0]:[W612 10:01:03.424 ProcessGroupNCCL.cpp:1524] Warning: "
                "destroy_process_group() was not called before program exit"
            ),
            (
                "/usr/lib/python3.12/multiprocessing/resource_tracker.py:254: UserWarning: "
                "resource_tracker: There appear to be 1 leaked semaphore objects to clean up"
            ),
            WRAPPER,
            EXIT,
        ),
        "ZorpError: no flux",
    ),
    "not what a process survived": (
        (
            *raised("(EngineCore pid=9) ERROR 06-12 10:00:01 [a.py:1] ", "ZorpError: one plug-in"),
            "(EngineCore pid=9) INFO 06-12 10:00:02 [a.py:2] Loading weights took 3 seconds",
            *raised("(EngineCore pid=9) ERROR 06-12 10:00:09 [a.py:3] ", "FluxError: it broke"),
            EXIT,
        ),
        "FluxError: it broke",
    ),
    "the newest attempt": (
        (*raised(CORE, "ZorpError: first"), EXIT, *raised(CORE, "ZorpError: second"), EXIT),
        "ZorpError: second",
    ),
    "the attempt before, where the newest has not got that far": (
        (*raised(CORE, "ZorpError: first"), EXIT, f"{API}INFO 06-12 10:03:00 [a.py:1] starting"),
        "ZorpError: first",
    ),
    "a traceback in one entry": (
        (f"2026-06-12 10:00:00,123 - zorp - ERROR - failed\n{HEAD}\n{FRAME}\nZorpError: no flux",),
        "ZorpError: no flux",
    ),
    "an exception group": (
        (
            "  + Exception Group Traceback (most recent call last):",
            '  |   File "/opt/zorp/engine.py", line 7, in start',
            "  | ExceptionGroup: unhandled errors in a TaskGroup (1 sub-exception)",
            "  +-+---------------- 1 ----------------",
            "    | Traceback (most recent call last):",
            '    |   File "/opt/zorp/engine.py", line 9, in flux',
            "    | ZorpError: no flux",
            "    +------------------------------------",
        ),
        "ZorpError: no flux",
    ),
    "the runner's words in the server's": (
        (
            'time=2026-06-12T10:00:00Z level=INFO source=routes.go:1 msg="Listening"',
            (
                "Error: 500 Internal Server Error: llama runner process has terminated: error "
                "loading "
                "model: no flux"
            ),
            EXIT,
        ),
        "error loading model: no flux",
    ),
    "a line of Go's logger with its error": (
        (
            'time=2026-06-12T10:00:00Z level=ERROR source=a.go:1 msg="load failed" error="no flux"',
            EXIT,
        ),
        "load failed: no flux",
    ),
    "the first of what llama.cpp says": (
        (
            "llama_model_load: error loading model: no flux in tensor 7",
            "llama_load_model_from_file: failed to load model",
            "Error: 500 Internal Server Error: unable to load model: /models/blobs/sha256-1",
        ),
        "llama_model_load: error loading model: no flux in tensor 7",
    ),
    "an assertion before the signal": (
        (
            "zorp.c:7: GGML_ASSERT(flux > 0) failed",
            "SIGABRT: abort",
            "goroutine 7 [running]:",
            EXIT,
        ),
        "zorp.c:7: GGML_ASSERT(flux > 0) failed",
    ),
    "a panic of Rust": (
        (
            "thread 'main' panicked at src/zorp.rs:7:9:",
            "flux is None",
            "note: run with `RUST_BACKTRACE",
        ),
        "panic: flux is None",
    ),
    "structured text of gcsfuse": (
        (
            (
                '{"timestamp":{"seconds":1},"severity":"ERROR","message":"ReadFile: input/output '
                'error"}'
            ),
            EXIT,
        ),
        "ReadFile: input/output error",
    ),
    "what a shell can't do": (
        ("/bin/sh: 1: zorp: not found", EXIT),
        "/bin/sh: 1: zorp: not found",
    ),
    "colours and what compose puts before a line": (
        (f"zorp-1  | \x1b[31m{HEAD}\x1b[0m", f"zorp-1  | {FRAME}", "zorp-1  | ZorpError: no flux"),
        "ZorpError: no flux",
    ),
    "two processes that write at the same time": (
        (
            f"{CORE}{HEAD}",
            f"{API}INFO 06-12 10:01:02 [a.py:1] waiting",
            f"{CORE}{FRAME}",
            f"{API}INFO 06-12 10:01:02 [a.py:1] waiting",
            f"{CORE}ZorpError: no flux",
            WRAPPER,
        ),
        "ZorpError: no flux",
    ),
}


@pytest.mark.parametrize("name", LOGS)
def test_the_deciding_error_is_found(name: str) -> None:
    lines, expected = LOGS[name]

    assert decided(*lines) == expected


@pytest.mark.parametrize("name", LOGS)
def test_it_is_the_headline_beside_effects(name: str) -> None:
    """No failure of the catalogue is meant here: what is unknown is told in its own words."""
    lines, expected = LOGS[name]
    condition = "The user-provided container failed to start and listen on the port defined by the "
    evidence = Evidence(
        conditions=(f"{condition}PORT=8000 environment variable.",),
        log=tuple(LogLine(line) for line in lines),
    )

    found = explain(evidence, VLLM if "llama" not in str(lines) else OLLAMA)

    if found.meaning:
        assert found.cause == expected
        assert found.report
        assert found.lines
    assert found.id not in {"exit-code", "not-listening", "probe", "unknown"}
    assert found.proof is not None
    assert found.proof.place is Place.LOG


def test_a_log_without_an_error_has_none() -> None:
    assert root_cause([LogLine("INFO all is well"), LogLine("0 errors, 0 warnings")]) is None
    assert root_cause([]) is None


@pytest.mark.parametrize(
    ("line", "process", "level", "place", "text"),
    [
        (f"{CORE}  File", "EngineCore_DP0 pid=68", Level.ERROR, "core.py:1108", "  File"),
        ("[rank0]: Traceback", "rank0", Level.NONE, "", "Traceback"),
        ("(Worker_TP0 pid=9) [rank1]: x", "Worker_TP0 pid=9", Level.NONE, "", "x"),
        ("ERROR 06-12 10:00:00 engine.py:7] x", "", Level.ERROR, "engine.py:7", "x"),
        ("[2026-06-12 10:00:00 +0000] [1] [ERROR] x", "", Level.ERROR, "", "x"),
        ("E0612 10:00:00.000123 42 zorp.cc:12] x", "", Level.ERROR, "zorp.cc:12", "x"),
        ("WARNING:zorp.core:x", "", Level.WARNING, "", "x"),
        ("Dec 20 17:03:11 host zorp[12]: x", "", Level.NONE, "", "x"),
        ("zorp-1  | x", "", Level.NONE, "", "x"),
    ],
)
def test_fronts_of_loggers_are_read(
    line: str, process: str, level: Level, place: str, text: str
) -> None:
    (record,) = records([LogLine(line)])

    assert (record.process, record.level, record.place, record.text) == (
        process,
        level,
        place,
        text,
    )


def test_an_unknown_error_has_a_search_and_a_report_that_tell_nobody() -> None:
    context = replace(VLLM, caller="user:ada@example.com")
    secret = "hf_abcdefghij0123456789abcdefghij"
    lines = (
        f"{CORE}{HEAD}",
        f'{CORE}  File "/home/ada/zorp.py", line 7, in start',
        f"{CORE}ZorpError: ada@example.com has no flux in projects/my-project with token {secret}",
        EXIT,
    )

    found = explain(Evidence(log=tuple(map(LogLine, lines))), context)

    told = [found.report, *(remedy.url for remedy in found.remedies)]
    assert not [
        part
        for part in ("ada", secret, "my-project", "my-models", "vllm-qwen3")
        for text in told
        if part in text.replace("Trace", "")
    ]
    assert "vllm/vllm-openai:v0.33.0" in found.report
    (search,) = (r for r in found.remedies if "issues" in r.url)
    assert search.kind is RemedyKind.OPEN_LINK
    assert search.url.startswith("https://github.com/vllm-project/vllm/issues?q=is%3Aissue+")


def test_a_search_has_what_others_have_too() -> None:
    text = (
        "RuntimeError: flux 17.5 GiB at 0x7f3a in '/models/a/b-00001.safetensors' is out of range"
    )

    assert stable_part(text, VLLM) == "RuntimeError flux at in is out of range"


def test_a_report_of_a_service_of_an_unknown_engine_is_whole() -> None:
    assert "Image: x/y" in report("ZorpError: no", (LogLine("a"),), Context(image="x/y"))


def test_an_assertion_without_words_is_told_by_what_was_asserted() -> None:
    code = (
        '  File "/opt/zorp/fused_moe/layer.py", line 9, in build',
        "    assert self.flux is not None",
    )
    lines = (*raised(CORE, *code, "           ^^^^^^^^", "AssertionError"), WRAPPER, EXIT)

    assert decided(*lines) == "AssertionError: assert self.flux is not None"
    # Any part of the engine may be to blame: neither file nor code tell of the GPU or the model.
    found = explain(Evidence(log=tuple(map(LogLine, lines))), VLLM)
    assert found.id == "error-fault"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("AttributeError: '_OpNamespace' '_Z' object has no attribute 'cutlass_zorp'", "package"),
        ("zorp_init: failed to open file '/models/a.zorp'", "file-unreadable"),
        ("RuntimeError: Can't open '/models/a.zorp'", "file-unreadable"),
        ("error while handling argument \"--zorp\": error: unknown value '7'", "argument"),
        ("ValueError: Attempt to zorp tensors that exceed the devices. Limit is 1", "value"),
        ("RuntimeError: missing tensor 'blk.0.zorp'", "weights"),
        ("zorp_init: error: Failed to read flux", "file-damaged"),
        ("ValueError: Zorp 1 waits, of unexpected length", "other"),
        ("RuntimeError: The number of available GPUs is 1, but zorp wants 2", "gpu-count"),
        ("RuntimeError: zorp timed out waiting 100ms for send operation", "several-gpus"),
        ("RuntimeError: zorp version incompatibility: compiled against 8, found 9", "package"),
        ("OSError: zorp should be of size 9 but has size 7", "file-damaged"),
        ("RuntimeError: cannot find tensor zorp.7", "weights"),
        ("OSError: mkdir /zorp: permission denied", "read-only"),
        ("ValueError: Ray does not allocate any GPUs to zorp", "gpu-count"),
        ("RuntimeError: can't start new thread for zorp", "processes"),
        ("ValueError: Head size 7 is not supported by Zorp", "attention"),
        ("NotImplementedError: No zorp scheme was found to dequantize", "quantization"),
        ("ValueError: zorp draft model has another vocabulary", "speculation"),
        ("ValueError: custom_histogram_buckets: unknown bucket family 7", "other"),
        ("/usr/bin/python3: No module named zorp", "package"),
        ('Error: Head "https://zorp.example/v2/flux": http: server gave 7', "network"),
        ("zmq.error.ZMQError: No such device (addr='tcp://zorp:7')", "port"),
        ("free(): invalid pointer", "crash"),
        ('sh: 7: Syntax error: "(" unexpected', "command"),
        ("bash: /zorp.sh: /bin/zorp^M: bad interpreter: No such file or directory", "command"),
        ("OSError: [Errno 40] Too many levels of symbolic links: '/zorp'", "file-unreadable"),
        ("AttributeError: flux 7 not found", "fault"),
        ("[ERROR] Zorp (pid:7) was sent SIGKILL! Perhaps out of memory?", "killed"),
        ("FATAL: zorp has invalid permissions", "permission"),
        ("RuntimeError: Assertion fail: /opt/zorp.c:7", "check"),
        ("AssertionError: [7, 1] != [1, 7]", "weights"),
        ("ValueError: the zorp form 1 is no longer supported", "outdated"),
        ("ValueError: zorp.chat_template is not set", "template"),
        ("RuntimeError: zorp was built without flux", "build"),
        ("Error 7: Permission 'zorp.fluxes.get' denied on 'a'", "google-permission"),
        ("ValueError: Zorp supports ['a'], but this flux has 'b'", "unsupported"),
        ("RuntimeError: Zorp-CUTLASS experts does not support current device sm_7", "kernel"),
        ("bash: -c: option requires an argument", "command"),
        ("/bin/sh: 0: Illegal option -7", "command"),
        ("ImportError: cannot import name 'zorp' from 'triton.compiler'", "package"),
        ("RuntimeError: Zorping is not currently supported on your device", "kernel"),
        ("ValueError: Zorp should never happen", "fault"),
        ("ValueError: zorp must be 7, and is 9", "value"),
        ("RuntimeError: Int8 not supported for this zorp", "quantization"),
        ("ValueError: the Triton zorp wants a flux", "kernel"),
        ("RuntimeError: Triton could not be compiled for zorp", "compiler"),
        ('error while handling environment variable "ZORP_FLUX": stoi', "argument"),
        ("ValueError: a zorp, please report at https://zorp.example/issues", "other"),
        ("RuntimeError: the ZorpProxyMode is a flux", "other"),
        ("ValueError: zorp not found in the flux", "missing"),
        ("ValueError: the file zorp.json was not found", "file-missing"),
        ("ValueError: the timeout of zorp cannot be negative", "value"),
        ("RuntimeError: failed to allocate a zorp buffer of 7 bytes", "memory"),
        ("RuntimeError: the Zorp needs no bucket", "other"),
        ("llama_model_load: error loading model: zorp of a flux", "loading"),
        ("llama_init_from_model: failed to zorp a flux", "context"),
        ("clip_init: failed to load model '/models/zorp.gguf': a flux", "projector"),
    ],
)
def test_a_word_of_a_name_is_no_class(text: str, kind: str) -> None:
    lines = ("INFO zorp begins", f"error: {text}" if text.startswith("zorp") else text, EXIT)
    found = explain(Evidence(log=tuple(map(LogLine, lines))), VLLM)

    assert found.id == f"error-{kind}"


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("/usr/lib/python3/vllm/v1/spec_decode/zorp.py", "speculation"),
        ("/usr/lib/python3/vllm/distributed/kv_transfer/zorp.py", "connector"),
        ("/usr/lib/python3/vllm/lora/zorp.py", "adapter"),
        ("/usr/lib/python3/vllm/config/zorp.py", "configuration"),
        ("/usr/lib/python3/vllm/v1/attention/zorp.py", "kernel"),
        ("/opt/zorp.py", "unsupported"),
    ],
)
def test_the_file_of_an_error_tells_more_than_a_vague_word(file: str, kind: str) -> None:
    checked = (f'  File "{file}", line 7, in check', '  File "/opt/pydantic/x.py", line 7, in run')
    log = (HEAD, *checked, "ValueError: Zorping is not supported with fluxes", EXIT)

    assert explain(Evidence(log=tuple(map(LogLine, log))), VLLM).id == f"error-{kind}"


def test_an_error_that_says_nothing_is_told_by_the_package_that_raised_it() -> None:
    frame = '  File "/usr/lib/python3/site-packages/{0}.py", line 7, in check'
    frames = map(frame.format, ("flux/main", "zorp/core"))
    log = (HEAD, *frames, "RuntimeError: a flux is off", EXIT)
    found = explain(Evidence(log=tuple(map(LogLine, log))), VLLM)

    assert found.id == "error-library"
    assert "The package zorp" in found.meaning


def test_a_package_that_fails_while_it_is_imported_does_not_go_with_the_others() -> None:
    body = '  File "/usr/lib/python3/{0}.py", line 7, in <module>'
    lines = (
        HEAD,
        body.format("zorp/main"),
        body.format("site-packages/flux/core"),
        '  File "/usr/lib/python3/site-packages/flux/core.py", line 9, in check',
        "AttributeError: _ZORP_API not found",
        EXIT,
    )
    called = (*lines[:2], *lines[3:])
    named = [line.replace("flux/core", "kernels/core") for line in lines]

    assert explain(Evidence(log=tuple(map(LogLine, lines))), VLLM).id == "error-package"
    assert explain(Evidence(log=tuple(map(LogLine, named))), VLLM).id == "error-package"
    assert explain(Evidence(log=tuple(map(LogLine, called))), VLLM).id != "error-package"


def test_an_error_is_told_with_the_line_that_says_what_failed() -> None:
    lines = ("zorp: init: flux error:", "While it ran in line 7:", "Error: Wants a list", EXIT)

    assert decided(*lines) == "zorp: init: flux error: Wants a list"
    assert decided(lines[0], *("INFO: more",) * 20, *lines[2:]) == "Wants a list"


def test_a_value_that_goes_on_in_the_next_line_is_told_whole() -> None:
    error = ("torch.BackendCompilerFailed: backend='zorp' raised:", "FluxError: flux 7 is out")
    log = tuple(map(LogLine, (*raised(CORE, *error), WRAPPER, EXIT)))

    assert explain(Evidence(log=log), VLLM).cause.endswith(": FluxError: flux 7 is out")


@pytest.mark.parametrize(
    ("error", "given", "does"),
    [
        ("KeyError: 'UCX'", '--kv-transfer-config={"kv_role": "kv_both"}', "--kv-transfer-config"),
        ("OSError: A Mistral zorp is missing", "--tokenizer-mode=mistral", "--tokenizer-mode"),
        ("OSError: A Mistral zorp is missing", "--tokenizer-mode=slow", ""),
        ("RuntimeError: Zorp does not support BitsAndBytes", "--quantization=7", "--quantization"),
        ("RuntimeError: Zorp does not support fluxes", "--quantization=7", ""),
    ],
)
def test_what_is_turned_on_is_left_out_where_an_error_is_about_it(
    error: str, given: str, does: str
) -> None:
    log = tuple(map(LogLine, (*raised(CORE, error), WRAPPER, EXIT)))
    found = explain(Evidence(log=log), replace(VLLM, args=(*VLLM.args, given)))
    offered = [r.parameters.get("remove_argument") for r in found.remedies]

    assert offered[0] == does if does else not any(offered)


def test_a_variable_that_an_error_names_is_left_out_where_it_is_set() -> None:
    frames = (HEAD, '  File "/usr/lib/vllm/config/zorp.py", line 7, in check')
    log = tuple(map(LogLine, (*frames, "ValueError: ZORP_FLUX=7 is not supported", EXIT)))
    found = explain(Evidence(log=log), replace(VLLM, environment={"ZORP_FLUX": "7"}))

    assert found.remedies[0].parameters == {"remove_environment": "ZORP_FLUX"}


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        ("The feature 'Zorp' is not supported in the declared launch stage", "launch-stage", "Zo"),
        ("Project is not allowed to use run.googleapis.com/zorp annotation", "annotation", "/zorp"),
        ("There is not enough capacity in zone europe-west4-a for zorp", "capacity", "hardware"),
        ("template.zorp[7].flux: must be 7", "field", "template.zorp[7].flux"),
        ("Violation in CreateServiceRequest.service.zorp.flux: one of a and b", "field", ".flux"),
        ("Violation in CreateServiceRequest.service.x.connector: one of two", "network", "network"),
        ("The zorp of the service account could not be loaded", "account", "account"),
        ("Zorp 'a' does not exist.", "missing", "not there"),
        ("Zorp deadline is over", "timeout", "too long"),
        ("Zorp must be even", "value", "value"),
    ],
)
def test_an_answer_of_cloud_run_has_a_class(answer: str, kind: str, says: str) -> None:
    found = explain(Evidence(operation=answer), VLLM)

    assert found.id == f"said-{kind}"
    assert answer in found.cause
    assert says in found.meaning
    assert all("log" not in remedy.text.split("log ")[0] for remedy in found.remedies[:1])


def test_what_nobody_can_tell_of_an_answer_leads_to_its_documentation() -> None:
    found = explain(Evidence(operation="Zorp seven."), VLLM)

    assert found.id == "unknown"
    assert found.remedies[1].url.endswith("/troubleshooting")


def test_the_last_line_of_a_container_is_told_where_none_is_an_error_by_its_form() -> None:
    told = tuple(map(LogLine, ("INFO zorp begins", "Zorp seven, flux eight.", EXIT)))
    begun = (LogLine("STARTUP TCP probe succeeded after 1 attempt."), LogLine(EXIT))

    said = explain(Evidence(log=told), VLLM).cause

    assert said == "The container exited with code 1. The last line before: Zorp seven, flux eight."
    assert explain(Evidence(log=begun), VLLM).cause == "The container exited with code 1."


def test_a_container_that_its_engine_kills_did_not_take_too_much_memory() -> None:
    killed = LogLine("Container terminated on signal 9.")
    error = tuple(map(LogLine, raised(CORE, "ZorpError: flux 7 is out")))

    assert explain(Evidence(log=(*error, killed)), VLLM).cause == "ZorpError: flux 7 is out"
    assert explain(Evidence(log=(killed,)), VLLM).id == "container-killed"


@pytest.mark.parametrize("name", FILES)
def test_failures_of_public_threads_are_explained(name: str) -> None:
    scores = {case["id"]: score(case, explained(case)) for case in cases(name)}

    assert {id_: found for id_, found in scores.items() if not (found.shown and found.right)} == {}


def test_a_long_log_is_read_whole() -> None:
    for _, log in long_logs():
        found = explain(Evidence(log=log), VLLM)

        assert len(log) == LINES
        assert found.cause == "ValueError: It broke."


def test_each_sign_of_the_log_is_looked_for_by_a_literal() -> None:
    """Without one, each of thousands of lines would be searched for the pattern."""
    slow = [
        (failure.id, sign.pattern.pattern)
        for failure in catalogue()
        for sign in failure.signs
        if Place.LOG in sign.places and not sign.literals
    ]

    assert slow == []


@pytest.mark.parametrize(
    ("pattern", "literals"),
    [
        (r"No space left", ("no space left",)),
        (r"exit\((?P<code>\d{1,3})\)", ("exit(",)),
        (r"error(?:s)? in Zorp: .{0,20}", (" in zorp: ",)),
        (r"Errors? of 7 zorps", (" zorps",)),
        (r"first thing|second thing", ("first thing", "second thing")),
        (r"(?P<detail>Stale file handle)", ("stale file handle",)),
        (r"(?:one|other)", ()),
    ],
)
def test_literals_of_patterns(pattern: str, literals: tuple[str, ...]) -> None:
    assert literals_of(pattern) == literals
