"""Revisions and tasks of jobs as processes of this machine."""
