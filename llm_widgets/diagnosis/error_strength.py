"""How much a line of a log tells about why a program ended: patterns of what programs say."""

from __future__ import annotations

import re
from enum import IntEnum

from llm_widgets.diagnosis.log_records import Level


class Strength(IntEnum):
    """How much a line tells about why a program ended."""

    EFFECT = 0
    """What follows from any failure, or what nobody needs to know."""

    ENDED = 1
    """That something ended or failed; why stands elsewhere."""

    MAYBE = 2
    """An error that the program survived, or a line that calls itself one."""

    SAYS_WHY = 3
    """An error in its own words."""


# Lines without any of these are not looked at: most lines of a log.
_HINTS = (
    "err",
    "fail",
    "panic",
    "fatal",
    "exception",
    "abort",
    "kill",
    "segm",
    "assert",
    "unable",
    "denied",
    "signal",
    "usage",
    "no such",
    "invalid",
    "support",
    "terminat",
    "fault",
    "what()",
    "timed out",
    "unknown",
    "exceeded",
    "missing",
    "illegal",
    "read-only",
    "require",
    "consistency",
    "compatible",
    "not ",
    "n't ",
    "must ",
    "mismatch",
    "corrupt",
    "expected",
    "smashing",
    "no module",
    "syntax",
)

