"""What a party yields. `docs/language/party.md` tells it; `workflows/interpreter/steps/party.py` makes it."""

from contracts.party import Party
from language.types.kind import BOOL, DOUBLE, INT, NULL, TEXT, Type, list_of, map_of, text_of, union

ENDS = ("facilitator", "rounds", "stall", "tokens", "vote")
"""How a party ends that has reached nothing."""


def party_type(party: Party) -> Type:
    """Return what a party yields when it has talked."""
    position = text_of(party.options) if party.options else TEXT
    members = text_of(party.members)
    stance = {"position": position, "reasons": list_of(TEXT), "confidence": union([DOUBLE, INT])}
    return map_of(
        {
            "recommendation": union([position, NULL]),
            "reached": BOOL,
            "by": text_of((party.consensus, *ENDS)),
            "agreed": list_of(members),
            "reasons": list_of(TEXT),
            "dissent": list_of(map_of({"agent": members, **stance})),
            "rounds": INT,
            "stances": map_of(dict.fromkeys(party.members, union([map_of(stance), NULL]))),
            "interjections": list_of(map_of({"by": TEXT, "verb": TEXT, "text": TEXT})),
        }
    )
