"""HTTP exchanges: with limits, redirects that are checked, and no credentials but those given."""
