"""Settings of a bucket that matter to models: what each means for imports, services and costs."""

from __future__ import annotations

from dataclasses import dataclass

from llm_widgets.domain.units import bytes_text

_DAY = 24 * 3600  # seconds
_SLOW_CLASSES = {"NEARLINE": 30, "COLDLINE": 90, "ARCHIVE": 365}
"""Storage classes whose objects cost when they are read, with the days that are paid at least.
Source: https://cloud.google.com/storage/docs/storage-classes"""


@dataclass(frozen=True, slots=True)
class LifecycleRule:
    """What a bucket does to objects by itself.

    Attributes
    ----------
    days
        Age of the objects; ``None`` where another condition than their age names them.
    storage_class
        To which they are moved; empty where they are deleted.
    prefixes
        How their names begin; empty for all.
    """

    days: int | None
    storage_class: str = ""
    prefixes: tuple[str, ...] = ()

    @property
    def warning(self) -> str:
        """What it does to models, in a sentence; empty for nothing that matters."""
        begin = " or ".join(self.prefixes)
        which = f"objects whose names begin with {begin}" if begin else "objects"
        age = "that its conditions name" if self.days is None else f"after {_days(self.days)}"
        if not self.storage_class:
            return (
                f"A lifecycle rule deletes {which} {age}: models disappear then, and services "
                "that mount the bucket fail to start. Remove the rule, or use another bucket."
            )
        if self.storage_class in _SLOW_CLASSES:
            return (
                f"A lifecycle rule moves {which} {age} to {self.storage_class.title()}: every "
                "start of a service is billed for reading the model from then on."
            )
        return ""


@dataclass(frozen=True, slots=True)
class BucketSettings:
    """What a bucket was set to.

    Attributes
    ----------
    retention
        Seconds that every object is kept unchanged; 0 for none.
    holds
        Whether new objects are held until somebody releases them.
    kms_key
        Name of the Cloud KMS key that new objects are encrypted with; empty for Google's own.
    soft_delete
        Seconds that deleted objects are kept, and paid for; 0 for none.
    rules
        What the lifecycle does to objects that are in use.
    """

    retention: int = 0
    holds: bool = False
    kms_key: str = ""
    requester_pays: bool = False
    versioning: bool = False
    soft_delete: int = 0
    storage_class: str = "STANDARD"
    hierarchical: bool = False
    rules: tuple[LifecycleRule, ...] = ()

    @property
    def refusal(self) -> str:
        """Why no import into the bucket can end; empty where it can."""
        if self.retention:
            return (
                "The bucket's retention policy keeps every object unchanged for "
                f"{_span(self.retention)}; an import has to replace its list of models and "
                "delete parts of files."
            )
        if self.holds:
            return (
                "The bucket's default event-based hold keeps every new object; an import has "
                "to replace its list of models and delete parts of files."
            )
        return ""

    def warnings(self, size: int = 0) -> tuple[str, ...]:
        """Return what to know before a model is imported.

        Parameters
        ----------
        size
            Bytes of the model; 0 where it is not known.
        """
        told = []
        if self.kms_key:
            told.append(
                f"Objects are encrypted with the Cloud KMS key {self.kms_key}: the service agent "
                "of Cloud Storage must be allowed to use it, and a model can't be read while the "
                "key is disabled."
            )
        if self.requester_pays:
            told.append(
                "Requester Pays is on: reads without a project to bill are refused, and "
                "services send none. Turn Requester Pays off for this bucket."
            )
        parts = f"up to {bytes_text(size)} of parts" if size else "parts as large as the model"
        if self.versioning:
            told.append(f"Object Versioning is on: {parts} and deleted models are kept and billed.")
        if self.soft_delete:
            told.append(
                f"Soft delete is on: {parts} and deleted models are billed for "
                f"{_span(self.soft_delete)} longer."
            )
        if days := _SLOW_CLASSES.get(self.storage_class):
            told.append(
                f"The default storage class is {self.storage_class.title()}: every start of "
                f"a service is billed for reading the model, and every object for {days} days or "
                "more. Use a bucket of the Standard class."
            )
        if self.hierarchical:
            told.append(
                "The bucket has a hierarchical namespace: folders stay when a model is deleted."
            )
        told.extend(filter(None, (rule.warning for rule in self.rules)))
        return tuple(told)

    @property
    def effects(self) -> tuple[str, ...]:
        """What deleting something saves, and when, in sentences."""
        told = []
        if self.retention:
            told.append(
                "The bucket's retention policy refuses to delete an object before it is "
                f"{_span(self.retention)} old."
            )
        if self.versioning:
            told.append(
                "Object Versioning is on: deleted objects stay as noncurrent versions and are "
                "billed until these are deleted too."
            )
        if self.soft_delete:
            told.append(
                f"Soft delete is on: what is deleted is billed for {_span(self.soft_delete)} "
                "longer."
            )
        if days := _SLOW_CLASSES.get(self.storage_class):
            told.append(
                f"The default storage class is {self.storage_class.title()}: what is deleted "
                f"earlier is billed for {days} days all the same."
            )
        return tuple(told) or ("What is deleted is no longer billed.",)


def _span(seconds: int) -> str:
    days = seconds / _DAY
    return _days(round(days)) if days >= 1 else f"{seconds} seconds"


def _days(days: int) -> str:
    return f"{days} day{'' if days == 1 else 's'}"
