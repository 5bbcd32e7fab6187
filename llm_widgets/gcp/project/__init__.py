"""A project: which one, who pays, its APIs, quotas and networks."""
