"""Serves the page: Voilà with our template, headers and kernel handling."""

import sys

# jsonschema would build a grammar of this package's at import, 1.5 of the 2 seconds that a start
# takes, for a check of addresses that no notebook is held to. Without it that check is left out.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type] # Python's way to say so
