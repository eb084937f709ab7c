"""Changes of behaviour that a mission's history must name, each with when it came and when it may go.

The law: a history replays. What old histories never did stands behind its name here, and its name is never given again.
"""

IN_TIME = "decisions that came in time are heard before a deadline counts"
"""November 2026. Before, what was taken in by the very task in which a deadline fell was not waited for. May go when no
mission runs that was started before."""
LOOKS_BACK = "a run whose first task comes late looks back whether it was reset"
"""November 2026. Before, a run that was reset to its first task went on by itself. May go when no mission runs that was
started before."""
PUT_TO_PEOPLE = "what a bug keeps from being undone is put to people"
"""November 2026. Before, the mission failed, and what it had done stood. May go when no mission runs that was started
before, and none is reset."""
