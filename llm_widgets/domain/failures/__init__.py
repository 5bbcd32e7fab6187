"""Failures: what is known of them and of the deployment, and what can be done."""
