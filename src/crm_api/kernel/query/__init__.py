"""From a question in the API's terms to one SQL statement that answers it with finished JSON.

`parse` turns query strings and search bodies into `plan` values (no values inside, so that a plan is a cache key) plus the
list of values; `filters`, `sorting` and `projection` turn the parts of a plan into SQL; `compiler` puts them together.
"""
