"""Cloud Logging and Cloud Monitoring."""
