"""``llm-widgets doctor --record``: what Google answers, as facts that name nobody."""
