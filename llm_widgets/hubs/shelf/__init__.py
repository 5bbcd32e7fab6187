"""Models on a shelf."""
