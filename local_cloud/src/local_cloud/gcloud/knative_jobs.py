"""Cloud Run jobs and executions as gcloud sees them, made from those of Admin v2."""

from __future__ import annotations

from google.cloud import run_v2

from local_cloud.gcloud.knative_services import LOCATION, checked, condition_of
from local_cloud.gcloud.knative_template import (
    Json,
    annotations_of,
    present,
    short,
    spec_of,
)

API = "run.googleapis.com/v1"
JOB = "run.googleapis.com/job"
CREATOR = "run.googleapis.com/creator"
MODIFIER = "run.googleapis.com/lastModifier"
UPDATED = "run.googleapis.com/lastUpdatedTime"


def job_of(fields: Json) -> Json:
    """Return the Knative view of a job."""
    job = checked(run_v2.Job, fields)
    latest = job.get("latestCreatedExecution", {})
    return {
        "apiVersion": API,
        "kind": "Job",
        "metadata": _metadata(job),
        "spec": {"template": {"metadata": {}, "spec": _execution_spec(job["template"])}},
        "status": present(
            {
                "observedGeneration": int(job.get("observedGeneration", 0)),
                "conditions": [condition_of(job["terminalCondition"])],
                "executionCount": job.get("executionCount"),
                "latestCreatedExecution": present(
                    {
                        "name": short(latest.get("name", "")),
                        "creationTimestamp": latest.get("createTime"),
                        "completionTimestamp": latest.get("completionTime"),
                    }
                ),
            }
        ),
    }


def execution_of(fields: Json) -> Json:
    """Return the Knative view of an execution."""
    execution = checked(run_v2.Execution, fields)
    metadata = _metadata(execution)
    metadata["labels"][JOB] = short(execution["job"])
    counts = ("runningCount", "succeededCount", "failedCount", "cancelledCount", "retriedCount")
    return {
        "apiVersion": API,
        "kind": "Execution",
        "metadata": metadata,
        "spec": _execution_spec(execution),
        "status": present(
            {
                "observedGeneration": int(execution.get("observedGeneration", 0)),
                "conditions": [condition_of(each) for each in execution.get("conditions", [])],
                "startTime": execution.get("startTime"),
                "completionTime": execution.get("completionTime"),
                "logUri": execution.get("logUri"),
                **{count: execution.get(count) for count in counts},
            }
        ),
    }


def _metadata(resource: Json) -> Json:
    parts = resource["name"].split("/")
    return {
        "name": parts[-1],
        "namespace": parts[1],
        "uid": resource["uid"],
        "generation": int(resource["generation"]),
        "creationTimestamp": resource["createTime"],
        "labels": {
            **resource.get("labels", {}),
            LOCATION: parts[3],
            UPDATED: resource["updateTime"],
        },
        "annotations": present(
            {CREATOR: resource.get("creator"), MODIFIER: resource.get("lastModifier")}
        ),
    }


def _execution_spec(execution: Json) -> Json:
    task = execution["template"]
    return {
        "taskCount": execution.get("taskCount", 1),
        "parallelism": execution.get("parallelism", 0),
        "template": {
            "metadata": present({"annotations": annotations_of(task)}),
            "spec": spec_of(task),
        },
    }
