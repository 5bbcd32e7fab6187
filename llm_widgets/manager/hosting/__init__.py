"""The manager as a page for colleagues: a service on Cloud Run behind Identity-Aware Proxy."""
