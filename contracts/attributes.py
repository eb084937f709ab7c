"""The search attributes that missions carry: each name with its type, as the Temporal CLI spells types.

Plain words, so that nothing here needs Temporal. `starter/search_attributes.py` registers them on a server;
`workflows/` keeps them up to date; `gonogo list` and `gonogo queue` are queries over them.
"""

MISSION_NAME = "MissionName"
MISSION_STATE = "MissionState"
MISSION_VERDICT = "MissionVerdict"
MISSION_TEAM = "MissionTeam"
AWAITING_ROLE = "AwaitingRole"
GATE_DEADLINE = "GateDeadline"
HALTED_BY = "HaltedBy"
ASKED_UNDER = "AskedUnder"

ATTRIBUTES = {
    MISSION_NAME: "Keyword",
    MISSION_STATE: "Keyword",
    MISSION_VERDICT: "Keyword",
    MISSION_TEAM: "Keyword",
    AWAITING_ROLE: "KeywordList",
    GATE_DEADLINE: "Datetime",
    HALTED_BY: "KeywordList",
    ASKED_UNDER: "Keyword",
}
