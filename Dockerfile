# The manager for Cloud Run: the page by default, and the worker of import jobs with
# `llm-widgets import-worker`.
FROM python:3.12-slim

ENV PYTHONDONTWRITEBYTECODE=0 PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 HF_HUB_DISABLE_TELEMETRY=1

WORKDIR /app
COPY requirements/base.txt requirements/
RUN pip install --no-deps -r requirements/base.txt && python -m compileall -q /usr/local/lib/python3.12/site-packages

COPY pyproject.toml README.md ./
COPY llm_widgets llm_widgets
COPY notebooks notebooks
RUN pip install hatchling editables && pip install --no-deps --no-build-isolation --editable . \
    && python -m compileall -q llm_widgets \
    && useradd --create-home manager
USER manager

# Cloud Run sets PORT.
ENTRYPOINT ["llm-widgets"]
CMD ["serve", "--host", "0.0.0.0"]
