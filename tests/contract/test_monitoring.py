"""Cloud Monitoring with Google's client, and what the product's charts make of it."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import grpc
import pytest
import requests
from google.api.metric_pb2 import MetricDescriptor
from google.api_core import exceptions
from google.auth.transport.requests import Request
from google.cloud import monitoring_v3
from google.oauth2 import service_account

from llm_widgets.errors import ApiDisabledError, DeniedError
from llm_widgets.gcp.auth import id_tokens
from llm_widgets.gcp.observe import metrics
from llm_widgets.gcp.project.projects import Project
from llm_widgets.gcp.run import services
from llm_widgets.page.services.metrics_card import MetricsCard
from llm_widgets.page.services.service_metrics import ServiceMetricsState
from llm_widgets.page.session import Session
from local_cloud.runner.entries import Journal
from local_cloud.runner.meter import Meter
from local_cloud.testing.waiting import until
from tests.contract.engine import ENGINE, deploy, service
from tests.contract.product import PARENT, PROJECT, REGION, Product, running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local_cloud.cloud import LocalCloud

NOON = 1_800_000_000  # a whole minute
COUNT = "run.googleapis.com/request_count"
LATENCY = "run.googleapis.com/request_latencies"
INSTANCES = "run.googleapis.com/container/instance_count"
GPU = "run.googleapis.com/container/gpu/memory_utilizations"


class Monitoring:
    """Google's client with a token, and the parameters that the tests have in common."""

    def __init__(self, cloud: LocalCloud) -> None:
        credentials = service_account.Credentials.from_service_account_file(
            cloud.credentials, scopes=["https://www.googleapis.com/auth/cloud-platform"]
        )
        credentials.refresh(Request())
        self._metadata = [("authorization", f"Bearer {credentials.token}")]
        channel = grpc.insecure_channel(cloud.grpc_address)
        transport = monitoring_v3.MetricServiceClient.get_transport_class("grpc")(channel=channel)
        self.client = monitoring_v3.MetricServiceClient(transport=transport)

    def pages(self, filter_: str, **options: Any) -> Any:
        """Ask for an hour from noon on."""
        request = {
            "name": f"projects/{PROJECT}",
            "filter": filter_,
            "interval": {"start_time": {"seconds": NOON}, "end_time": {"seconds": NOON + 3600}},
            **options,
        }
        return self.client.list_time_series(request=request, metadata=self._metadata)

    def find(self, filter_: str, aligner: str = "", reducer: str = "", **more: Any) -> list[Any]:
        """Ask, with an aggregation over ten minutes if there is an aligner."""
        aggregation: dict[str, Any] = {"alignment_period": {"seconds": 600}, **more}
        if aligner:
            aggregation["per_series_aligner"] = f"ALIGN_{aligner}"
        if reducer:
            aggregation["cross_series_reducer"] = f"REDUCE_{reducer}"
        options = {"aggregation": aggregation} if aligner or more or reducer else {}
        return list(self.pages(filter_, **options))


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with pytest.MonkeyPatch.context() as environment:
        for product in running(tmp_path_factory.mktemp("monitoring"), environment):
            for name in ("one", "two"):
                journal = Journal.of_revision(
                    product.cloud.log, f"{PARENT}/services/{name}/revisions/{name}-00001-abc"
                )
                record(product, journal.resource, 1 if name == "one" else 10)
            yield product


def record(product: Product, resource: Any, factor: int) -> None:
    """Write down an hour: some requests of each class, an instance that falls asleep."""
    book = product.cloud.metrics
    for minute in range(0, 60, 2):
        at = NOON + 60 * minute + 30
        for code, count in (("200", 3), ("500", 1)):
            labels = {"response_code": code, "response_code_class": f"{code[0]}xx"}
            book.record(COUNT, count * factor, resource, labels, at=at)
            for milliseconds in (100, 200, 400):
                book.record(LATENCY, milliseconds * factor, resource, labels, at=at)
        for state, number in (("active", minute < 30), ("idle", minute >= 30)):
            book.record(INSTANCES, number, resource, {"state": state}, at=at)


