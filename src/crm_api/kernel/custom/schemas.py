"""Bodies of records of objects that organisations made: the envelope alone, since their fields are checked by definition."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, create_model

from crm_api.kernel.schema import Currency, Input, Output, RecordCreate, RecordRead, RecordUpdate, about, create_of, update_of


class MadeFields(Output):
    """What the records of all custom objects have beside the envelope."""

    currency: Currency = about("ISO 4217 code of all money of this record. Defaults to the organisation's.", "EUR")


def _without_custom_fields(name: str, model: type[BaseModel], documentation: str) -> type[BaseModel]:
    fields: dict[str, Any] = {key: (info.annotation, info) for key, info in model.model_fields.items() if key != "custom_fields"}
    base = Input if issubclass(model, Input) else MadeFields
    return create_model(name, __base__=base, __module__=__name__, __doc__=documentation, **fields)


MadeCreate = create_of(MadeFields)(
    _without_custom_fields("MadeCreate", RecordCreate, "What a new record of a custom object may be given beside its fields.")
)
MadeUpdate = update_of(MadeFields)(
    _without_custom_fields("MadeUpdate", RecordUpdate, "What may be changed of such a record beside its fields.")
)
MadeRead = _without_custom_fields("MadeRead", RecordRead, "What such a record carries beside its fields.")
