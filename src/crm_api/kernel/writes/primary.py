"""A reference field that mirrors the primary edge of a many-to-many relation (`contacts.account_id`).

Writing the field replaces the primary edge: the one before goes, unless it says more than that it was primary (roles); then it
stays as an ordinary one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

from crm_api.kernel.context import Context
from crm_api.kernel.resource import Draft, ManyToMany
from crm_api.kernel.writes import edges
from crm_api.kernel.writes.edges import Edge
from crm_api.kernel.writes.shape import Shape


async def sync_primary_links(context: Context, shape: Shape, drafts: Sequence[Draft]) -> None:
    """Makes the primary edges follow the fields that these writes changed."""
    for link, column, changed in _changed(shape, drafts):
        await _follow(context, shape, link, column, changed)


def changes_links(shape: Shape, drafts: Sequence[Draft]) -> bool:
    """Whether there will be edges to write once these drafts are stored."""
    return bool(_changed(shape, drafts))


def _changed(shape: Shape, drafts: Sequence[Draft]) -> list[tuple[ManyToMany, str, list[Draft]]]:
    found = []
    for link in shape.resource.links:
        if link.primary_field is None:
            continue
        column = shape.resource.fields[link.primary_field].column
        changed = [draft for draft in drafts if (None if draft.old is None else draft.old[column]) != draft.new[column]]
        if changed:
            found.append((link, column, changed))
    return found


async def _follow(context: Context, shape: Shape, link: ManyToMany, column: str, drafts: Sequence[Draft]) -> None:
    name = f"{shape.resource.name}.{link.name}"
    stored: defaultdict[UUID, dict[UUID, Edge]] = defaultdict(dict)
    for edge in await edges.of_sources(context, name, [draft.id for draft in drafts if draft.old is not None]):
        stored[edge.from_id][edge.to_id] = edge
    plain = link.attributes().model_dump(mode="json")
    new: list[Edge] = []
    changed: list[tuple[Edge, Edge]] = []
    removed: list[Edge] = []
    for draft in drafts:
        target: UUID | None = draft.new[column]
        for edge in stored[draft.id].values():
            if edge.to_id == target and not edge.is_primary:
                changed.append((edge, edge.with_attributes(context, {**edge.attributes, "is_primary": True})))
            elif edge.to_id != target and edge.is_primary:
                ordinary = {**edge.attributes, "is_primary": False}
                if ordinary == plain:
                    removed.append(edge)
                else:
                    changed.append((edge, edge.with_attributes(context, ordinary)))
        if target is not None and target not in stored[draft.id]:
            attributes = {**plain, "is_primary": True}
            new.append(edges.new_edge(context, name, shape.resource.name, draft.id, link.target, target, attributes))
    await edges.store(context, new=new, changed=changed, removed=removed)
