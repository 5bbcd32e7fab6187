"""Moves the bytes of an import's files from their hub into a bucket, verified and resumable."""
