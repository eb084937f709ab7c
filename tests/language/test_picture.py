"""Pictures of missions: what they show, that they are well formed, and that no text of an author is markup in them."""

import re
import xml.etree.ElementTree as ET
from typing import Any

import yaml
from desk import HEAD, findings, load, mission
from hypothesis import given
from test_properties import STEPS

from language.drawing import drawing
from language.mermaid import mermaid
from language.steps import every_step

EVERY_KIND = """
steps:
- {step: outline, agent: architect, task: Outline it, output: outline}
- {step: costs, agent: cost_analyst, task: Estimate it, needs: outline}
- {step: risks, agent: reviewer, task: Doubt it, needs: outline}
- step: refine
  needs: [costs, risks]
  loop:
    do: [{step: again, agent: architect, task: Write, output: draft}]
    until: draft.good
    max_iterations: 4
    on_max: lead
- step: good
  needs: refine
  condition: {if: outline.score > 7, then: [{step: find, action: look_up}], else: abort}
- step: pay
  needs: good
  action: send_money
  approval: {approvers: [tech_lead, director], required: 2, timeout: 2h, on_reject: lead}
- {step: save, needs: pay, action: open_ticket, compensate: close_ticket}
- step: both
  needs: save
  parallel: [{agent: reviewer, task: T}, {agent: architect, task: T}]
- {step: lead, gate: {approvers: tech_lead, timeout: 1h}}
"""
HOSTILE = '"><script>alert(1)</script><!--`]] & #34; {{x}} \\ "'


def texts(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter() if element.tag.endswith("text")]


def test_the_picture_names_every_step_and_what_matters_about_it():
    definition = load(EVERY_KIND)
    seen = texts(drawing(definition))

    assert {step.step for step in every_step(definition)} <= set(seen)
    for line in (
        "try_out",
        "good | bad",
        "agent cost_analyst",
        "until draft.good",
        "at most 4 times",
        "if outline.score > 7",
        "else: abort",
        "tool send_money",
        "asks 2 of tech_lead, director within 2h",
        "undone by close_ticket",
        "on max",
        "on reject",
    ):
        assert line in seen


def test_kinds_are_drawn_distinctly():
    marks = drawing(load(EVERY_KIND))
    shapes = {
        colour: len(re.findall(f'<(?:rect|polygon)[^>]*stroke="{colour}"', marks))
        for colour in ("#3b76b0", "#b07a00", "#2e7d43", "#7a4bb0")
    }

    assert {"#3b76b0": 6, "#b07a00": 1, "#2e7d43": 3, "#7a4bb0": 1} == shapes
    assert 1 == marks.count('stroke-dasharray="6 4"')
    assert 2 == marks.count('<path class="c"')


def test_a_picture_is_the_same_to_the_byte_and_loads_nothing():
    svg = drawing(load(EVERY_KIND))

    assert svg == drawing(load(EVERY_KIND))
    assert ["http://www.w3.org/2000/svg"] == re.findall(r"https?://[^\"]+", svg)
    assert not re.search(r"<(?:image|use|script|a|foreignObject)\b|href|@import", svg)


def test_mermaid_has_an_edge_for_each_need_and_call():
    lines = mermaid(load(EVERY_KIND)).splitlines()
    names = {found[2]: found[1] for line in lines if (found := re.search(r'(s\d+)\W+"?\W*<b>(\w+)</b>', line))}

    def edge(source: str, arrow: str, to: str) -> bool:
        return any(line.strip() == f"{names[source]} {arrow} {names[to]}" for line in lines)

    assert edge("outline", "-->", "costs")
    assert edge("outline", "-->", "risks")
    assert edge("costs", "-->", "refine")
    assert edge("risks", "-->", "refine")
    assert edge("refine", '-.->|"on max"|', "lead")
    assert edge("pay", '-.->|"on reject"|', "lead")
    assert edge("good", '-->|"then"|', "find")
    assert edge("good", '-->|"else"|', "pay")
    assert not any(line.endswith(f"--> {names['lead']}") for line in lines)


def test_no_text_of_an_author_is_markup():
    text = yaml.safe_dump(
        {"steps": [{"step": "a", "condition": {"if": f"alert == '{HOSTILE[:30]}'", "then": "continue"}}]}
    )
    definition = load(
        text, HEAD.replace("alert: {type: object}", "alert: {}").replace("[good, bad]", "[good, '<b>', '\"]']")
    )

    assert "if alert == '" + HOSTILE[:30] + "'" in texts(drawing(definition))
    written = mermaid(definition)
    assert "<script" not in written
    assert {"b", "br/", "/b"} == set(re.findall(r"<([^>]*)>", written.replace("-->", "").replace("-.->", "")))


@given(STEPS)
def test_every_mission_that_loads_has_a_picture(steps: Any):
    text = yaml.safe_dump({"steps": steps})
    if findings(mission(text)):
        return
    definition = load(text)
    blocks = [f"<b>{step.step}</b>" for step in every_step(definition)]

    assert sorted(blocks) == sorted(re.findall(r"<b>[^<]*</b>", mermaid(definition)))
    assert len(blocks) <= len(texts(drawing(definition)))
