"""What vLLM does only where it is told to, by the words of errors about it.

Source: vLLM's page on the arguments of ``vllm serve``. An argument that every deployment has, or
that only sets a size, is none of these.
"""

from __future__ import annotations

import re

from llm_widgets.engines.base import Feature


def _feature(words: str, *arguments: str, variables: tuple[str, ...] = ()) -> Feature:
    return Feature(re.compile(words, re.IGNORECASE), arguments, variables)


FEATURES = (
    _feature(
        r"speculat|\bdraft|eagle|medusa|\bmtp\b|spec_decode|n_predict", "--speculative-config"
    ),
    _feature(
        r"kv.?connector|kv.?transfer|kv_role|\bnixl|lmcache|mooncake|\bucx\b",
        "--kv-transfer-config",
    ),
    _feature(
        r"mistral|tekken|params\.json",
        "--tokenizer-mode=mistral",
        "--config-format=mistral",
        "--load-format=mistral",
    ),
    _feature(
        r"quantiz|bitsandbytes|\bbnb\b|\bawq|gptq|marlin|compressed.?tensors|modelopt|fp8|gguf",
        "--quantization",
        "--load-format=bitsandbytes",
        "--load-format=gguf",
    ),
    _feature(
        r"\bray\b|placement group|ray_utils|no gpu available",
        "--distributed-executor-backend=ray",
    ),
    _feature(r"pipeline.?parallel|\bpp\b", "--pipeline-parallel-size"),
    _feature(r"data.?parallel|dp.?rank|\bdp\b", "--data-parallel-size"),
    _feature(
        r"expert.?parallel|\beplb\b|deepep|all2all|\bep\b",
        "--enable-expert-parallel",
        "--all2all-backend",
        "--enable-eplb",
    ),
    _feature(
        r"(?:kv|key).?cache.{0,40}(?:type|fp8|e4m3|e5m2|nvfp4|int8)|fp8.{0,20}kv",
        "--kv-cache-dtype",
    ),
    _feature(
        r"attention|flash.?attn|flashinfer|attn|\bmla\b|\bsinks?\b",
        "--attention-backend",
        "--mm-encoder-attn-backend",
        "--attention-config",
        variables=("VLLM_ATTENTION_BACKEND",),
    ),
    _feature(r"moe.?backend|fused.?moe|\bmoe\b", "--moe-backend"),
    _feature(
        r"cuda.?graph|inductor|torch.?compile|compilation", "--compilation-config", "-O", "-cc"
    ),
    _feature(r"prefix.?cach", "--enable-prefix-caching"),
    _feature(r"chunked.?prefill|partial.?prefill", "--enable-chunked-prefill"),
    _feature(r"async.{0,4}schedul", "--async-scheduling"),
    _feature(r"sleep|cumem", "--enable-sleep-mode"),
    _feature(r"offload|\buva\b|pinned? memory", "--cpu-offload-gb", "--kv-offloading-size"),
    _feature(r"\brope|yarn|mrope|hf.?overrid", "--hf-overrides", "--rope-scaling"),
    _feature(r"processor.{0,30}(?:kwarg|argument)|mm.?processor", "--mm-processor-kwargs"),
    _feature(
        r"limit.?mm|per.?prompt|multi.?modal|image|video|audio",
        "--limit-mm-per-prompt",
        "--mm-encoder-tp-mode",
    ),
    _feature(
        r"structured.?output|guided|xgrammar|outlines|guidance|lm-format-enforcer",
        "--structured-outputs-config",
        "--guided-decoding-backend",
    ),
    _feature(r"reasoning", "--reasoning-parser"),
    _feature(r"tool.{0,12}(?:pars|choice|call)", "--tool-call-parser", "--tool-parser-plugin"),
    _feature(r"chat.?template|jinja", "--chat-template"),
    _feature(r"otlp|opentelemetry|tracing", "--otlp-traces-endpoint"),
    _feature(r"\bssl|certificate|keyfile", "--ssl-keyfile", "--ssl-certfile"),
    _feature(r"generation.?config", "--generation-config", "--override-generation-config"),
    _feature(r"streamer|runai", "--load-format=runai_streamer", "--model-loader-extra-config"),
    _feature(r"tensoriz", "--load-format=tensorizer"),
    _feature(r"fastsafetensors", "--load-format=fastsafetensors"),
    _feature(r"shard(?:ed)?.?state", "--load-format=sharded_state"),
    _feature(r"block.?size", "--block-size"),
    _feature(r"pooling|pooler|embed|classif|runner", "--runner", "--task", "--convert"),
    _feature(r"model.?impl|transformers backend", "--model-impl"),
    _feature(r"\bdtype|bfloat16|float16|float32", "--dtype"),
    _feature(r"tokenizer", "--tokenizer", "--tokenizer-mode"),
    _feature(r"mamba|\bssm\b|state.?space", "--mamba-cache-mode", "--mamba-ssm-cache-dtype"),
)
"""Those about one thing come before those about what many errors name."""
