"""All Google APIs of the local cloud, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from google.cloud import (
    artifactregistry_v1,
    billing_v1,
    cloudquotas_v1,
    iam_admin_v1,
    iam_credentials_v1,
    iap_v1,
    resourcemanager_v3,
    run_v2,
    scheduler_v1,
    secretmanager_v1,
    service_usage_v1,
    vpcaccess_v1,
)

from local_cloud.errors import Form
from local_cloud.google import (
    artifactregistry,
    billing,
    catalog,
    compute,
    compute_parts,
    iam,
    iap,
    logging,
    monitoring,
    projects,
    quotas,
    run_builds,
    run_locations,
    run_services,
    scheduler,
    scheduler_calls,
    secrets,
    service_identities,
    serviceusage,
    vpcaccess,
)
from local_cloud.google.gapic import Api, Endpoints
from local_cloud.google.operations import Operations
from local_cloud.google.quota_projects import QuotaProjects
from local_cloud.google.rates import Rates
from local_cloud.google.rest import Rest
from local_cloud.google.run_dependencies import Dependencies
from local_cloud.google.run_deployments import Deployments
from local_cloud.google.run_executions import Executions
from local_cloud.google.run_jobs import Jobs
from local_cloud.google.run_quotas import Limits
from local_cloud.google.run_revisions import Revisions
from local_cloud.issuer import Issuer

if TYPE_CHECKING:
    from local_cloud.access import Access
    from local_cloud.enablement import Enablement
    from local_cloud.faults import Faults
    from local_cloud.logs import LogBook
    from local_cloud.metrics import MetricBook
    from local_cloud.runner.runner import Runner
    from local_cloud.store import Store


class GoogleApis:
    """Serves the control plane.

    Parameters
    ----------
    store, faults, access, enablement
        What every API is made from.
    runner
        Runs what Cloud Run deploys.
    log, metrics
        Hold what it writes, and what is measured of it.
    url
        Where all of this is served: Cloud Scheduler calls it.

    Attributes
    ----------
    endpoints
        Every method, for gRPC.
    rest
        Has the route for HTTP.
    services, secrets, proxy, builds
        Asked by others: who may be called, what a container's variable holds, how people sign in,
        what an image is built from.

    """

    def __init__(
        self,
        store: Store,
        faults: Faults,
        access: Access,
        enablement: Enablement,
        *,
        runner: Runner,
        log: LogBook,
        metrics: MetricBook,
        url: str,
    ) -> None:
        quota_projects = QuotaProjects(access, enablement, faults)
        rates = Rates(store, faults)
        self.endpoints = Endpoints(access, enablement, quota_projects, rates)
        self.rest = Rest(self.endpoints, access)
        self._runner = runner
        self._operations = Operations(store, access)
        limits = Limits(store, faults)
        registry = artifactregistry.ArtifactRegistry(store, access, self._operations)
        dependencies = Dependencies(store, access, limits)
        self._serve_cloud_run(store, access, limits, dependencies, runner)
        self.builds = run_builds.Builds(
            store,
            access,
            enablement,
            self._operations,
            dependencies=dependencies,
            registry=registry,
        )
        self._register(
            Api(run_services.API, run_builds.rule, billed=True), run_v2.BuildsClient, self.builds
        )
        self._register(
            Api(artifactregistry.API, artifactregistry.rule, billed=True),
            artifactregistry_v1.ArtifactRegistryClient,
            registry,
        )
        self.proxy = iap.IdentityAwareProxy(store, access)
        self._register(
            Api(iap.API, iap.rule), iap_v1.IdentityAwareProxyAdminServiceClient, self.proxy
        )
        self._serve_projects(store, access, enablement, faults)
        self._serve_networks(store, access)
        self.secrets = secrets.Secrets(store, access)
        self._register(
            Api(secrets.API, secrets.rule, billed=True, denial=secrets.DENIAL),
            secretmanager_v1.SecretManagerServiceClient,
            self.secrets,
        )
        self._register(
            Api(quotas.API, quotas.rule),
            cloudquotas_v1.CloudQuotasClient,
            quotas.CloudQuotas(store, access, limits),
        )
        calls = scheduler_calls.Calls(Issuer(store), url)
        jobs = scheduler.CloudScheduler(store, access, faults, calls)
        self._schedule = jobs.times
        self._register(
            Api(scheduler.API, scheduler.rule, billed=True, denial=scheduler.DENIAL),
            scheduler_v1.CloudSchedulerClient,
            jobs,
        )
        self.endpoints.register(
            logging.API, logging.CLIENT, logging.Logging(log, access), http=logging.HTTP
        )
        self.endpoints.register(
            monitoring.API,
            monitoring.CLIENT,
            monitoring.Monitoring(metrics, access),
            http=monitoring.HTTP,
        )

    def start(self) -> None:
        """Go on with what was under way when the process ended."""
        self._runner.restore(self.services.ready())
        self._executions.resume()
        self._operations.resume()
        self._schedule.start()

    def stop(self) -> None:
        """Let go of what is under way: the next start goes on with it."""
        self._schedule.stop()
        self._operations.stop()
        self._executions.stop()

    def _register(self, api: Api, client: type, *services: object) -> None:
        self.endpoints.register(api, client, *services, self._operations)

    def _serve_cloud_run(
        self,
        store: Store,
        access: Access,
        limits: Limits,
        dependencies: Dependencies,
        runner: Runner,
    ) -> None:
        revisions = Revisions(store, access, self._operations)
        self.services = run_services.Services(
            store,
            access,
            self._operations,
            deployments=Deployments(
                store,
                access,
                self._operations,
                revisions=revisions,
                dependencies=dependencies,
                runner=runner,
            ),
            dependencies=dependencies,
            limits=limits,
        )
        self._executions = Executions(
            store, access, self._operations, dependencies=dependencies, runner=runner
        )
        jobs = Jobs(
            store,
            access,
            self._operations,
            executions=self._executions,
            dependencies=dependencies,
            limits=limits,
            runner=runner,
        )
        api = Api(run_services.API, run_services.rule, billed=True)
        self._register(api, run_v2.ServicesClient, self.services)
        self._register(api, run_v2.RevisionsClient, revisions)
        self._register(api, run_v2.JobsClient, jobs)
        self._register(api, run_v2.ExecutionsClient, self._executions)
        self._register(api, run_v2.TasksClient, self._executions)
        self.endpoints.serve(api, run_locations.list_locations(access))

    def _serve_projects(
        self, store: Store, access: Access, enablement: Enablement, faults: Faults
    ) -> None:
        self._register(
            Api(projects.API, projects.rule),
            resourcemanager_v3.ProjectsClient,
            projects.Projects(store, access, self._operations, faults),
        )
        self._register(
            Api(billing.API, billing.rule),
            billing_v1.CloudBillingClient,
            billing.Billing(store, access, enablement),
        )
        self._register(
            Api(billing.API, catalog.rule), billing_v1.CloudCatalogClient, catalog.Catalog()
        )
        self._register(
            Api(serviceusage.API, serviceusage.rule),
            service_usage_v1.ServiceUsageClient,
            serviceusage.ServiceUsage(store, access, enablement, self._operations),
        )
        self.endpoints.serve(
            Api(serviceusage.API, serviceusage.rule),
            service_identities.generate_service_identity(store, access, self._operations),
        )
        issuer = Issuer(store)
        self.endpoints.register(
            Api(iam.API, iam.rule, form=Form.BOTH),
            iam_admin_v1.IAMClient,
            iam.ServiceAccounts(store, access, issuer),
            http=iam.HTTP,
        )
        self._register(
            Api(iam.CREDENTIALS_API, iam.credentials_rule),
            iam_credentials_v1.IAMCredentialsClient,
            iam.Credentials(store, issuer),
        )

    def _serve_networks(self, store: Store, access: Access) -> None:
        self._register(
            Api(vpcaccess.API, vpcaccess.rule, billed=True),
            vpcaccess_v1.VpcAccessServiceClient,
            vpcaccess.Connectors(store, access, self._operations),
        )
        for client, collection, service in (
            (compute_parts.NetworksClient, "networks", compute.Networks(store, access)),
            (compute_parts.SubnetworksClient, "subnetworks", compute.Subnetworks(store, access)),
            (
                compute_parts.RegionOperationsClient,
                "regionOperations",
                compute.RegionOperations(store, access),
            ),
        ):
            api = Api(compute.API, compute.rule_for(collection), form=Form.OLD)
            self._register(api, client, service)
