"""How Sphinx builds the documentation: ``make docs``."""

from __future__ import annotations

import os
import tomllib
import warnings
from pathlib import Path

_PROJECT = Path(__file__).parents[1] / "pyproject.toml"

project = "Cloud Run LLM Manager"
release = tomllib.loads(_PROJECT.read_text("utf-8"))["project"]["version"]

extensions = ["myst_parser", "numpydoc", "sphinx.ext.apidoc", "sphinx.ext.autodoc"]

# A page for each room, made from the docstrings of its modules. A name that a package passes on
# is described where it is defined. (apidoc_automodule_options has no effect on packages.)
apidoc_modules = [{"path": "../llm_widgets", "destination": "reference"}]
apidoc_module_first = True
os.environ["SPHINX_APIDOC_OPTIONS"] = "members,show-inheritance,ignore-module-all"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True
numpydoc_show_class_members = False  # autodoc shows them
# The docstring of msgspec.Struct, which our types inherit.
warnings.filterwarnings("ignore", "Unknown section Configuration", UserWarning)

# Names that docstrings refer to are looked up. Types of signatures are written as the source
# writes them, short: they are linked where only one module has such a name.
nitpicky = True
nitpick_ignore_regex = [
    (r"py:(class|obj|exc)", r"(?!llm_widgets\.).*|.*\._\w+(\.\w+)?|.*\.[A-Z](_co)?")
]
# Sphinx can't write the signature of a generic alias (`form_entry.Choice`), and says so.
suppress_warnings = ["autodoc", "ref.python"]

exclude_patterns = ["_build"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = project
html_show_sphinx = False
