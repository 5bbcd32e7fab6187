# The manager for Cloud Run: the page by default, and the worker of import jobs with the
# arguments `import-worker …`.
FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 HF_HUB_DISABLE_TELEMETRY=1 PYTHONPATH=/app

WORKDIR /app
COPY requirements/base.txt requirements/
RUN pip install --no-deps -r requirements/base.txt
COPY llm_widgets llm_widgets
COPY notebooks notebooks
RUN python -m compileall -q llm_widgets && useradd --create-home manager
USER manager

# Cloud Run sets PORT.
ENTRYPOINT ["python", "-m", "llm_widgets"]
CMD ["serve", "--host", "0.0.0.0"]
