"""How many examples a property is tried on: few in `make test`, many in `make test-long`."""

import pytest


def examples(few: int, many: int) -> pytest.MarkDecorator:
    """A parameter `examples` for a test whose property takes as many."""
    return pytest.mark.parametrize("examples", [few, pytest.param(many, marks=pytest.mark.slow)])
