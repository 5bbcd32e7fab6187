"""The product's command line in a version that knows the shelf: what an image of it would hold."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from llm_widgets.cli.main import main
from llm_widgets.hubs import registry
from tests.third_hub.hub import Shelf

registry.HUBS = (*registry.HUBS, Shelf())
sys.exit(main())
