"""Google Cloud: one module for each API. Functions take clients; nothing is imported to draw."""
