"""What every object of the API does, checked over HTTP: one subclass for each object inherits all of it.

A subclass says which object it is, how a valid record looks, and one field that may change. Everything else follows from the
object's declaration. Two organisations are shared by the checks of one object; records are the check's own.
"""

from __future__ import annotations

from tests.contract.checks.batches import Batches
from tests.contract.checks.changing import Changing
from tests.contract.checks.creating import Creating
from tests.contract.checks.listing import Listing
from tests.contract.checks.past import Past
from tests.contract.checks.refusals import Refusals
from tests.contract.checks.removing import Removing
from tests.contract.checks.subject import CLOCK, OBJECTS, new_id, numbers, some_tag

__all__ = ["CLOCK", "OBJECTS", "ResourceContract", "new_id", "numbers", "some_tag"]


class ResourceContract(Creating, Refusals, Changing, Removing, Listing, Batches, Past):
    """All checks. At least: `name`, `body` and `change`."""
