"""A party in a rehearsal: members answer by the script, and people speak while somebody thinks."""

from theatre_folder import ends, told

TALK = """
  - step: talk
    party: {topic: T, members: [ann, ben], rounds: 3, tokens: 9000, facilitator: lead, stall: 1, on_stall: escalate}
"""
YES, NO = (f"{{position: {word}, reasons: [r], confidence: 0.5}}" for word in ("'yes'", "'no'"))


def test_a_party_talks_by_its_script_and_a_facilitator_speaks_while_somebody_thinks(theatre):
    theatre.mission(TALK)

    result = theatre.rehearse(f"""
agents:
  ann: {{after: 10s, answer: {YES}}}
  ben: {{after: 10s, answer: {NO}}}
  talk/vote/ben: {YES}
people:
  - {{at: talk, by: rita, decide: end, after: 2s}}
  - {{at: talk, by: lea, decide: interject, comment: Think of May, after: 3s}}
  - {{at: talk, by: leo, decide: call_vote, after: 20s}}
expect: {{verdict: done, refused: [rita], steps: {{'talk[1]': succeeded, talk/vote/ann: succeeded}}}}
""")

    assert [] == told(result)
    assert (30, "succeeded") == ends(result)["talk[2]/ann"]
    assert (40, "succeeded") == ends(result)["talk/vote/ann"]


def test_a_party_that_stalls_asks_people_in_a_rehearsal_too(theatre):
    theatre.mission(TALK)

    result = theatre.rehearse(f"""
agents: {{ann: {YES}, ben: {NO}}}
people: [{{at: talk/on_stall/escalate, by: cho, decide: reject, comment: not so}}]
expect: {{state: refused, waits: [{{at: talk}}, {{at: talk/on_stall/escalate, asked: chief}}]}}
""")

    assert [] == told(result)


def test_an_answer_that_is_no_stance_could_never_be_given(theatre):
    theatre.mission(TALK)
    found = theatre.findings("""
agents:
  ann: {k: 1}
  talk[1]/ben: {position: p, reasons: [], confidence: 2}
  talk[1]/cid: x
expect: {verdict: done, steps: {talk/vote/bn: succeeded}}
""")

    assert ["BAD_ANSWER", "BAD_ANSWER", "UNKNOWN_AGENT", "UNKNOWN_STEP"] == [one.split()[1] for one in found]
