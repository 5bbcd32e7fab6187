"""The Services tab."""
