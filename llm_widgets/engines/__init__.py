"""Engines: what serves a model. One folder for each; `registry` has a line for each."""
