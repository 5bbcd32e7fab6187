"""vLLM: serves models of safetensors files from a folder of the bucket."""
