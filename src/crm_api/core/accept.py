"""The weights of `Accept`, `Accept-Encoding` and `Accept-Language` (RFC 9110 §12.4.2)."""

from collections.abc import Iterator


def weighted(header: str) -> Iterator[tuple[str, float]]:
    """What a header names, in lower case and in its order, with weights from 0 (refused) to 1 (the default).

    A weight that can't be read refuses: nobody else can tell what was meant.
    """
    for part in header.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip() == "q":
                try:
                    weight = min(max(float(value), 0.0), 1.0)
                except ValueError:
                    weight = 0.0
        yield name, weight
