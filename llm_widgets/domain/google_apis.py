"""Names of Google's APIs: each is the API's host, too."""

from __future__ import annotations

RUN = "run.googleapis.com"
STORAGE = "storage.googleapis.com"
IAM = "iam.googleapis.com"
IAM_CREDENTIALS = "iamcredentials.googleapis.com"
RESOURCE_MANAGER = "cloudresourcemanager.googleapis.com"
BILLING = "cloudbilling.googleapis.com"
VPC_ACCESS = "vpcaccess.googleapis.com"
COMPUTE = "compute.googleapis.com"
LOGGING = "logging.googleapis.com"
MONITORING = "monitoring.googleapis.com"
QUOTAS = "cloudquotas.googleapis.com"
SECRET_MANAGER = "secretmanager.googleapis.com"  # noqa: S105 - the name of an API
SCHEDULER = "cloudscheduler.googleapis.com"
SERVICE_USAGE = "serviceusage.googleapis.com"
IAP = "iap.googleapis.com"
ARTIFACT_REGISTRY = "artifactregistry.googleapis.com"
CLOUD_BUILD = "cloudbuild.googleapis.com"
