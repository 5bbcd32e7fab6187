"""The import as a whole: planned, started, carried out, watched, verified, removed."""
