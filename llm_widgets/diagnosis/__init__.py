"""Why a deployment fails: its messages and log become a cause, the proof and what to do."""

from llm_widgets.diagnosis.apply_remedy import changed, choices
from llm_widgets.diagnosis.diagnose import Diagnosis, Proof, diagnose, explain, unknown
from llm_widgets.diagnosis.evidence import Evidence, LogLine
from llm_widgets.domain.failures.context import Context
from llm_widgets.domain.failures.known_failure import Confidence, Place, Rank
from llm_widgets.domain.failures.remedies import Remedy, RemedyKind

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
