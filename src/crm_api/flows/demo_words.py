"""Words of which the demonstration's records are made. Company names are invented; their domains end in `.example` (RFC 2606)."""

# ruff: noqa: SIM905 - a list of fifty quoted names is harder to read than one text

from typing import Final

FIRST_NAMES: Final = (
    "Aisha Ana Anders Bianca Carlos Chen Clara Daniel Elena Emeka Emma Fatima Felix Grace Hana Hugo Ines Ivan Jonas Julia Kenji Lara Leila "
    "Liam Lucia Marek Maria Mateo Mei Mila Nadia Noah Nora Olga Omar Oskar Pablo Petra Priya Rafael Rosa Samir Sara Sofia Tariq Thomas "
    "Vera Viktor Yara Zoe"
).split()
LAST_NAMES: Final = (
    "Adeyemi Almeida Andersson Bauer Becker Brandt Castro Costa Dahl Dubois Eriksen Fernandez Fischer Garcia Haddad Hansen Hoffmann Ito "
    "Jansen Kaya Keller Kim Kovacs Larsen Lindqvist Lopez Martin Mehta Meyer Moreau Nakamura Nowak Okafor Petrov Rossi Santos Sato Schmidt "
    "Silva Singh Svensson Tanaka Torres Vogel Wagner Wang Weber Winter Yilmaz Zhang"
).split()
COMPANY_WORDS: Final = (
    "Alder Amber Arctic Aspen Beacon Birch Blue Bright Cedar Clear Coral Crane Delta Ember Falcon Fern Granite Harbor Hazel Heron Indigo "
    "Juniper Kestrel Lark Linden Lumen Maple Meadow Mistral Nimbus Northern Oak Onyx Orchid Pine Quartz River Sable Summit Tidal"
).split()
TRADES: Final = (
    ("Logistics", "logistics"),
    ("Robotics", "robotics"),
    ("Foods", "food"),
    ("Energy", "energy"),
    ("Textiles", "textiles"),
    ("Software", "software"),
    ("Health", "health"),
    ("Optics", "manufacturing"),
    ("Paper", "manufacturing"),
    ("Travel", "travel"),
)
CITIES: Final = (
    ("Hamburg", "20095", "DE"),
    ("Lyon", "69002", "FR"),
    ("Porto", "4000-322", "PT"),
    ("Aarhus", "8000", "DK"),
    ("Ghent", "9000", "BE"),
    ("Graz", "8010", "AT"),
    ("Bergen", "5003", "NO"),
    ("Turku", "20100", "FI"),
)
STREETS: Final = ("Harbour Street", "Mill Lane", "Station Road", "Market Square", "Garden Row", "Bridge Street", "Park Avenue")
TITLES: Final = ("Managing Director", "Head of Purchasing", "Operations Manager", "Finance Manager", "Head of IT", "Buyer")
SOURCES: Final = ("web form", "referral", "trade fair", "newsletter", "partner", "cold call")
PRODUCTS: Final = ("picking robots", "sorting line", "warehouse software", "maintenance contract", "conveyor belts", "safety sensors")
LOST: Final = ("price", "chose another supplier", "no budget this year", "project cancelled", "no answer")
TROUBLES: Final = (
    "Robot stops after start",
    "Label printer prints blanks",
    "Cannot sign in",
    "Invoice shows the wrong address",
    "Belt makes noise",
    "Export is missing rows",
    "Sensor reports false alarms",
    "Spare part has not arrived",
)
NEXT_STEPS: Final = ("Call back", "Send the offer", "Prepare the demo", "Check delivery dates", "Ask for references", "Review the contract")
REMARKS: Final = (
    "Budget is **approved** for next quarter.",
    "Wants a visit before deciding.",
    "Compares us with two others; price matters most.",
    "Happy with the last delivery.",
    "Prefers e-mail over calls.",
)
ROLES: Final = ("decision_maker", "economic_buyer", "champion", "influencer", "technical_evaluator", "user")
