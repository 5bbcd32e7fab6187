"""What Ollama tells in its log of the phases of its start.

Sources: ``server/routes.go``, ``discover/types.go``, ``llm/server.go`` and ``ml/device.go`` of
Ollama 0.6 to 0.24.
"""

from __future__ import annotations

import re

from llm_widgets.domain.starts import WEIGHTS, Mark

MARKS = (
    Mark("Server start", re.compile(r'msg="Listening on ')),
    Mark("Search for GPUs", re.compile(r'msg="inference compute"')),
    Mark("Model file", re.compile(r'msg="starting (?:llama server|runner)".{1,400}--model')),
    Mark(
        WEIGHTS,
        re.compile(
            r'msg="model weights" device="?\w{1,16}"? '
            r'size="(?P<size>\d{1,5}(?:\.\d{1,2})?) (?P<unit>B|KiB|MiB|GiB)"'
        ),
    ),
    Mark(
        WEIGHTS,
        re.compile(
            r" model buffer size = {1,8}(?P<size>\d{1,7}(?:\.\d{1,2})?) (?P<unit>B|KiB|MiB|GiB)"
        ),
    ),
    Mark(
        WEIGHTS,
        re.compile(r"llama runner started in (?P<seconds>\d{1,6}(?:\.\d{1,3})?) seconds"),
        ready=True,
    ),
)