@pytest.fixture
def product(started: Product) -> Iterator[Product]:
    yield started
    started.faults.reset()


@pytest.fixture
def monitoring(product: Product) -> Monitoring:
    return Monitoring(product.cloud)


def values(series: Any) -> list[float]:
    """Numbers of a series, the oldest first."""
    return [point.value.int64_value or point.value.double_value for point in series.points][::-1]


def kinds(series: Any) -> tuple[str, str]:
    kind = MetricDescriptor.MetricKind.Name(series.metric_kind)
    return kind, MetricDescriptor.ValueType.Name(series.value_type)


def of(metric: str, rest: str = 'resource.labels.service_name="one"') -> str:
    return f'metric.type = "{metric}" AND {rest}'


def test_points_are_given_as_they_were_measured(monitoring: Monitoring) -> None:
    found = monitoring.find(of(COUNT))
    assert [dict(each.metric.labels)["response_code"] for each in found] == ["200", "500"]
    assert {each.resource.labels["location"] for each in found} == {REGION}
    first = found[0]
    assert kinds(first) == ("DELTA", "INT64")
    assert values(first) == [3.0] * 30
    newest, before = first.points[0].interval, first.points[1].interval
    assert newest.end_time > before.end_time > before.start_time
    (latency,) = monitoring.find(
        of(LATENCY, 'resource.labels.service_name="two" AND metric.labels.response_code="500"')
    )
    distribution = latency.points[0].value.distribution_value
    assert (distribution.count, round(distribution.mean)) == (3, 2333)
    assert (
        len(distribution.bucket_counts)
        == len(distribution.bucket_options.explicit_buckets.bounds) + 1
    )
    assert sum(distribution.bucket_counts) == 3


@pytest.mark.parametrize(
    ("rest", "count"),
    [
        ('resource.type="cloud_run_revision"', 4),
        ('resource.type="cloud_run_job"', 0),
        ('resource.label.service_name="one" AND metric.label.response_code_class != "2xx"', 1),
        ('resource.labels.service_name = one_of("one", "three")', 2),
        ('resource.labels.revision_name = starts_with("tw")', 2),
        ('resource.labels.revision_name != ends_with("-abc")', 0),
        ('metric.labels.response_code = monitoring.regex.full_match("2..")', 2),
        ('metric.labels.response_code : "0"', 4),
        ('NOT (resource.labels.service_name="one" OR metric.labels.response_code="500")', 1),
        (f'project = "{PROJECT}"', 4),
    ],
)
def test_filters(monitoring: Monitoring, rest: str, count: int) -> None:
    assert len(monitoring.find(of(COUNT, rest))) == count


def test_alignment_and_reduction(monitoring: Monitoring) -> None:
    (counted,) = monitoring.find(of(COUNT), "DELTA", "SUM")
    assert values(counted) == [20.0] * 6
    ends = [point.interval.end_time.timestamp() for point in counted.points]
    assert ends == [NOON + 3600 - 600 * number for number in range(6)]
    (rate,) = monitoring.find(of(COUNT), "RATE", "SUM")
    assert values(rate) == pytest.approx([20 / 600] * 6)
    assert kinds(rate) == ("GAUGE", "DOUBLE")
    by_service = monitoring.find(
        of(COUNT, 'project="local-project"'),
        "DELTA",
        "SUM",
        group_by_fields=["resource.labels.service_name"],
    )
    found = {each.resource.labels["service_name"]: values(each)[0] for each in by_service}
    assert found == {"one": 20.0, "two": 200.0}
    median, slow = (
        monitoring.find(of(LATENCY), "DELTA", f"PERCENTILE_{share}")[0] for share in (50, 95)
    )
    assert values(median) == pytest.approx([200.0] * 6, rel=0.1)
    assert values(slow) == pytest.approx([400.0] * 6, rel=0.1)
    aligned = monitoring.find(of(LATENCY), "PERCENTILE_95", "MAX")[0]
    assert values(aligned) == pytest.approx([400.0] * 6, rel=0.1)
    (mean,) = monitoring.find(of(LATENCY), "DELTA", "MEAN")
    assert values(mean) == pytest.approx([700 / 3] * 6)
    (count,) = monitoring.find(of(INSTANCES), "MAX", "SUM")
    assert values(count) == [1.0] * 6


