"""The one way in which records change: creates, updates, deletes, restores and upserts, each for any number of records at once.

A call costs a handful of statements however many records it carries: what the values refer to, the lock, the write, and what
the resource's rules ask. Events are collected and written when the transaction commits. Nothing here commits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from crm_api.core.errors import Duplicate, NotFound
from crm_api.kernel import events
from crm_api.kernel.access.rights import FULL, READ, WRITE
from crm_api.kernel.context import Context
from crm_api.kernel.resource import AnyResource, Draft, Rules
from crm_api.kernel.tombstones import absent
from crm_api.kernel.writes import in_the_way, recompute, removal
from crm_api.kernel.writes import upsert as upserts
from crm_api.kernel.writes.computed import computations_of
from crm_api.kernel.writes.held import hold_parents
from crm_api.kernel.writes.locked import check_versions, fill_unchanged, lock, out_of_reach, records, refuse_transfers, unavailable
from crm_api.kernel.writes.prepare import apply_patches, finish_new, give, new_works, refuse_repeated, run_rules
from crm_api.kernel.writes.primary import changes_links, sync_primary_links
from crm_api.kernel.writes.shape import Shape, shape_of
from crm_api.kernel.writes.store import store_changes, store_new
from crm_api.kernel.writes.types import DEFAULTS, Outcome, Patch, Target, Work, WriteOptions, check, outcomes

__all__ = ["DEFAULTS", "Outcome", "Patch", "Target", "WriteOptions", "Writer"]


class Writer:
    """Stateless; one for the process."""

    async def create(
        self, context: Context, resource: AnyResource, bodies: Sequence[Any], *, options: WriteOptions = DEFAULTS
    ) -> list[Outcome]:
        """Makes records from bodies. A body may carry an id of its own (UUIDv7); one that exists is a `duplicate`.

        Raises the first failing item's problem if `options.atomic`.
        """
        shape = shape_of(context, resource)
        works = new_works(context, shape, resource, enumerate(bodies))
        refuse_repeated(works)
        await self._create(context, shape, works, options)
        return outcomes(works)

    async def _create(self, context: Context, shape: Shape, works: list[Work], options: WriteOptions) -> None:
        good = check(works, options)
        if not good:
            return
        await finish_new(context, shape, good)
        good = check(good, options)
        if not good:
            return
        await recompute.compute_own(context, shape, [work.draft for work in good])
        settled = self._settle(context, shape, good, options)
        await store_new(context, shape, good, settled)
        good = check(good, options)
        if settled is None:
            await self._finish(context, shape, good)

    async def update(
        self, context: Context, resource: AnyResource, patches: Sequence[Patch], *, options: WriteOptions = DEFAULTS
    ) -> list[Outcome]:
        """Merge-patches records (RFC 7396). A patch that changes nothing leaves version and journal alone (`unchanged`)."""
        shape = shape_of(context, resource)
        works = []
        for index, patch in enumerate(patches):
            draft = Draft(patch.id, "update", None, {})
            work = Work(index, draft, {}, patch.if_match, edit=patch.edit)
            if patch.edit is None:
                give(context, resource, work, patch.body)
            works.append(work)
        refuse_repeated(works)
        await self._update(context, shape, works, options)
        return outcomes(works)

    async def _update(self, context: Context, shape: Shape, works: list[Work], options: WriteOptions) -> None:
        good = check(works, options)
        await self._lock(context, shape, good, WRITE)
        good = check(good, options)
        for work in good:
            if work.edit is not None:
                give(context, context.seen(shape.resource), work, work.edit(work.draft.new))
        good = check(good, options)
        await check_versions(context, shape, good, options)
        good = check(good, options)
        if good:
            await apply_patches(context, shape, good)
            refuse_transfers(context, shape, good)
            await self._store(context, shape, good, options)

    async def update_rows(
        self, context: Context, resource: AnyResource, values: Mapping[UUID, Mapping[str, Any]], *, options: WriteOptions = DEFAULTS
    ) -> list[Outcome]:
        """Sets columns (or `custom_fields.<name>`) of live records to Python values, read-only ones too, for rules and flows.

        Rules, versions and events as ever.
        """
        shape = shape_of(context, resource)
        works = [
            Work(index, Draft(record_id, "update", None, {}, frozenset(given)), given)
            for index, (record_id, given) in enumerate(values.items())
        ]
        await self._lock(context, shape, works, None)
        good = check(works, options)
        for work in good:
            for name, value in work.sent.items():
                shape.resource.put(work.draft.new, name, value)
        await run_rules(context, shape, good)
        await self._store(context, shape, good, options)
        return outcomes(works)

    async def delete(
        self, context: Context, resource: AnyResource, targets: Sequence[Target], *, options: WriteOptions = DEFAULTS
    ) -> list[Outcome]:
        """Deletes records softly (again: `unchanged`), or for good with `options.purge`.

        Live records that refer to them are treated as `options.on_children` says; `block` raises `conflict`.
        """
        shape = shape_of(context, resource)
        operation = removal.PURGE if options.purge else removal.DELETE
        works = [Work(index, Draft(target.id, operation, None, {}), {}, target.if_match) for index, target in enumerate(targets)]
        refuse_repeated(works)
        good = check(works, options)
        await self._lock(context, shape, good, FULL, deleted=True, going=True)
        good = check(good, options)
        await check_versions(context, shape, good, options)
        good = check(good, options)
        going = [work for work in good if options.purge or (work.draft.old is not None and work.draft.old["deleted_at"] is None)]
        if going:
            await shape.resource.rules.before_delete(context, [work.draft for work in going])
            going = check(going, options)
            await removal.release_children(self, context, shape, going, options)
            going = check(going, options)
        if options.purge:
            for work in going:
                assert work.draft.old is not None
                work.draft.new["version"] = work.draft.old["version"] + (0 if events.touched(context.uow, work.draft.id) else 1)
            await removal.purge(self, context, shape, going)
        else:
            removal.mark_deleted(context, shape, going)
            await self.write_changes(context, shape, going, options)
            await fill_unchanged(context, shape, good)
        return outcomes(works)

    async def restore(
        self, context: Context, resource: AnyResource, targets: Sequence[Target], *, options: WriteOptions = DEFAULTS
    ) -> list[Outcome]:
        """Brings deleted records back (live ones: `unchanged`); a unique value that was taken meanwhile is a `duplicate`."""
        shape = shape_of(context, resource)
        works = [Work(index, Draft(target.id, "restore", None, {}), {}, target.if_match) for index, target in enumerate(targets)]
        refuse_repeated(works)
        good = check(works, options)
        await self._lock(context, shape, good, FULL, deleted=True)
        good = check(good, options)
        await check_versions(context, shape, good, options)
        good = check(good, options)
        for work in good:
            work.draft.new["deleted_at"] = None
        await run_rules(context, shape, good)
        await self._store(context, shape, good, options)
        return outcomes(works)

    async def upsert(
        self,
        context: Context,
        resource: AnyResource,
        match_on: str,
        bodies: Sequence[Any],
        *,
        values: Sequence[str] | None = None,
        if_match: int | None = None,
        options: WriteOptions = DEFAULTS,
    ) -> list[Outcome]:
        """Updates the records that have the bodies' value of `match_on`, and makes the others.

        `match_on` is a unique field, `external_ids.<system>` or `id`; `values` are the values to match where they are not those
        of the bodies (a path). A record that somebody else makes in the meantime is updated. With `if_match` nothing is made:
        a record that is not there is NotFound.
        """
        shape = shape_of(context, resource)
        found, works = await upserts.match(context, resource, match_on, bodies, values)
        check(works, options)
        for attempt in range(upserts.ATTEMPTS):
            last = attempt == upserts.ATTEMPTS - 1
            made = new_works(context, shape, resource, [(index, bodies[index]) for index, id, _ in found if id is None])
            for work in made if if_match is not None else ():
                work.draft.problem = NotFound()
            present = [(index, id, bodies[index]) for index, id, _ in found if id is not None]
            changed = await self._upsert_patches(context, shape, resource, match_on, present, if_match)
            patient = replace(options, atomic=False, last=False)
            for some, store in ((made, self._create), (changed, self._update)):
                if some:
                    await store(context, shape, some, patient)
            # Somebody made, or deleted, the record between the look-up and the write: match again.
            again = [work for work in (*made, *changed) if not last and upserts.overtaken(work, match_on)]
            works += [work for work in (*made, *changed) if work not in again]
            if not again:
                break
            indexes = {work.index for work in again}
            chosen = [index for index, _, _ in found if index in indexes]
            part, _ = await upserts.match(
                context, resource, match_on, [bodies[i] for i in chosen], None if values is None else [values[i] for i in chosen]
            )
            found = [(chosen[position], id, key) for position, id, key in part]
        check(works, options)
        return outcomes(works)

    async def _upsert_patches(
        self,
        context: Context,
        shape: Shape,
        resource: AnyResource,
        match_on: str,
        items: Sequence[tuple[int, UUID, Any]],
        if_match: int | None,
    ) -> list[Work]:
        levels: dict[UUID, int] = {}
        rows = await lock(context, shape, [id for _, id, _ in items], levels=levels)
        works = []
        for index, id, body in items:
            draft = Draft(id, "update", None, {})
            if levels.get(id, READ) < READ:  # it is there, but not for this caller, who can't make another one either
                draft.problem = Duplicate([in_the_way.entry(context, resource, None, match_on, ())])
            patch = upserts.without_settled(resource, body, rows[id]) if id in rows else body
            work = Work(index, draft, {}, if_match)
            give(context, resource, work, patch)
            works.append(work)
        return works

    async def _lock(
        self, context: Context, shape: Shape, works: Sequence[Work], needed: int | None, *, deleted: bool = False, going: bool = False
    ) -> None:
        """Gives each draft its stored row, if the caller reaches it at the level `needed` (None: the product acts by itself).

        `deleted` says that deleted (not merged) records will do, `going` see `lock`.
        """
        await hold_parents(context, shape, works)
        levels: dict[UUID, int] | None = None if needed is None else {}
        rows = await lock(context, shape, [work.draft.id for work in works], going=going, levels=levels)
        problems = await absent(context, shape.resource, [work.draft.id for work in works if work.draft.id not in rows])
        for work in works:
            draft = work.draft
            row = rows.get(draft.id)
            if row is None:
                draft.problem = problems[draft.id]
                continue
            if levels is not None and needed is not None:
                work.level = levels[draft.id]
                if work.level < needed:
                    draft.problem = out_of_reach(work.level)
                    continue
            if row["deleted_at"] is not None and not (deleted and row.get("merged_into") is None):
                draft.problem = unavailable(shape.resource, row)
                continue
            draft.old, draft.new = row, dict(row)

    async def _store(self, context: Context, shape: Shape, works: list[Work], options: WriteOptions) -> None:
        """Writes what the rules left changed, and reads what they left alone."""
        works = check(works, options)
        await self.write_changes(context, shape, works, options)
        await fill_unchanged(context, shape, works)

    async def write_changes(self, context: Context, shape: Shape, works: Sequence[Work], options: WriteOptions) -> None:
        """Updates the locked rows of works whose `changed` columns are known, with versions, events and what the rules add."""
        changed = [work for work in works if work.changed and not work.failed]
        for work in changed:
            draft = work.draft
            assert draft.old is not None
            draft.new["version"] = draft.old["version"] + (0 if events.touched(context.uow, draft.id) else 1)
            work.outcome = removal.OUTCOMES[draft.operation]
        await recompute.compute_changed(context, shape, changed)
        settled = self._settle(context, shape, changed, options)
        await store_changes(context, shape, changed, settled)
        changed = check(changed, options)
        if settled is None:
            await self._finish(context, shape, changed)

    def _settle(self, context: Context, shape: Shape, works: Sequence[Work], options: WriteOptions) -> str | None:
        """The events, if they can be written together with their records: if nothing in `_finish` will add to them."""
        if not (options.last and works and events.quiet(context)) or computations_of(context) is not None:
            return None
        drafts = [work.draft for work in works]
        if shape.resource.governs_access:
            return None
        if type(shape.resource.rules).after_write is not Rules.after_write or changes_links(shape, drafts):
            return None
        if any(draft.old is None and draft.new["external_ids"] for draft in drafts):  # whoever doesn't get those is not stored
            return None
        return events.settle(context, shape, drafts)

    async def _finish(self, context: Context, shape: Shape, works: Sequence[Work]) -> None:
        """Notes the events of stored drafts and lets the rules write what follows."""
        if not works:
            return
        drafts = [work.draft for work in works]
        for draft in drafts:
            events.collect(context, shape.resource, draft.id, draft.old, draft.new, draft.new["version"])
        await sync_primary_links(context, shape, drafts)
        await shape.resource.rules.after_write(context, drafts)
        await self._follow(context, shape, works)

    async def _follow(self, context: Context, shape: Shape, works: Sequence[Work]) -> None:
        """Lets computed fields of related records follow; they may belong to records of this very call."""
        renewed = await recompute.follow(context, shape, [work.draft for work in works])
        again = [work for work in works if work.draft.id in renewed]
        found = await records(context, shape.resource, [work.draft.id for work in again])
        for work in again:
            work.record = found[work.draft.id]
