"""A page for colleagues as commands of gcloud, and as Terraform: nothing is asked or changed."""

from __future__ import annotations

from llm_widgets.manager.hosting.deploy import STEPS
from llm_widgets.manager.hosting.plan import Page, Site

_NUMBER, _IMAGE = "PROJECT_NUMBER", "IMAGE_ADDRESS"
"""Stand in Terraform for what its expressions find out."""


def gcloud(page: Page) -> str:
    """Write every step as commands for a shell."""
    site = Site("$NUMBER", "$IMAGE")
    parts = [
        "set -eu",
        f"NUMBER=$(gcloud projects describe {page.project} --format='value(projectNumber)')",
    ]
    for each in STEPS:
        step = each(page, site)
        parts.append("\n".join([f"# {step.title}", *step.gcloud()]))
    return "\n\n".join(parts) + "\n"


def terraform(page: Page) -> str:
    """Write every step as resources."""
    site = Site(_NUMBER, _IMAGE)
    parts = [f'data "google_project" "page" {{\n  project_id = "{page.project}"\n}}']
    for each in STEPS:
        step = each(page, site)
        blocks = list(step.terraform())
        if blocks:
            parts.append("\n\n".join([f"# {step.title}", *blocks]))
    written = "\n\n".join(parts) + "\n"
    return written.replace(_NUMBER, "${data.google_project.page.number}").replace(
        f'"{_IMAGE}"', "var.image"
    )