_ERRNO = (
    "No such file or directory|Permission denied|Read-only file system|No space left on device|"
    "Input/output error|Transport endpoint is not connected|Stale file handle|"
    "Operation not permitted|Cannot allocate memory|Address already in use|Not a directory"
)
# What a parent says of a process that ended by SIGILL, SIGABRT, SIGBUS, SIGFPE or SIGSEGV.
_CRASHED = r"\bsignall?ed .{0,40}?\bwith signal (?:[4678]|11)\b"
_SIGNALLED = re.compile(_CRASHED)
# Beginnings of lines with which programs that are not Python say what is wrong.
_SAYS_WHY = re.compile(
    "|".join(
        (
            r"(?:[\w./-]{1,80}(?: [a-z][\w-]{0,20}){0,3}: )?error: (?!$)",  # argparse
            r"[\w./+-]{1,200}:\d{1,7}(?::\d{1,7})?: (?:fatal )?error: ",  # compilers
            r"[\w./+-]{1,200}:\d{1,7}: ERROR: |Error: (?!$)|error: ",
            r"(?:nvcc|ptxas) fatal\b|clang: error|ninja: error|ld: |collect2: ",
            (
                r"panic: |fatal error: |FATAL: |Fatal Python error: |terminate called |"
                r"libc\+\+abi: terminating |"
                r"\s{0,4}what\(\): "
            ),
            r".{0,300}: Assertion [`'].{1,300}failed",
            # What a program in C++ gives up with: the place in its source, and why.
            (
                r"[\w./+-]{1,200}\.(?:cc?|cpp|cxx|cuh?|h|hpp|mm?):\d{1,7}: "
                r"(?!\d|(?i:warn|note|info|debug)|in |required )(?=\S)"
            ),
            r"[\w./-]{0,60}: \d{1,5}: [^:]{1,80}: not found",  # sh
            r"[\w./-]{1,80}: (?:line )?\d{1,5}: [Ss]yntax error",
            r"[\w./-]{1,80}: No module named \S",  # python -m
            r"Abort was called\b",
            # glibc, of memory that was written over
            (
                r"\*{3} .{1,80} detected \*{3}|double free or corruption|"
                r"(?:malloc|free|realloc|munmap_chunk)\(\): \w|corrupted (?:size|double)"
            ),
            (
                r"(?:[\w/.-]{1,60}: )?(?:line \d{1,6}: )?[^:]{1,80}: (?:command not found|"
                rf"cannot execute[\w ]{{0,40}}|{_ERRNO})$"
            ),
            rf"[\w/.-]{{1,60}}: .{{1,300}}: (?:{_ERRNO})$",
            r"exec(?: format error|: \"|_process)|exec /\S{1,200}: [a-z]",
            r"(?:Killed|Segmentation fault|Bus error|Illegal instruction)(?: \(core dumped\))?$",
            r"signal: (?:illegal instruction|segmentation fault|bus error)",
            r"SIG(?:SEGV|BUS|ILL|FPE|KILL)\b|!{3,}.{0,10}Segfault",
            r"curl: \(\d{1,3}\) |runtime: (?:failed|cannot|out of) ",
            (
                r"llama[\w-]{1,60}: (?:error|failed|unable|unknown|unsupported|couldn't|invalid|"
                r"[^:]{1,120}? (?:requires?|cannot|can't|must) )"
            ),
            (
                r"(?:ggml|gguf|clip|mtmd|load_tensors|common)[\w:]{0,80}: .{0,200}?"
                r"(?:error|fail|unable|invalid|unsupported|not supported|no longer supported|"
                r"unknown|out of memory|\bmust\b|compatible|mismatch|missing|only supports|"
                r", expected )"
            ),
            # What gives containers their GPU.
            r"nvidia-container-[\w-]{1,20}: .{0,60}?error: ",
            # llama.cpp's server: the part of it, the function, and what it says.
            (
                r"(?:srv|slot|main|init|start|server_main|llama_server) {1,8}(?:\w{1,40}(?:\(\))?)?"
                r": .{0,200}?(?:couldn't|could not|cannot|can't|failed|unable|invalid|unknown|"
                r"not compatible|incompatible|not supported|unsupported|\bmust\b|missing|error:)"
            ),
            r"(?:main|start|init|server_main|llama_server): (?:couldn't|could not|cannot|unable)",
            r".{0,200}\bGGML_ASSERT(?:\(|: )|.{0,200}\bggml[\w.-]{0,40}:\d{1,7}: fatal error",
            rf".{{1,200}}?{_CRASHED}",
            # The sandbox that Cloud Run's containers are in.
            r"Uncaught signal: (?:[4678]|11)\b",
            r"(?:CUDA|cuBLAS|cuDNN|NCCL|NVML|HIP|Vulkan|ROCm)[\w ]{0,20} error\b",
            (
                r"(?:mountWithArgs|mountWithStorageHandle|SetUpBucket|fuse|gcsfuse)\b.{0,200}?"
                r"(?:error|fail|denied|doesn't exist|not found|flag)"
            ),
            r"error loading model|failed to load model from",
            r"[Ee]rror (?:while|when|during|in|at|parsing|reading|opening) .{1,200}?: \S",
            r"(?:Unable|Could not|Cannot|Can't|Failed) (?:to )?\w",
        )
    )
)
_ENDED = re.compile(
    "(?i)"
    r"(?:see|check) (?:the |stack |root |error |full )?(?:stack trace|root cause|logs?|trace|"
    r"traceback|error)(?: \(?above\)?| for|\b)|root cause above|"
    r"failed to start\.?$|unable to load model(?:$|: /)|"
    # A thing of the engine that did not come about, without a word of the reason.
    r"(?:failed|unable|could not|couldn't) (?:to )?(?:create|start|load|init(?:ialize)?) "
    r"(?:an? |the |all |any )?(?:\w{1,20} ){0,2}"
    r"(?:models?|contexts?|backends?|engines?|executors?|runners?|servers?)"
    r"(?:,? (?:from )?['\"]?/[^:\s]{1,300})?$|"
    r"^(?-i:Error: [A-Z][a-z]{1,20}(?:[A-Z][a-z]{1,20}){1,5})$|"
    r"\b(?:worker|executor|engine|process)s? returned (?:an )?error\.?$|"
    r"exited unexpectedly|unexpectedly stopped|returned non-zero exit status|"
    r"exit status \d{1,3}$|died (?:unexpectedly|with)|"
    r"process has terminated(?:$|: (?:exit status \w{1,12}$|error:fault|"
    r"signal: aborted(?: \(core dumped\))?$))|!\"CUDA error\"|"
    r"no longer running: (?:exit status|-?\d)|application startup failed|"
    r"(?:engine|process|worker|server|runner)s? (?:\S{1,40} )?(?:is |are |was |were |has )?"
    r"(?:dead|died|terminated|failed|crashed)\.?$|"
    r"(?:hit|encountered) (?:an exception|a fatal error)\.?$|"
    r"was not loaded\.?$|failed to create context|SIGABRT: abort|^aborted\b|^terminated$|"
    r"^(?:\S{1,60}: )?(?:error: )?failed to load model '(?![^']{1,300}': \S)|"
    r"load(?:ing)?(?: the)? model failed|"
    r"exiting due to|error (?:loading llama server|starting llama runner)$|^usage: |"
    r"could not connect to \w{1,20} server|do load request: |"
    r"call to \w{1,60} method failed|exception in worker"
)
_EFFECT = re.compile(
    "(?i)"
    r"destroy_process_group|resource_tracker|leaked (?:semaphore|shared_memory)|"
    r"^exception ignored|task was destroyed|task exception was never|unclosed|"
    r"container called exit|for debugging consider passing|TORCH_USE_CUDA_DSA|"
    r"shutting down|shutdown|received signal|sigterm|^\[GIN|broken pipe|"
    r"connection reset by peer|process group watchdog|heartbeat monitor|TCPStore|"
    r"failed to (?:check|flush)|futurewarning|deprecat|userwarning|"
    r"for further information visit|^set the environment variable|search for `cuda|"
    r"probe failed \d|startup \w{2,5} probe|\b0 (?:errors|failed)\b|"
    r"will be (?:disabled|ignored|skipped)\b|, using .{1,60} instead$|defaulting to|"
    r"retrying|will retry|fall(?:ing)? ?back|ignor(?:ed|ing)\b"
)
_EFFECTS = frozenset(
    {
        "BaseExceptionGroup",
        "ExceptionGroup",
        "SystemExit",
        "KeyboardInterrupt",
        "CancelledError",
        "BrokenPipeError",
        "ConnectionResetError",
        "EngineDeadError",
        "ProcessExitedException",
        "ChildFailedError",
        "EOFError",
        "ClosedResourceError",
        "EngineGenerateError",
        "GeneratorExit",
        "WorkerCrashedError",
        "ActorDiedError",
        "RayActorError",
        "RayTaskError",
    }
)
_QUOTED = (
    re.compile(r"failed with error '(?P<inner>.{3,1500}?)', please check"),
    re.compile(r"(?s)backend='\w{1,40}' raised:\s{1,4}(?P<inner>.{3,1500})"),
    re.compile(r"(?i)last error:\s{1,4}(?P<inner>.{3,1500})"),
)
_MOST_WRAPPED = 3  # Ollama's command, its server, and the end of what it started
_WRAPPED = re.compile(
    r"^Error: (?:\d{3} [A-Z][\w ]{1,40}: )?|^(?:llama[ -]?(?:runner|server) process has "
    r"terminated: )|^exit status (?:0x)?\w{1,12}: (?=\w)|"
    r"^an error was encountered while running the model: "
)


