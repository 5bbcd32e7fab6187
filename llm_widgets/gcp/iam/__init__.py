"""IAM: policies, permissions, roles, service accounts."""
