"""``python -m llm_widgets`` is the command line."""

from __future__ import annotations

import sys

from llm_widgets.cli.main import main

sys.exit(main())
