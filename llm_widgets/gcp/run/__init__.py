"""Cloud Run: services, jobs, revisions, and calls of what is deployed."""
