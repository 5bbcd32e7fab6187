"""The server of llama.cpp: GGUF files, served to few people at once, without a copy of them."""
