"""Why a deployment fails: its messages and log become a cause, the proof and what to do."""

from llm_widgets.diagnosis.apply_remedy import changed, choices
from llm_widgets.diagnosis.context import Context
from llm_widgets.diagnosis.diagnose import Diagnosis, Proof, diagnose, explain, unknown
from llm_widgets.diagnosis.evidence import Evidence, LogLine, Place
from llm_widgets.diagnosis.failure import Confidence, Rank
from llm_widgets.diagnosis.remedies import Remedy, RemedyKind

__all__ = [
    "Confidence",
    "Context",
    "Diagnosis",
    "Evidence",
    "LogLine",
    "Place",
    "Proof",
    "Rank",
    "Remedy",
    "RemedyKind",
    "changed",
    "choices",
    "diagnose",
    "explain",
    "unknown",
]
