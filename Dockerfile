# The manager for Cloud Run: the page by default, and the worker of import jobs with the
# arguments `import-worker …`.
# The digest of the list for all platforms. That of a newer tag:
#   docker buildx imagetools inspect python:3.12-slim
FROM python:3.12.15-slim@sha256:a6e34c598f2467ed0e9a8d349809fcd8b5c603269512df273a0bb1784edc11b1

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 HF_HUB_DISABLE_TELEMETRY=1 PYTHONPATH=/app

WORKDIR /app
COPY requirements/page.txt requirements/
RUN pip install --require-hashes --no-deps -r requirements/page.txt
COPY llm_widgets llm_widgets
COPY notebooks notebooks
RUN python -m compileall -q llm_widgets && useradd --create-home manager
USER manager

# Cloud Run sets PORT.
ENTRYPOINT ["python", "-m", "llm_widgets"]
CMD ["serve", "--host", "0.0.0.0"]