def test_pages_count_points(monitoring: Monitoring) -> None:
    whole = [(dict(each.metric.labels), values(each)) for each in monitoring.find(of(COUNT))]
    pages = list(monitoring.pages(of(COUNT), page_size=25).pages)
    assert [sum(len(each.points) for each in page.time_series) for page in pages] == [25, 25, 10]
    assert sum(len(values(each)) for page in pages for each in page.time_series) == 60
    assert len(whole) == 2
    headers = list(monitoring.pages(of(COUNT), view="HEADERS"))
    assert [len(each.points) for each in headers] == [0, 0]
    assert not list(monitoring.pages(of(GPU)))  # known, and never measured on this machine


@pytest.mark.parametrize(
    ("filter_", "options", "message"),
    [
        ('resource.labels.service_name="one"', {}, "must specify a single metric type"),
        (f'metric.type="{COUNT}" AND', {}, "syntax error at line 1"),
        (of(COUNT, 'metric.kind="x"'), {}, "is not a field of a time series"),
        (of(COUNT, 'metric.labels.a=lower("x")'), {}, "'lower' is not known"),
        (of(COUNT, 'metric.labels.a=monitoring.regex.full_match("(")'), {}, "invalid regular"),
        (of(COUNT), {"order_by": "x"}, "orderBy must be empty"),
        (of(COUNT), {"page_token": "x"}, "pageToken had an invalid value"),
        (of(COUNT), {"interval": {}}, "the end time is required"),
        (
            of(COUNT),
            {"aggregation": {"per_series_aligner": "ALIGN_DELTA"}},
            "at least 60 seconds",
        ),
        (
            of(COUNT),
            {"aggregation": {"cross_series_reducer": "REDUCE_SUM"}},
            "perSeriesAligner had an invalid value: it is required",
        ),
        (
            of(COUNT),
            {
                "aggregation": {
                    "per_series_aligner": "ALIGN_MAX",
                    "alignment_period": {"seconds": 60},
                }
            },
            "ALIGN_MAX cannot be applied to metrics with kind DELTA and value type INT64",
        ),
    ],
)
def test_what_makes_no_sense(
    monitoring: Monitoring, filter_: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(exceptions.InvalidArgument, match=message):
        list(monitoring.pages(filter_, **options))


def test_a_metric_that_nobody_knows(monitoring: Monitoring) -> None:
    with pytest.raises(exceptions.NotFound, match="Cannot find metric"):
        monitoring.find(of("run.googleapis.com/nonsense"))


def test_who_may_not_read(product: Product, monitoring: Monitoring) -> None:
    product.faults.update(denied_permissions=["monitoring.timeSeries.list"])
    with pytest.raises(exceptions.PermissionDenied, match=r"monitoring\.timeSeries\.list"):
        monitoring.find(of(COUNT))
    product.faults.update(denied_permissions=[], disabled_apis=["monitoring.googleapis.com"])
    with pytest.raises(exceptions.PermissionDenied, match="Cloud Monitoring API has not been used"):
        monitoring.find(of(COUNT))


@pytest.fixture
def state(product: Product) -> Iterator[ServiceMetricsState]:
    session = Session(product.settings)
    session.project = Project(PROJECT, "1", PROJECT)
    yield ServiceMetricsState(session, f"{PARENT}/services/engine")
    session.close()


def read(state: ServiceMetricsState) -> None:
    state.refresh()
    until(lambda: not state.loading)


def charts(state: ServiceMetricsState) -> dict[str, list[float]]:
    return {each.label: [value for _, value in each.points] for each in state.usage.series}


def test_the_charts_of_a_service(product: Product, state: ServiceMetricsState) -> None:
    card = MetricsCard(state)
    read(state)
    assert state.error is None
    assert not any(charts(state).values())
    deploy(product, "engine", service(ENGINE))
    url = services.get(product.clients, f"{PARENT}/services/engine").uri
    token = id_tokens.of(product.clients).token(url)
    for _ in range(3):
        requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=60)

    def all_are_there() -> bool:
        read(state)
        shown = charts(state)
        return all(shown[each] for each in shown if not each.startswith("GPU"))

    until(all_are_there)
    shown = charts(state)
    assert sum(shown["Requests"]) == 3
    assert 0 < shown["Latency, median"][-1] <= shown["Latency, 95th percentile"][-1] < 60
    assert set(shown["Instances"]) == {1.0}
    assert 0 < shown["Memory"][-1] < 100
    assert shown["CPU"][-1] >= 0
    assert shown["GPU"] == shown["GPU memory"] == []  # there is none here to be measured
    assert 0 < shown["Startup latency, 95th percentile"][-1] < 60
    assert sum(shown["Billable instance time"]) > 0
    assert [chart.label for chart in card._charts.children] == list(shown)
    assert "Unavailable" not in card._source.value


