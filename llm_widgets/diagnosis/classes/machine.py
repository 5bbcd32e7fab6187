"""Classes of errors: ports, disk, processes, memory and GPUs of the instance."""

from __future__ import annotations

from llm_widgets.diagnosis.classes.error_class import ErrorClass, words
from llm_widgets.diagnosis.classes.steps import OTHER_IMAGE, WITHOUT_FEATURE
from llm_widgets.domain.failures.advice import (
    BIGGER_GPU,
    DEFAULT_IMAGE,
    DISK_FULL,
    FEWER_REQUESTS,
    LESS_BATCH,
    LESS_SHARE,
    MORE_MEMORY,
    NEWER_IMAGE,
    RETRY,
    SMALLER_MODEL,
    WRITE_LESS,
)
from llm_widgets.domain.failures.remedies import Advice, RemedyKind

_ONE_GPU = Advice(
    RemedyKind.REDEPLOY,
    "Deploy with {one_gpu}: an instance of Cloud Run has one GPU.",
    {"add_argument": "{one_gpu}"},
)


CLASSES: tuple[ErrorClass, ...] = (
    ErrorClass(
        "error-port",
        "The address or port that a program of the container wants to listen on can't be used, "
        "mostly as another one listens there.",
        (
            Advice(RemedyKind.NONE, "Give each program in the container a port of its own."),
            RETRY,
        ),
        words(
            r"address already in use|cannot assign requested address|errno 9[89]\b|\blisten tcp\b|"
            r"port \d{1,5} is already|"
            r"\bzmqerror\b|(?:bind|listen)\b.{0,60}(?:socket|address|port)\b|"
            r"only one usage of each socket"
        ),
    ),
    ErrorClass(
        "error-disk",
        DISK_FULL,
        (MORE_MEMORY, WRITE_LESS),
        words(r"no space left on device|errno 28\b|disk quota exceeded"),
    ),
    ErrorClass(
        "error-processes",
        "The system gave the container no further process, thread or open file.",
        (
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with OMP_NUM_THREADS={cpu} and OPENBLAS_NUM_THREADS={cpu}: libraries then "
                "start one thread for each vCPU.",
                {"environment": "OMP_NUM_THREADS={cpu};OPENBLAS_NUM_THREADS={cpu}"},
            ),
            MORE_MEMORY,
            RETRY,
        ),
        words(
            r"(?:can't|cannot|could not|failed to|unable to) (?:start|create) (?:a )?(?:new )?"
            r"(?:native |os )?thread|resource temporarily unavailable|errno 11\b|errno=11\b|"
            r"too many open files|errno 24\b|pthread_create|(?:cannot|can't) fork|fork: retry"
        ),
    ),
    ErrorClass(
        "error-killed",
        "A program of the container was killed, mostly as the container's memory did not suffice.",
        (MORE_MEMORY, SMALLER_MODEL, RETRY),
        words(r"\bsigkill\b|killed by signal 9\b|exit(?:ed with)? (?:code|status) 137\b"),
    ),
    ErrorClass(
        "error-container-memory",
        "The container's memory did not suffice.",
        (MORE_MEMORY, SMALLER_MODEL),
        words(
            r"\bmemoryerror\b|cannot allocate memory|can't allocate memory|std::bad_alloc|"
            r"^killed$|signal: killed|oom-?kill|errno 12\b|defaultcpuallocator|"
            r"system memory|cpu buffer|shared memory (?:segment|region)|"
            r"mmap failed(?!: (?:no such device|invalid|operation|permission|bad))"
        ),
    ),
    ErrorClass(
        "error-mapped",
        "A program read memory that is not there: mostly a file that it maps changed or could not "
        "be read, or the memory that processes share is full.",
        (RETRY, MORE_MEMORY, NEWER_IMAGE, DEFAULT_IMAGE),
        words(r"\bbus error|\bsigbus|signal:? 7\b"),
    ),
    ErrorClass(
        "error-cache",
        "The GPU's memory has too little room for the cache of a request beside the model.",
        (
            Advice(
                RemedyKind.REDEPLOY,
                "Deploy with a context of {less_context} tokens instead of {tokens}.",
                {"max_model_len": "{less_context}"},
            ),
            BIGGER_GPU,
            SMALLER_MODEL,
        ),
        words(r"kv[ _-]?cache (?:memory|size|blocks|is needed)|cache blocks|kv cache buffer"),
    ),
    ErrorClass(
        "error-gpu-memory",
        "The GPU's memory did not suffice.",
        (FEWER_REQUESTS, LESS_BATCH, LESS_SHARE, BIGGER_GPU, SMALLER_MODEL),
        words(
            r"out of[ -]?memory|cudamalloc|load full model on gpu|unable to allocate cuda|"
            r"cublas_status_alloc_failed|"
            r"cudaerrormemoryallocation|(?:fail\w{0,3}|unable|cannot|can't|could not) (?:to )?"
            r"allocate .{0,40}(?:\bcuda|vram)|allocating .{1,40} on device|"
            r"(?:insufficient|not enough) (?:gpu |video )memory|"
            r"(?:not enough|insufficient|exceed\w{0,3}|requires?|out of) .{0,40}\bvram\b|"
            r"\bvram\b.{0,40}(?:not enough|insufficient|exceed|too (?:small|little))"
        ),
    ),
    ErrorClass(
        "error-memory",
        "There was too little memory: the GPU's, or the container's for what is computed there.",
        (FEWER_REQUESTS, LESS_BATCH, BIGGER_GPU, MORE_MEMORY, SMALLER_MODEL),
        words(
            r"(?:fail\w{0,3}|unable|cannot|can't|could not) (?:to )?(?:allocate|reserve) "
            r".{0,60}(?:buffer|memory|bytes)|"
            r"(?:insufficient|not enough|too little) (?:\w{1,12} )?memory"
        ),
    ),
    ErrorClass(
        "error-gpu-count",
        "The engine is to use more GPUs than the instance has, GPUs of several machines, or more "
        "than the model can be split over.",
        (
            _ONE_GPU,
            *WITHOUT_FEATURE,
            Advice(
                RemedyKind.NONE,
                "Let the engine use one GPU: leave out what splits the model over several, such as "
                "--tensor-parallel-size.",
            ),
        ),
        words(
            r"number of (?:\w{1,12} )?(?:gpus|devices)\b|(?:not )?enough gpus|"
            r"exceeds? .{0,40}\bgpus\b|\bray\b.{0,60}\b(?:gpus?|nodes?|resources?)\b|"
            r"(?:node|machine) has no gpu|invalid device (?:ordinal|string)|"
            r"\bonly (?:\d|one) gpus?\b|\b(?:is|needs|per) one gpu\b|no available node types|"
            r"placement group|% \S{0,20}(?:tp_size|world_size|tp\.size)|"
            r"divisible by .{0,20}(?:tensor|tp|world|gpus|shards|ranks|devices)|"
            r"(?:tensor|pipeline)[ _-]parallel[ _-]size\b.{0,60}(?:exceed|larger|greater|divis)"
        ),
    ),
    ErrorClass(
        "error-several-gpus",
        "Programs on several GPUs, or the library for it (torch.distributed, NCCL), did not come "
        "together, or it refuses what it is told.",
        (
            _ONE_GPU,
            *WITHOUT_FEATURE,
            RETRY,
            OTHER_IMAGE,
        ),
        words(
            r"\bnccl|dist(?:backend|network|store)error|processgroup|rendezvous|"
            r"custom_all_reduce|\bgloo\b|waiting for clients|other ranks|"
            r"(?:send|recv|receive) operation|tcpstore|peer access|"
            r"connection (?:closed|reset) by peer \["
        ),
    ),
)
