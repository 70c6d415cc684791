"""How far an organisation may shape its CRM, as `GET /v1/limits` tells."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from crm_api.flows.metadata.fields import MAX_FIELDS
from crm_api.flows.metadata.objects import MAX_OBJECTS
from crm_api.flows.metadata.properties import MAX_OPTIONS
from crm_api.flows.metadata.slots import limit_of
from crm_api.kernel.formula.graph import MAX_CHAIN
from crm_api.kernel.formula.parse import MAX_LENGTH, MAX_NESTING, MAX_PARTS
from crm_api.kernel.writes.recompute import MAX_DEPENDANTS
from crm_api.models import slots

METADATA_LIMITS: Final[Mapping[str, int]] = {
    "custom_objects": MAX_OBJECTS,
    "custom_fields_per_object": MAX_FIELDS,
    "options_per_field": MAX_OPTIONS,
    "formula_characters": MAX_LENGTH,
    "formula_parts": MAX_PARTS,
    "formula_nesting": MAX_NESTING,
    "formula_chain": MAX_CHAIN,
    "formula_dependants": MAX_DEPENDANTS,
    **{limit_of(kind): kind.count for kind in slots.KINDS},
}