def test_what_a_gpu_has_is_shown_as_a_share(product: Product, state: ServiceMetricsState) -> None:
    revision = f"{PARENT}/services/engine/revisions/engine-00009-abc"
    resource = Journal.of_revision(product.cloud.log, revision).resource
    product.cloud.metrics.record(GPU, 0.42, resource)
    read(state)
    assert charts(state)["GPU memory"] == pytest.approx([42], abs=1)


def test_periods_without_a_request_are_zero(product: Product) -> None:
    revision = f"{PARENT}/services/quiet/revisions/quiet-00001-abc"
    meter = Meter(product.cloud.metrics, Journal.of_revision(product.cloud.log, revision).resource)
    begun = datetime.now(UTC)
    meter.request(200, 0.1)
    counted = metrics.usage(product.clients, f"{PARENT}/services/quiet").series[0]
    assert sum(value for _, value in counted.points) == 1
    times = [moment for moment, _ in counted.points]
    assert {after - before for before, after in pairwise(times[:-1])} == {metrics.PERIOD}
    assert times[-2] >= begun - metrics.LATENESS - metrics.PERIOD
    assert len(times) > 50


def test_a_longer_time_has_fewer_points_and_loses_no_spike(product: Product) -> None:
    revision = f"{PARENT}/services/spiky/revisions/spiky-00001-abc"
    resource = Journal.of_revision(product.cloud.log, revision).resource
    now = datetime.now(UTC).timestamp()
    for minute in range(0, 23 * 60, 5):
        at = now - 60 * minute
        product.cloud.metrics.record(COUNT, 2, resource, {"response_code": "200"}, at=at)
        product.cloud.metrics.record(GPU, 0.97 if minute == 605 else 0.1, resource, at=at)
    day = 24 * 60
    used = metrics.usage(product.clients, f"{PARENT}/services/spiky", minutes=day).series
    found = {each.label: [value for _, value in each.points] for each in used}
    assert sum(found["Requests"]) == 2 * 23 * 12
    assert all(len(each) <= metrics.MOST_POINTS + 1 for each in found.values())
    assert max(found["GPU memory"]) == pytest.approx(97, abs=2)


def test_charts_that_may_not_be_seen(product: Product, state: ServiceMetricsState) -> None:
    card = MetricsCard(state)
    product.faults.update(denied_permissions=["monitoring.timeSeries.list"])
    read(state)
    assert isinstance(state.error, DeniedError)
    assert "monitoring.timeSeries.list" in str(state.error.cause)
    assert state.error.fix
    assert "roles/monitoring.viewer" in state.error.fix.command
    assert state.error.message in card._error.text
    product.faults.update(denied_permissions=[], disabled_apis=["monitoring.googleapis.com"])
    read(state)
    assert isinstance(state.error, ApiDisabledError)
    assert "monitoring.googleapis.com" in str(state.error.fix)
    product.faults.reset()
    read(state)
    assert state.error is None
