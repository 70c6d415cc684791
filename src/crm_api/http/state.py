"""What one request carries in `request.state`: the names, and who writes and who reads each.

| key | written by | read by |
|---|---|---|
| `request_id` | the edge, before anything else | problems, events' cause, logs |
| `api_version` | the edge (header or newest); authentication if the token is pinned and no header came | routes, the `CRM-Version` header |
| `version_header` | the edge, only if the request named a version | authentication |
| `rate` | authentication: the limiter's `RateState` | the edge, for the headers of the answer |
| `org_id`, `actor` | authentication, as text | the access log |
| `language` | authentication: that of the user | texts of problems and labels, where no header asks for another |
"""

from typing import Final

REQUEST_ID: Final = "request_id"
VERSION: Final = "api_version"
VERSION_HEADER: Final = "version_header"
RATE: Final = "rate"
ORG_ID: Final = "org_id"
ACTOR: Final = "actor"
LANGUAGE: Final = "language"
