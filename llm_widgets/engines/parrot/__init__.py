"""An engine that repeats what it is told."""
