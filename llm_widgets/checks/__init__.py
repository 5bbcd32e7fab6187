"""The checks behind the checklist; the page and ``llm-widgets doctor`` run the same ones.

Each asks Google Cloud about one thing and answers in a row, see
:mod:`llm_widgets.domain.checklist`. No widgets here, and nothing is changed:
:mod:`llm_widgets.checks.remedies` does that.
"""
