"""`python -m crm_api.cli`: how `up` starts its children, with the Python that runs it."""

from crm_api.cli.app import main

main()
