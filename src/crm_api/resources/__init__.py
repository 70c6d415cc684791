"""The objects of the API, one folder each. They never import each other; what spans them lives in `flows`."""

from crm_api.kernel.resource import AnyResource
from crm_api.resources.accounts import accounts
from crm_api.resources.case_comments import case_comments
from crm_api.resources.cases import cases
from crm_api.resources.connections import connections
from crm_api.resources.consents import consents
from crm_api.resources.contact_roles import contact_roles
from crm_api.resources.contacts import contacts
from crm_api.resources.custom_links import custom_links
from crm_api.resources.deals import deals
from crm_api.resources.exchange_rates import exchange_rates
from crm_api.resources.layouts import layouts
from crm_api.resources.lead_statuses import lead_statuses
from crm_api.resources.leads import leads
from crm_api.resources.lifecycle_stages import lifecycle_stages
from crm_api.resources.navigation_menus import navigation_menus
from crm_api.resources.notes import notes
from crm_api.resources.pipelines import pipelines
from crm_api.resources.profiles import profiles
from crm_api.resources.restriction_rules import restriction_rules
from crm_api.resources.retention_policies import retention_policies
from crm_api.resources.roles import roles
from crm_api.resources.segments import segments
from crm_api.resources.sharing_rules import sharing_rules
from crm_api.resources.stages import stages
from crm_api.resources.tasks import tasks
from crm_api.resources.teams import teams
from crm_api.resources.territories import territories
from crm_api.resources.themes import themes
from crm_api.resources.users import users
from crm_api.resources.views import views
from crm_api.resources.webhook_endpoints import webhook_endpoints
from crm_api.resources.widgets import widgets

RESOURCES: tuple[AnyResource, ...] = (
    accounts,
    contacts,
    leads,
    deals,
    pipelines,
    stages,
    cases,
    case_comments,
    tasks,
    notes,
    lead_statuses,
    lifecycle_stages,
    contact_roles,
    exchange_rates,
    connections,
    webhook_endpoints,
    views,
    layouts,
    navigation_menus,
    themes,
    widgets,
    custom_links,
    segments,
    consents,
    retention_policies,
    users,
    profiles,
    roles,
    teams,
    sharing_rules,
    restriction_rules,
    territories,
)

__all__ = ["RESOURCES"]
