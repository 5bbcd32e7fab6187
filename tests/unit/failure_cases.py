"""Texts of failures that engines and what runs below them say, and what is expected of each."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from llm_widgets.diagnosis import Context, Evidence, LogLine
from llm_widgets.domain.services import StartupProbe
from llm_widgets.engines.vllm.engine import Vllm

if TYPE_CHECKING:
    from llm_widgets.diagnosis import RemedyKind

VLLM = Context(
    project="my-project",
    project_number="123456789",
    region="europe-west4",
    service="vllm-qwen3",
    caller="user:ada@example.com",
    service_account="llm-runtime@my-project.iam.gserviceaccount.com",
    framework="vllm",
    model_id="Qwen/Qwen3-8B",
    image="vllm/vllm-openai:v0.33.0",
    port=8000,
    bucket="my-models",
    folder="huggingface/Qwen/Qwen3-8B",
    accelerator="nvidia-l4",
    cpu=8,
    memory_gib=24,
    max_instances=4,
    args=("/models", "--port=8000", "--max-model-len=40960", "--gpu-memory-utilization=0.9"),
    probe=StartupProbe("/health", failures=30),
)
OLLAMA = Context(
    project="my-project",
    region="europe-west4",
    service="ollama-gemma3",
    framework="ollama",
    model_id="gemma3:4b",
    image="ollama/ollama:0.30.5",
    port=11434,
    bucket="my-models",
    accelerator="nvidia-l4",
    cpu=8,
    memory_gib=24,
    environment={"OLLAMA_CONTEXT_LENGTH": "8192"},
    probe=StartupProbe("/", failures=180, port=11435),
)

LLAMA_CPP = replace(
    OLLAMA,
    framework="llama-cpp",
    image="ghcr.io/ggml-org/llama.cpp:server-cuda-b11176",
    environment={"LLAMA_ARG_CTX_SIZE": "32768", "LLAMA_ARG_N_PARALLEL": "4"},
)


OFFERED = Vllm().image("nvidia-l4")
_LISTENS = (
    "The user-provided container failed to start and listen on the port defined provided by the "
    "PORT=11434 environment variable within the allocated timeout."
)


@dataclass
class Case:
    """A text, where it is found, and what is expected of the diagnosis.

    ``says`` are parts of the cause, ``does`` the parameters of the first remedy.
    """

    id: str
    operation: str = ""
    condition: str = ""
    reason: str = ""
    log: str = ""
    context: Context = VLLM
    says: tuple[str, ...] = ()
    does: dict[str, str] | None = None
    kind: RemedyKind | None = None
    beside: tuple[str, ...] = field(default=())

    def evidence(self) -> Evidence:
        """Return the text as the evidence that it is."""
        lines = (*self.beside, self.log) if self.log else self.beside
        return Evidence(
            operation=self.operation,
            conditions=(self.condition,) if self.condition else (),
            reasons=(self.reason,) if self.reason else (),
            log=tuple(LogLine(line, "ERROR") for line in lines),
        )


def _with(*args: str) -> Context:
    return replace(VLLM, args=(*VLLM.args, *args))


ENGINE_CASES = [
    # What vLLM runs on the GPU.
    Case(
        "attention-sinks",
        log="AssertionError: Sinks are only supported in FlashAttention 3",
        does={"add_argument": "--attention-backend=TRITON_ATTN"},
    ),
    Case(
        "attention-backend",
        log="ValueError: Selected backend AttentionBackendEnum.FLASHINFER is not valid for this "
        "configuration. Reason: ['head_size not supported']",
        context=_with("--attention-backend=FLASHINFER"),
        says=("FLASHINFER", "head_size not supported"),
        does={"remove_argument": "--attention-backend"},
    ),
    Case(
        "attention-backend",
        log="ValueError: Attention backend 'XFORMERS' has been removed (See PR #29262).",
        context=replace(VLLM, environment={"VLLM_ATTENTION_BACKEND": "XFORMERS"}),
        says=("XFORMERS",),
        does={"remove_environment": "VLLM_ATTENTION_BACKEND"},
    ),
    Case(
        "flashinfer-gpu",
        log="RuntimeError: FlashInfer requires GPUs with sm75 or higher",
        does={"environment": "VLLM_USE_FLASHINFER_SAMPLER=0"},
    ),
    Case(
        "cuda-compiler-missing",
        log="RuntimeError: Could not find nvcc and default cuda_home='/usr/local/cuda' "
        "doesn't exist",
        does={"environment": "VLLM_USE_FLASHINFER_SAMPLER=0"},
    ),
    Case(
        "flashinfer-versions",
        log="RuntimeError: flashinfer-cubin version (0.6.13) does not match flashinfer version "
        "(0.6.14). Please install the same version of both packages.",
        says=("0.6.13", "0.6.14"),
    ),
    Case(
        "deep-gemm",
        log="RuntimeError: Assertion error (/workspace/.deps/deepgemm-src/csrc/layout.hpp:59): "
        "Unknown zorp",
        says=("Unknown zorp",),
        does={"environment": "VLLM_USE_DEEP_GEMM=0"},
    ),
    Case(
        "c-compiler-missing",
        log="RuntimeError: Failed to find C compiler. Please specify via CC environment variable "
        "or set triton.knobs.build.impl.",
        context=replace(VLLM, image="example/vllm:mine"),
        does={"image": OFFERED},
    ),
    Case(
        "cache-type",
        log="ValueError: fp8_e5m2 kv-cache is not supported with fp8 checkpoints.",
        context=_with("--kv-cache-dtype=fp8_e5m2"),
        says=("fp8 checkpoints",),
        does={"remove_argument": "--kv-cache-dtype"},
    ),
    Case(
        "kernel-compilation",
        log="ptxas fatal   : Value 'sm_120a' is not defined for option 'gpu-name'",
        says=("sm_120a",),
    ),
    Case(
        "kernel-shared-memory",
        log="triton.runtime.errors.OutOfResources: out of resource: shared memory, Required: "
        "147456, Hardware limit: 101376. Reducing block sizes or `num_stages` may help.",
        says=("147456", "101376"),
    ),
    Case(
        "dtype-gpu",
        log="ValueError: Bfloat16 is only supported on GPUs with compute capability of at least "
        "8.0. Your Tesla T4 GPU has compute capability 7.5.",
        does={"add_argument": "--dtype=half"},
    ),
    Case(
        "fp8-gpu",
        log="ValueError: type fp8e4nv not supported in this architecture. The supported fp8 dtypes "
        "are ('fp8e4b15', 'fp8e5')",
        context=_with("--kv-cache-dtype=fp8"),
        does={"remove_argument": "--kv-cache-dtype"},
    ),
    Case(
        "quantized-layer-shape",
        log="ValueError: Weight input_size_per_partition = 10944 is not divisible by min_thread_k "
        "= 128. Consider reducing tensor_parallel_size or running with --quantization gptq.",
        context=_with("--tensor-parallel-size=2"),
        does={"add_argument": "--tensor-parallel-size=1"},
    ),
    Case(
        "cuda-graphs",
        log="ValueError: CUDAGraphMode.FULL is not supported with FlashInferBackend backend "
        "(support: AttentionCGSupport.UNIFORM_BATCH); please try cudagraph_mode=PIECEWISE",
        does={"add_argument": "--enforce-eager"},
    ),
    Case(
        "torch-compile",
        log="torch._inductor.exc.InductorError: LoweringException: ValueError: Q and KV block size "
        "must be divisible by BLOCK_M and BLOCK_N.",
        says=("Q and KV block size",),
        does={"add_argument": "--enforce-eager"},
    ),
    # Models and weights.
    Case(
        "weights-mismatch",
        log="KeyError: 'layers.0.self_attn.qkv_proj.k_scale'",
        says=("qkv_proj.k_scale",),
    ),
    Case(
        "weights-mismatch",
        log="ValueError: There is no module or parameter named 'model.visual' in Qwen3ForCausalLM",
        says=("model.visual",),
    ),
    Case(
        "model-type-missing",
        log="ValueError: Unrecognized model in /models. Should have a `model_type` key in its "
        "config.json, or contain one of the following strings in its name: albert, align",
        says=("config.json",),
    ),
    Case(
        "architecture-not-imported",
        log="  Value error, Model architectures ['Qwen3_5MoeForConditionalGeneration'] failed to "
        "be inspected. Please check the logs for more details. [type=value_error, input_value=A]",
        context=replace(VLLM, image="example/vllm:mine"),
        says=("Qwen3_5MoeForConditionalGeneration",),
        does={"image": OFFERED},
    ),
    Case(
        "architecture-removed",
        log="ValueError: Model architecture QWenLMHeadModel was supported in vLLM until v0.15.1, "
        "and is not supported anymore. Please use an older version of vLLM",
        says=("QWenLMHeadModel", "0.15.1"),
    ),
    Case(
        "transformers-unfit",
        log="AttributeError: 'Gemma3Config' object has no attribute 'vocab_size'",
        says=("Gemma3Config", "vocab_size"),
    ),
    Case(
        "transformers-unfit",
        log="Exception: data did not match any variant of untagged enum ModelWrapper at line "
        "757480 column 3",
    ),
    Case(
        "parser-unknown",
        log="KeyError: \"Tool parser 'qwen9' not found.\"",
        context=_with("--tool-call-parser=qwen9"),
        says=("qwen9",),
        does={"remove_argument": "--tool-call-parser"},
    ),
    Case(
        "parser-missing",
        log="TypeError: Error: --enable-auto-tool-choice requires --tool-call-parser",
        context=_with("--enable-auto-tool-choice"),
        does={"remove_argument": "--enable-auto-tool-choice"},
    ),
    Case(
        "dtype-model",
        log="ValueError: torch.bfloat16 is not supported for quantization method awq. Supported "
        "dtypes: [torch.float16]",
        says=("awq", "torch.float16"),
        does={"add_argument": "--dtype=float16"},
    ),
    Case(
        "dtype-model",
        log="ValueError: The model type 'gemma3' does not support float16. Reason: Numerical "
        "instability. Please use bfloat16 or float32 instead.",
        says=("gemma3",),
        does={"add_argument": "--dtype=bfloat16"},
    ),
    Case(
        "runner-unfit",
        log="  Value error, This model does not support `--runner generate`. [type=value_error, "
        "input_value=ArgsKwargs((), {}), input_type=ArgsKwargs]",
        says=("generate",),
        does={"add_argument": "--runner=auto"},
    ),
    Case(
        "streamer-file",
        log="ValueError: Could not receive runai_response from libstreamer due to: b'File access "
        "error'",
        says=("File access error",),
        does={"add_argument": "--load-format=auto"},
    ),
    Case(
        "lora-rank",
        log="ValueError: LoRA rank 64 is greater than max_lora_rank 16.",
        does={"add_argument": "--max-lora-rank=64"},
    ),
    Case(
        "lora-adapter",
        log='ValueError: Loading lora ["sql failed: No adapter found for /models/adapters/sql"]',
        says=("/models/adapters/sql",),
    ),
    Case(
        "chat-template-damaged",
        log="jinja2.exceptions.TemplateSyntaxError: expected token 'end of print statement', got "
        "'name'",
        says=("end of print statement",),
    ),
    # Numbers that do not go together.
    Case(
        "picture-larger-than-batch",
        log="ValueError: Chunked MM input disabled but max_tokens_per_mm_item (2496) is larger "
        "than max_num_batched_tokens (2048). Please increase max_num_batched_tokens.",
        says=("2496", "2048"),
        does={"add_argument": "--max-num-batched-tokens=4096"},
    ),
    Case(
        "batch-too-small",
        log="  Value error, max_num_batched_tokens (8) must be greater than or equal to "
        "max_num_seqs (64). [type=value_error, input_value=ArgsKwargs((), {}), "
        "input_type=ArgsKwargs]",
        does={"add_argument": "--max-num-batched-tokens=64"},
    ),
    Case(
        "state-blocks",
        log="ValueError: max_num_seqs (256) exceeds available Mamba cache blocks (161). Each "
        "decode sequence requires one Mamba cache block",
        says=("161", "256"),
        does={"parallel": "161"},
    ),
    Case(
        "ready-timeout",
        log="TimeoutError: Timed out waiting for engine core processes to start. This is often "
        "caused by slow weight loading for large models. Waited 600s (configured by "
        "VLLM_ENGINE_READY_TIMEOUT_S).",
        does={"environment": "VLLM_ENGINE_READY_TIMEOUT_S=1800"},
    ),
    Case(
        "memory-profiling",
        log="AssertionError: Error in memory profiling. Initial free memory 8.46 GiB, current free "
        "memory 12.98 GiB.",
        does={},
    ),
    Case(
        "vllm-killed",
        log="RuntimeError: Engine core initialization failed. See root cause above. Failed core "
        "proc(s): {'EngineCore_DP0': -9}",
        says=("EngineCore_DP0",),
        does={"memory_gib": "32", "cpu": "8"},
    ),
    Case(
        "forked-process",
        log="RuntimeError: Cannot re-initialize CUDA in forked subprocess. To use CUDA with "
        "multiprocessing, you must use the 'spawn' start method",
        does={"environment": "VLLM_WORKER_MULTIPROC_METHOD=spawn"},
    ),
    # The server of llama.cpp.
    Case(
        "llama-cpp-gpu-memory",
        log="ggml_backend_cuda_buffer_type_alloc_buffer: allocating 30218.00 MiB on device 0: "
        "cudaMalloc failed: out of memory",
        context=LLAMA_CPP,
        says=("30218.00 MiB",),
        does={"max_model_len": "4096"},
    ),
    Case(
        "llama-cpp-memory",
        log="alloc_tensor_range: failed to allocate CPU_REPACK buffer; "
        "unable to allocate CPU_REPACK buffer",
        context=LLAMA_CPP,
    ),
    Case(
        "llama-cpp-architecture",
        log="llama_model_load: error loading model: error loading model architecture: unknown "
        "model architecture: 'qwen9'",
        context=LLAMA_CPP,
        says=("qwen9",),
    ),
    Case(
        "llama-cpp-file",
        log="gguf_init_from_file: failed to open GGUF file '/gcs/b/llama-cpp/blobs/sha256-0a' "
        "(No such file or directory)",
        context=LLAMA_CPP,
        says=("/gcs/b/llama-cpp/blobs/sha256-0a",),
    ),
    Case(
        "llama-cpp-file",
        log='error while handling environment variable "LLAMA_ARG_CHAT_TEMPLATE_FILE": failed to '
        "open file '/gcs/b/chat.jinja'",
        context=LLAMA_CPP,
        says=("/gcs/b/chat.jinja", "LLAMA_ARG_CHAT_TEMPLATE_FILE"),
    ),
    Case(
        "llama-cpp-template",
        log="srv          init: init: chat template parsing error: Unknown statement: zorp",
        context=LLAMA_CPP,
        says=("Unknown statement: zorp",),
        does={"environment": "LLAMA_ARG_JINJA=0;LLAMA_ARG_CHAT_TEMPLATE=chatml"},
    ),
    Case(
        "llama-cpp-tensors",
        log="llama_model_load: error loading model: missing tensor 'blk.0.ssm_in.weight'",
        context=LLAMA_CPP,
        says=("blk.0.ssm_in.weight",),
    ),
    Case(
        "ollama-driver",
        log="cuda driver library failed to get device context 801",
        context=OLLAMA,
        says=("801",),
    ),
    # Ollama and llama.cpp.
    Case(
        "ollama-pre-tokenizer",
        log="llama_model_load: error loading model: error loading model vocabulary: unknown "
        "pre-tokenizer type: 'deepseek-r1-qwen'",
        context=OLLAMA,
        says=("deepseek-r1-qwen",),
    ),
    Case(
        "ollama-tensors",
        log="Error: 500 Internal Server Error: llama runner process has terminated: error loading "
        "model: missing tensor 'blk.0.ssm_in.weight'",
        context=OLLAMA,
        says=("blk.0.ssm_in.weight",),
    ),
    Case(
        "ollama-cache-type",
        log="llama_init_from_model: V cache quantization requires flash_attn",
        context=replace(OLLAMA, environment={"OLLAMA_KV_CACHE_TYPE": "q8_0"}),
        does={"environment": "OLLAMA_KV_CACHE_TYPE=f16"},
    ),
    Case(
        "ollama-embedding",
        log='Error: embedding models require input text. Usage: ollama run nomic-embed-text "text"',
        context=OLLAMA,
    ),
    Case(
        "ollama-stopped",
        log="Error: model runner has unexpectedly stopped, this may be due to resource limitations "
        "or an internal error, check ollama server logs for details",
        context=OLLAMA,
        does={"memory_gib": "32", "cpu": "8"},
    ),
    Case(
        "ollama-not-loaded",
        log="Error: 500 Internal Server Error: model failed to load, this may be due to resource "
        "limitations or an internal error, check ollama server logs for details",
        context=OLLAMA,
    ),
    Case(
        "ollama-crash",
        log="Error: 500 Internal Server Error: llama runner process has terminated: error:fault",
        context=replace(OLLAMA, image="ollama/ollama:0.20.0"),
        says=("error:fault",),
        does={"image": "ollama/ollama:0.24.0"},
    ),
    Case(
        "ollama-no-gpu",
        condition=_LISTENS,
        log='time=2025-09-25T08:28:24.408Z level=INFO source=ggml.go:498 msg="offloaded 0/35 '
        'layers to GPU"',
        context=OLLAMA,
        says=("35 layers",),
        does={"image": "ollama/ollama:0.24.0"},
    ),
    Case(
        "ollama-digest",
        log="Error: digest mismatch, file must be downloaded again: want sha256:aeda25 got "
        "sha256:b5b3f1",
        context=OLLAMA,
    ),
    # What runs below an engine.
    Case(
        "cuda-crash",
        log="torch.AcceleratorError: CUDA error: an illegal memory access was encountered",
        says=("illegal memory access",),
        does={},
    ),
    Case(
        "cublas",
        log="CUDA error: the resource allocation failed",
        context=replace(OLLAMA, environment={"OLLAMA_NUM_PARALLEL": "4"}),
        says=("the resource allocation failed",),
        does={"parallel": "2"},
    ),
    Case(
        "cuda-kernel",
        log="Could not start backend: Runtime compute cap 120 is not compatible with compile time "
        "compute cap 80",
        says=("120", "80"),
    ),
    Case(
        "gpu-not-ready",
        log="RuntimeError: Unexpected error from cudaGetDeviceCount(). Error 802: system not yet "
        "initialized",
        does={},
    ),
    Case(
        "nccl",
        log="RuntimeError: NCCL error: unhandled cuda error (run with NCCL_DEBUG=INFO for details)",
        context=_with("--tensor-parallel-size=2"),
        says=("unhandled cuda error",),
        does={"add_argument": "--tensor-parallel-size=1"},
    ),
    Case(
        "library-missing",
        log="ImportError: libcudart.so.13: cannot open shared object file: No such file or "
        "directory",
        context=replace(VLLM, image="example/vllm:mine"),
        says=("libcudart.so.13",),
        does={"image": OFFERED},
    ),
    Case(
        "packages-unfit",
        log="ImportError: /usr/local/lib/python3.12/dist-packages/vllm/_C.abi3.so: undefined "
        "symbol: _ZN3c106ivalue14ConstantString6createENSt7",
        says=("_C.abi3.so",),
    ),
    Case(
        "package-missing",
        log="ModuleNotFoundError: No module named 'flash_attn'",
        says=("flash_attn",),
    ),
    Case(
        "cache-read-only",
        log="PermissionError: [Errno 13] Permission denied: '/app/.cache/vllm'",
        says=("/app/.cache/vllm",),
        does={
            "environment": "HF_HOME=/tmp/hub;XDG_CACHE_HOME=/tmp/cache;VLLM_CACHE_ROOT=/tmp/vllm;"
            "TRITON_CACHE_DIR=/tmp/triton"
        },
    ),
    Case(
        "cache-read-only",
        log="RuntimeError: cannot cache function 'create_fsm_info': no locator available for file "
        "'/usr/local/lib/python3.10/dist-packages/outlines/fsm/regex.py'",
        context=OLLAMA,
        does={"environment": "HOME=/tmp"},
    ),
    Case(
        "user-unknown",
        log="KeyError: 'getpwuid(): uid not found: 1000910000'",
        does={"environment": "USER=app;LOGNAME=app;HOME=/tmp"},
    ),
    Case(
        "port-in-use",
        log="main: couldn't bind HTTP server socket, hostname: 0.0.0.0, port: 8080",
        context=LLAMA_CPP,
    ),
    Case(
        "program-missing",
        log="FileNotFoundError: [Errno 2] No such file or directory: 'ninja'",
        says=("ninja",),
    ),
    Case(
        "package-versions",
        log="RuntimeError: Detected that PyTorch and torchvision were compiled with different CUDA "
        "major versions. PyTorch has CUDA Version=12.8 and torchvision has CUDA Version=13.0.",
        says=("torchvision", "CUDA"),
    ),
    Case(
        "package-versions",
        log="ImportError: huggingface-hub>=0.34.0,<1.0 is required for a normal functioning of "
        "this module, but found huggingface-hub==1.2.3.",
        says=("huggingface-hub>=0.34.0,<1.0", "huggingface-hub==1.2.3"),
    ),
    Case(
        "weights-with-code",
        log="WeightsUnpickler error: Unsupported global: GLOBAL omegaconf.zorp was not an allowed "
        "global by default.",
        says=("omegaconf.zorp",),
    ),
    Case(
        "tokenizer-form",
        log="ValueError: Couldn't instantiate the backend tokenizer from one of:",
        says=("tokenizer.json",),
    ),
    Case(
        "gguf-setting",
        log="llama_model_load: error loading model: error loading model hyperparameters: key "
        "gemma9.attention.head_count has wrong array length; expected 7, got 9",
        context=LLAMA_CPP,
        says=("gemma9.attention.head_count",),
    ),
    Case(
        "gguf-form",
        log="gguf_init_from_file: this GGUF file is version 4 but this software only supports up "
        "to version 3",
    ),
    Case(
        "gguf-type",
        log="gguf_init_from_file: tensor 'blk.0.zorp' has invalid ggml type 39. should be in "
        "[0, 39)",
        context=LLAMA_CPP,
        says=("type 39",),
    ),
    Case(
        "gguf-parts",
        log="llama_model_load: error loading model: illegal split file idx: 1 (file: /m/a.gguf), "
        "model must be loaded with the first split",
        says=("several parts",),
    ),
    Case(
        "model-offloaded",
        log="ValueError: Some modules are dispatched on the CPU or the disk. Make sure you have "
        "enough GPU RAM to fit the quantized model.",
        says=("too large",),
    ),
    Case(
        "library-missing",
        log="Unable to load any of {libcudnn_ops.so.9.1.0, libcudnn_ops.so.9.1, libcudnn_ops.so.9}",
        says=("libcudnn_ops.so.9.1.0",),
    ),
    Case(
        "package-missing",
        log="importlib.metadata.PackageNotFoundError: No package metadata was found for The "
        "'zorp>=0.4.5' distribution was not found and is required by this application.",
        says=("package zorp.",),
    ),
    Case(
        "cuda-crash",
        log="CUDA error (/opt/flash_fwd_launch_template.h:188): invalid argument",
        says=("invalid argument",),
    ),
    Case("built-for-cpu", log="AssertionError: Torch not compiled with CUDA enabled"),
    Case(
        "built-for-cpu",
        log="ValueError: This CTranslate2 package was not compiled with CUDA support",
        says=("CTranslate2",),
    ),
    Case(
        "built-for-cpu",
        log="NotImplementedError: Could not run 'torchvision::nms' with arguments from the 'CUDA' "
        "backend.",
        says=("torchvision",),
    ),
    Case(
        "number-format",
        log="RuntimeError: \"addmm_impl_cpu_\" not implemented for 'Half'",
        says=("Half",),
    ),
    Case(
        "number-format",
        log="Could not start ORT backend: Could not start backend: DType float16 is not supported",
        says=("float16",),
    ),
    Case("port-in-use", log="OSError: [Errno 98] Address already in use"),
    Case(
        "storage-lost",
        log="OSError: [Errno 116] Stale file handle: '/models/model-00001-of-00004.safetensors'",
        says=("my-models", "Stale file handle"),
        does={},
    ),
    # Cloud Run.
    Case(
        "image-user",
        condition="Revision 'x-00001-abc' is not ready and cannot serve traffic. \"User "
        '\\"root\\"" not found in /etc/passwd',
        says=("root",),
    ),
    Case("image-import", reason="CONTAINER_IMPORT_FAILED", does={}),
    Case(
        "readiness-deadline",
        condition="Assigning traffic to latest specified targets. Resource readiness deadline "
        "exceeded.",
        does={},
    ),
    Case("signal", log="Container terminated on signal 6.", says=("6", "gave up")),
    Case(
        "instance-not-started",
        log="The request failed because the instance could not start successfully.",
    ),
    Case(
        "most-instances",
        log="The Cloud Run service probably has reached its maximum container instance limit. "
        "Consider increasing this limit.",
        says=("All 4 instances",),
        does={"max_instances": "5"},
    ),
    Case(
        "not-authenticated",
        log="The request was not authenticated. Either allow unauthenticated invocations or set "
        "the proper Authorization header.",
    ),
    Case(
        "answer-too-large",
        log="Response size was too large. Please consider reducing response size.",
    ),
]
