"""Formulas and roll-ups: a small typed language over the fields of a record and of the records it refers to, compiled to SQL.

`parse` reads the text, `check` gives every part a type, `compiled` makes the SQL; `rollup` does the same for figures over a
to-many relation, `graph` knows what depends on what. Nothing here is ever evaluated as Python.
"""

from crm_api.kernel.formula.compiled import RESULTS, Computed, Dependency, Formula, compile_formula
from crm_api.kernel.formula.errors import FormulaError
from crm_api.kernel.formula.rollup import Rollup, compile_rollup

__all__ = ["RESULTS", "Computed", "Dependency", "Formula", "FormulaError", "Rollup", "compile_formula", "compile_rollup"]
