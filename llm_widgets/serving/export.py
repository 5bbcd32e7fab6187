"""The request of a deployment in the languages that people keep such things in."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from llm_widgets.serving import (
    codec,
    export_gcloud,
    export_python,
    export_terraform,
    export_yaml,
)

if TYPE_CHECKING:
    from llm_widgets.domain.services import Deployment


class Language(StrEnum):
    """What a request can be written in, in words that the page shows."""

    YAML = "YAML"
    GCLOUD = "gcloud"
    TERRAFORM = "Terraform"
    PYTHON = "Python"


def written(deployment: Deployment, language: Language) -> str:
    """Write the request that deploys a model.

    The YAML is for ``gcloud run services replace``; Python and Terraform name the same fields as
    the request that the product sends itself.
    """
    writers = {
        Language.YAML: export_yaml.yaml_text,
        Language.GCLOUD: export_gcloud.gcloud_command,
        Language.TERRAFORM: export_terraform.terraform,
        Language.PYTHON: export_python.python_code,
    }
    return writers[language](codec.document(deployment))
