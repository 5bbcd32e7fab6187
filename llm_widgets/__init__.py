"""Cloud Run LLM Manager: import, deploy and use open LLMs on Google Cloud Run."""
