"""What tests against a local cloud have in common, of this package and of others."""
