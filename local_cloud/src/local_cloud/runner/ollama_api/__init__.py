"""The Ollama API on llama.cpp, for machines without Ollama.

A process of its own: ``python -m local_cloud.runner.ollama_api``. It reads the folder
OLLAMA_MODELS as Ollama does and answers what clients ask of a server that is deployed: listing,
showing and loading models, generating and chatting, and the OpenAI endpoints. Models are not
pulled, pushed or created with it, and it has neither tools, images nor embeddings of its own.
"""
