"""What settings of a bucket mean for the models in it."""

from __future__ import annotations

import pytest

from llm_widgets.domain.bucket_settings import BucketSettings, LifecycleRule


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (BucketSettings(kms_key="projects/p/locations/l/keyRings/r/cryptoKeys/k"), "key projects/"),
        (BucketSettings(requester_pays=True), "Requester Pays is on"),
        (BucketSettings(versioning=True), "up to 5 GB of parts and deleted models are kept"),
        (
            BucketSettings(soft_delete=604800),
            "up to 5 GB of parts and deleted models are billed for 7 days",
        ),
        (BucketSettings(storage_class="ARCHIVE"), "for 365 days"),
        (BucketSettings(storage_class="COLDLINE"), "for 90 days"),
        (BucketSettings(hierarchical=True), "hierarchical namespace"),
        (BucketSettings(rules=(LifecycleRule(30),)), "deletes objects after 30 days: models"),
        (
            BucketSettings(rules=(LifecycleRule(1, prefixes=("ollama/",)),)),
            "begin with ollama/ after 1 day:",
        ),
        (BucketSettings(rules=(LifecycleRule(None),)), "deletes objects that its conditions name"),
        (BucketSettings(rules=(LifecycleRule(90, "ARCHIVE"),)), "after 90 days to Archive"),
    ],
)
def test_each_setting_is_told(settings: BucketSettings, said: str) -> None:
    (warning,) = settings.warnings(5_000_000_000)
    assert said in warning
    assert settings.refusal == ""


def test_what_lets_no_import_end_is_refused() -> None:
    assert "for 10 days" in BucketSettings(retention=864000).refusal
    assert "for 60 seconds" in BucketSettings(retention=60).refusal
    assert "event-based hold" in BucketSettings(holds=True).refusal
    assert BucketSettings().warnings() == ()
    assert BucketSettings(rules=(LifecycleRule(30, "STANDARD"),)).warnings() == ()