def is_effect(text: str) -> bool:
    """Return whether a line only tells what follows from any end, or does no harm."""
    return bool(_EFFECT.search(text))


def hints(text: str) -> re.Pattern[str] | None:
    """Return a pattern of the words of errors that a text in small letters has.

    They are few even in a whole log; ``None`` where there are none.
    """
    found = [re.escape(hint) for hint in _HINTS if hint in text]
    return re.compile("|".join(found)) if found else None


def unwrapped(text: str) -> str:
    """Return the error that another one quotes, or the text as it is."""
    for pattern in _QUOTED:
        if match := pattern.search(text):
            return match["inner"].strip()
    plain = text
    for _ in range(_MOST_WRAPPED):
        plain = _WRAPPED.sub("", plain)
    return plain or text


def strength_of(text: str, name: str, level: Level) -> Strength:
    """Return how much an exception tells."""
    if name in _EFFECTS:
        return Strength.ENDED
    if _ENDED.search(text) and unwrapped(text) == text:
        return Strength.ENDED
    if "destroy_process_group" in text or name.endswith("Warning"):
        return Strength.EFFECT
    return Strength.MAYBE if level is Level.WARNING else Strength.SAYS_WHY


def line_strength(text: str, level: Level) -> Strength | None:
    """Return how much a line that is no exception tells; ``None`` for nothing."""
    if is_effect(text) and not _SIGNALLED.search(text):
        return None
    if _ENDED.search(text):
        return Strength.ENDED if level is not Level.WARNING else None
    if _SAYS_WHY.match(text):
        weak = level in (Level.WARNING, Level.INFO) or text.startswith(("warning", "Warning"))
        return Strength.MAYBE if weak else Strength.SAYS_WHY
    if level is Level.FATAL:
        return Strength.SAYS_WHY
    return Strength.MAYBE if level is Level.ERROR else None
