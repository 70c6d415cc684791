"""The commands for who writes a receiver of webhooks: `listen` and `trigger`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from crm_api.cli.terminal import answer_json, answers


class Payload(StrEnum):
    """What of an event is sent."""

    full = "full"
    thin = "thin"


DataDir = Annotated[
    Path, typer.Option("--data-dir", envvar="CRM_DATA_DIR", help="Folder of a running `up`: where its API is, and the token of --demo.")
]
Url = Annotated[str | None, typer.Option("--url", help="Address of the API, if it isn't that of a running `up`.")]
Token = Annotated[
    str | None,
    typer.Option("--token", envvar="CRM_TOKEN", help="An API token. Default: that of `up --demo`, else one made for this command."),
]
OrgId = Annotated[str | None, typer.Option("--org-id", help="The organisation to make a token in, if there are several.")]
UserId = Annotated[str | None, typer.Option("--user-id", help="The member that this token acts for; the first one if left out.")]
Secret = Annotated[
    str | None,
    typer.Option(
        "--secret", envvar="CRM_LISTEN_SECRET", help="What to sign with, whsec_… or whsk_…. Default: one kept in the data folder."
    ),
]
Shape = Annotated[Payload, typer.Option("--payload", help="Whole events, or thin ones without record and values.")]
SkipVerify = Annotated[bool, typer.Option("--skip-verify", help="Take any certificate of an https receiver.")]
Json = Annotated[bool, typer.Option("--json", help="Print lines of JSON.")]


def listen(
    forward: Annotated[str | None, typer.Option("--forward", help="Where to post events, such as http://localhost:3000/hook.")] = None,
    events: Annotated[str | None, typer.Option("--events", help="Only these types: 'deal.*,contact.created'.")] = None,
    payload: Shape = Payload.full,
    secret: Secret = None,
    print_secret: Annotated[bool, typer.Option("--print-secret", help="Print the signing secret and end.")] = False,
    since: Annotated[str | None, typer.Option("--since", help="Begin with events at or after this instant (RFC 3339).")] = None,
    cursor: Annotated[str | None, typer.Option("--cursor", help="Begin at a journal cursor, `oldest`, or `now` (default).")] = None,
    stop_after: Annotated[int | None, typer.Option("--stop-after", min=1, help="End after so many events.")] = None,
    skip_verify: SkipVerify = False,
    url: Url = None,
    token: Token = None,
    org_id: OrgId = None,
    user_id: UserId = None,
    data_dir: DataDir = Path(".crm"),
    as_json: Json = False,
) -> None:
    """Forward events to a program on this machine, as webhooks would bring them, signed.

    The receiver gets what a webhook endpoint gets, one event after the other, and is asked once for each. With --stop-after the exit
    status is 1 if one of them was not answered by 2xx.
    """
    from crm_api.cli.forward import checked_url, signing_key
    from crm_api.cli.listen import Listening, run
    from crm_api.cli.target import Wanted

    key = signing_key(secret, data_dir)
    if print_secret:
        told = {"secret": key.text, **({} if key.public is None else {"public_key": key.public})}
        if as_json:
            answer_json(told)
        else:
            for text in told.values():
                answers.print(text)
        return
    if forward is None:
        raise typer.BadParameter("Where to? Give an address such as http://localhost:3000/hook.", param_hint="--forward")
    if since is not None and cursor is not None:
        raise typer.BadParameter("Give one of --since and --cursor.", param_hint="--since")
    target = Wanted(url, token, org_id, user_id, data_dir, ("*:read",), "crm-api listen")
    run(
        Listening(target, checked_url(forward), events, payload.value, key, cursor, since, stop_after, verify=not skip_verify, json=as_json)
    )


def trigger(
    event_type: Annotated[str, typer.Argument(help="The type, such as deal.updated.")],
    record: Annotated[
        str | None, typer.Option("--record", help="Change this record; else one is made first, with the tag `triggered`.")
    ] = None,
    values: Annotated[list[str] | None, typer.Option("--set", help="A field of it, field=value; repeat for several.")] = None,
    forward: Annotated[str | None, typer.Option("--forward", help="Post the event to this address too, as `listen` does.")] = None,
    endpoint: Annotated[
        str | None, typer.Option("--endpoint", help="Change nothing; have an example of the type sent to this webhook endpoint.")
    ] = None,
    payload: Shape = Payload.full,
    secret: Secret = None,
    skip_verify: SkipVerify = False,
    url: Url = None,
    token: Token = None,
    org_id: OrgId = None,
    user_id: UserId = None,
    data_dir: DataDir = Path(".crm"),
    as_json: Json = False,
) -> None:
    """Make an event happen, by really creating or changing a record; print the event's id and number.

    Types are `<object>.created`, `updated`, `deleted`, `restored` and `purged`, of the organisation's own objects too.
    """
    from crm_api.cli.forward import checked_url, signing_key
    from crm_api.cli.target import Wanted
    from crm_api.cli.trigger import Triggering, parsed_values, run

    if endpoint is not None and (forward is not None or record is not None or values):
        raise typer.BadParameter("An example for one endpoint has no --forward, --record or --set.", param_hint="--endpoint")
    target = Wanted(url, token, org_id, user_id, data_dir, ("admin",), "crm-api trigger")
    address = None if forward is None else checked_url(forward)
    key = None if forward is None else signing_key(secret, data_dir)
    changed = parsed_values(values or [])
    run(Triggering(target, event_type, record, changed, endpoint, address, payload.value, key, verify=not skip_verify, json=as_json))
