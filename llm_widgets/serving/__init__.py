"""Recipes: a model and a person's choices become a service of Cloud Run."""

from llm_widgets.serving.recipes import defaults, with_concurrency

__all__ = ["defaults", "with_concurrency"]
