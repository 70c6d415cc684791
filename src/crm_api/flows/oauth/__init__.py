"""The OAuth 2.1 authorization server: apps, grants, codes and tokens. Routes and pages are in `http/oauth`.

Whatever may be used once is used up by one statement, and an error that must leave a mark (a replayed code ends its tokens) is
*returned*, so that the unit of work is committed; an error that is raised undoes it.
"""
