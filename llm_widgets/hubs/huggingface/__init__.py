"""The Hugging Face Hub: repositories of files, one format of which vLLM loads."""
