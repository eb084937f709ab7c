"""The files beside the missions are read as strictly, and what they promise must exist."""

from pathlib import Path

import pytest
from desk import HEAD, mission, written

from contracts.mind import ModelAgent
from contracts.workspace import Escalation, PeopleFile, Person
from language.finding import Rejected
from language.freeze import freeze
from language.lint import lint
from language.loader import load_mission
from language.workspace import load_workspace
from tests.policies import permit_all

AGENTS = """
    agents:
      architect:
        callable: somewhere.agents:architect
        tools: [look_up]
        output: {type: object, properties: {text: {type: string}}}
        confidence_floor: 0.5
        timeout: 5m
    """
TOOLS = """
    servers:
      company: {url: 'https://tools.example.com/mcp', url_env: COMPANY_URL}
    tools:
      look_up: {server: company, effect: read}
      write_file: {server: company, effect: write, idempotency: key, compensated_by: [delete_file]}
      delete_file: {server: company, effect: write}
    """
PEOPLE = """
    escalation: {role: director, timeout: 1h}
    people:
      ada: {name: Ada, roles: [tech_lead]}
      cy: {roles: [director]}
    """


def folder(path: Path, agents: str = AGENTS, tools: str = TOOLS, people: str = PEOPLE) -> Path:
    written(path, "agents.yaml", agents)
    written(path, "tools.yaml", tools)
    written(path, "people.yaml", people)
    return permit_all(path)


def refused(path: Path) -> list[str]:
    with pytest.raises(Rejected) as caught:
        load_workspace(path)
    return [str(finding).removeprefix(f"{path}/") for finding in caught.value.findings]


def test_a_workspace_loads(tmp_path: Path):
    loaded = load_workspace(folder(tmp_path))

    assert loaded.root == str(tmp_path)
    assert loaded.agents["architect"].tools == ("look_up",)
    assert loaded.servers["company"].url_env == "COMPANY_URL"
    assert loaded.tools["write_file"].compensated_by == ("delete_file",)
    assert loaded.people.escalation == Escalation(role="director", timeout="1h")
    assert loaded.people.roles() == {"tech_lead", "director"}


def test_registered_people_are_merged_in(tmp_path: Path):
    registered = PeopleFile(people={"ada": Person(keys=("k",)), "eve": Person(roles=("auditor",))})

    people = load_workspace(folder(tmp_path), registered).people.people

    assert people["ada"] == Person(name="Ada", roles=("tech_lead",), keys=("k",))
    assert people["eve"].roles == ("auditor",)


def test_the_escalation_role_may_be_held_by_somebody_who_was_registered(tmp_path: Path):
    folder(tmp_path, people="escalation: {role: captain}\n")
    registered = PeopleFile(people={"eve": Person(roles=("captain",))})

    assert load_workspace(tmp_path, registered).people.roles() == {"captain"}


def test_each_missing_file_is_named_with_what_to_write(tmp_path: Path):
    assert refused(tmp_path) == [
        (
            "agents.yaml:1:1: FILE cannot be read: No such file or directory "
            "(write 'agents:' and under it each agent, at least with 'callable: package.module:function')"
        ),
        (
            "people.yaml:1:1: FILE cannot be read: No such file or directory "
            "(write 'escalation: {role: …}' and 'people:' with the roles of each)"
        ),
        (
            "policies:1:1: NO_POLICY there is no folder 'policies', so everything is denied "
            "(write what is permitted; `gonogo new` begins it)"
        ),
        (
            "tools.yaml:1:1: FILE cannot be read: No such file or directory "
            "(write 'servers:' and 'tools:'; a tool has at least 'server' and 'effect')"
        ),
    ]


BAD_AGENTS = {
    "an unknown key": (
        "agents: {a: {callable: 'm:f', queu: x}}",
        "1:31: UNKNOWN_KEY unknown key 'queu' (did you mean 'queue'?)",
    ),
    "no callable": ("agents: {a: {team: x}}", "1:13: MISSING_KEY the key 'callable' is missing (write 'callable: …')"),
    "a callable that is none": (
        "agents: {a: {callable: 'os.system(1)'}}",
        "1:24: BAD_VALUE 'os.system(1)' is no callable (write 'package.module:function')",
    ),
    "an unknown tool": (
        "agents: {a: {callable: 'm:f', tools: [lookup]}}",
        "1:39: UNKNOWN_TOOL unknown tool 'lookup' (did you mean 'look_up'?)",
    ),
    "a tool that acts": (
        "agents: {a: {callable: 'm:f', tools: [write_file]}}",
        (
            "1:39: AGENT_ACTS the agent 'a' cannot have 'write_file', which changes the world (write) "
            "(let an action of the mission use it)"
        ),
    ),
    "a schema that is none": (
        "agents: {a: {callable: 'm:f', output: {$ref: '#/$defs/none'}}}",
        "1:39: BAD_SCHEMA 'output' is no JSON Schema: Pointer '/$defs/none' does not exist",
    ),
    "a floor above one": (
        "agents: {a: {callable: 'm:f', confidence_floor: 70}}",
        "1:49: BAD_VALUE 'confidence_floor': input should be less than or equal to 1",
    ),
    "a timeout without a unit": (
        "agents: {a: {callable: 'm:f', timeout: 5}}",
        "1:40: BAD_VALUE 'timeout': write a unit, as in '5s' or '5m'",
    ),
    "no time": (
        "agents: {a: {callable: 'm:f', timeout: 0s}}",
        "1:40: TIMEOUT_NOT_POSITIVE 'timeout' is 0s: no time at all (write a span above zero, such as '30m')",
    ),
    "a name that is none": (
        "agents: {a/b: {callable: 'm:f'}}",
        (
            "1:10: BAD_NAME 'a/b' is no name for an agent "
            "(write letters, digits, '_' and '-', starting with a letter, at most 64)"
        ),
    ),
    "an agent twice": (
        "agents:\n  a: {callable: 'm:f'}\n  a: {callable: 'm:g'}",
        "3:3: DUPLICATE_KEY the key 'a' stands in line 2 and again in line 3 (keep one of them)",
    ),
    "a runtime that does not exist": (
        "agents: {a: {callable: 'm:f', runtime: shell}}",
        "1:40: BAD_VALUE 'runtime': input should be 'code', 'model', 'mcp', 'http', 'a2a' or 'people'",
    ),
    "an agent that is no map": ("agents: {a: 7}", "1:13: WRONG_TYPE 'a': input should be a valid map"),
    "a key of another runtime": (
        "agents: {a: {runtime: model, instructions: Think, callable: 'm:f'}}",
        f"1:51: UNKNOWN_KEY unknown key 'callable' (keys here: {', '.join(ModelAgent.model_fields)})",
    ),
    "a model without instructions": (
        "agents: {a: {runtime: model, model: 'p:n'}}",
        "1:13: MISSING_KEY the key 'instructions' is missing (write 'instructions: …')",
    ),
    "instructions that say nothing": (
        "agents: {a: {callable: 'm:f', instructions: ' '}}",
        "1:45: BAD_VALUE 'instructions' is empty (write them)",
    ),
    "a model for what does not think": (
        "agents: {a: {callable: 'm:f', final_model: 'p:n'}}",
        ("1:44: BAD_VALUE 'final_model' of an agent that has no instructions (write 'instructions', or leave it out)"),
    ),
    "an unknown tool as an agent": (
        "agents: {a: {runtime: mcp, tool: lookup}}",
        "1:34: UNKNOWN_TOOL unknown tool 'lookup' (did you mean 'look_up'?)",
    ),
    "a tool that acts as an agent": (
        "agents: {a: {runtime: mcp, tool: write_file}}",
        (
            "1:34: AGENT_ACTS the agent 'a' cannot have 'write_file', which changes the world (write) "
            "(let an action of the mission use it)"
        ),
    ),
    "tools of an agent that has none": (
        "agents: {a: {runtime: http, url: 'http://x', tools: [look_up]}}",
        "1:53: BAD_VALUE an agent elsewhere has no use for 'tools' (leave it out)",
    ),
    "an address that is none": (
        "agents: {a: {runtime: http, url: 'ftp://x'}}",
        (
            "1:34: BAD_VALUE 'ftp://x' is no address "
            "(write 'https://host/path'; a token stands in the variable that 'key_env' names)"
        ),
    ),
    "an address with a secret in it": (
        "agents: {a: {runtime: http, url: 'https://me:secret@x'}}",
        (
            "1:34: BAD_VALUE 'https://me:secret@x' is no address "
            "(write 'https://host/path'; a token stands in the variable that 'key_env' names)"
        ),
    ),
    "a limit that is none": (
        "agents: {a: {callable: 'm:f', instructions: Think, limits: {turns: 0}}}",
        "1:68: BAD_VALUE 'turns': input should be greater than or equal to 1",
    ),
    "a limit that is misspelt": (
        "agents: {a: {callable: 'm:f', instructions: Think, limits: {turn: 1}}}",
        "1:61: UNKNOWN_KEY unknown key 'turn' (did you mean 'turns'?)",
    ),
    "a collection that nobody has": (
        "agents: {a: {callable: 'm:f', knowledge: [runbook]}}\nknowledge: {runbooks: .}",
        "1:43: BAD_VALUE unknown collection 'runbook' (did you mean 'runbooks'?)",
    ),
    "a folder that is not there": (
        "agents: {}\nknowledge: {runbooks: nowhere}",
        "2:23: BAD_VALUE there is no folder 'nowhere' in the workspace (make it, or mend it)",
    ),
    "a folder outside the workspace": (
        "agents: {}\nknowledge: {runbooks: ../..}",
        "2:23: BAD_VALUE the folder of 'runbooks' lies outside the workspace (write a folder inside it)",
    ),
    "no time to begin in": (
        "agents: {a: {callable: 'm:f', instructions: Think, first_token: 0s}}",
        ("1:65: TIMEOUT_NOT_POSITIVE 'first_token' is 0s: no time at all (write a span above zero, such as '30m')"),
    ),
}


@pytest.mark.parametrize("name", BAD_AGENTS)
def test_a_mistake_in_the_agents_is_found_at_its_place(tmp_path: Path, name: str):
    text, expected = BAD_AGENTS[name]

    assert refused(folder(tmp_path, agents=text)) == [f"agents.yaml:{expected}"]


THINKER = "agents: {a: {runtime: model, instructions: Think}}"


def test_an_agent_that_no_model_is_named_for_is_refused_where_agents_run(tmp_path: Path):
    folder(tmp_path, agents=THINKER)

    with pytest.raises(Rejected) as caught:
        load_workspace(tmp_path, model="")

    assert [str(finding).removeprefix(f"{tmp_path}/") for finding in caught.value.findings] == [
        (
            "agents.yaml:1:13: MISSING_KEY nothing says which model the agent 'a' thinks with "
            "(write 'model: provider:name' for it, or for all at the top of the file, or set GONOGO_MODEL)"
        )
    ]
    assert load_workspace(tmp_path).agents["a"].runtime == "model"
    assert load_workspace(tmp_path, model="provider:name").agents["a"].model == ""


def test_the_model_of_the_workspace_is_that_of_every_agent_that_thinks_and_names_none(tmp_path: Path):
    agents = "model: p:all\nagents:\n  a: {runtime: model, instructions: Think}\n  b: {callable: 'm:f'}\n"
    agents += "  c: {callable: 'm:f', instructions: Think, model: p:own}\n"

    found = load_workspace(folder(tmp_path, agents=agents), model="").agents

    assert {name: agent.model for name, agent in found.items()} == {"a": "p:all", "b": "", "c": "p:own"}


BESIDE = "servers: {company: {url: 'http://x'}}\ntools:\n  look_up: {server: company, effect: read}\n"
BAD_TOOLS = {
    "an unknown server": (
        "servers: {company: {url: 'http://x'}}\ntools: {look_up: {server: compny, effect: read}}",
        "2:27: UNKNOWN_SERVER unknown server 'compny' (did you mean 'company'?)",
    ),
    "an effect that does not exist": (
        "servers: {company: {url: 'http://x'}}\ntools: {look_up: {server: company, effect: none}}",
        "2:44: BAD_VALUE 'effect': input should be 'read', 'write' or 'irreversible'",
    ),
    "autonomy that does not exist": (
        "servers: {company: {url: 'http://x'}}\ntools: {look_up: {server: company, effect: read, autonomy: full}}",
        "2:60: BAD_VALUE 'autonomy': input should be 'approval' or 'allowed'",
    ),
    "an unknown compensation": (
        (
            "servers: {company: {url: 'http://x'}}\n"
            "tools: {look_up: {server: company, effect: read, compensated_by: [look_down]}}"
        ),
        "2:67: UNKNOWN_TOOL unknown tool 'look_down' (did you mean 'look_up'?)",
    ),
    "what nobody can undo, freed": (
        f"{BESIDE}  pay: {{server: company, effect: irreversible, autonomy: allowed}}",
        (
            "4:58: BAD_VALUE an irreversible tool never acts unasked "
            "(leave 'autonomy' out: nobody can undo what it does)"
        ),
    ),
    "what nobody can undo, by one": (
        f"{BESIDE}  pay: {{server: company, effect: irreversible, approvals: 1}}",
        "4:59: BAD_VALUE 'approvals' is 1, and what nobody can undo takes 2 people (write 2 or more)",
    ),
    "approvals of what asks nobody": (
        f"{BESIDE}  pay: {{server: company, effect: read, approvals: 2}}",
        ("4:51: BAD_VALUE 'approvals' of a tool that asks nobody (leave it out, or let the tool need approval)"),
    ),
    "a resource that is no argument": (
        (
            "servers: {company: {url: 'http://x'}}\ntools: {look_up: {server: company, effect: read, resource: hots,"
            " input: {type: object, properties: {host: {type: string}}}}}"
        ),
        "2:60: BAD_VALUE the resource of 'look_up' is none of its arguments: 'hots' (write one of host)",
    ),
    "a routine that nothing undoes": (
        "servers: {company: {url: 'http://x'}}\ntools: {look_up: {server: company, effect: read, routine: true}}",
        "2:59: BAD_VALUE 'look_up' cannot be routine: nothing undoes it (name under 'compensated_by' what undoes it)",
    ),
    "a word that is true to some": (
        "servers: {company: {url: 'http://x'}}\ntools: {look_up: {server: company, effect: read, description: yes}}",
        (
            "2:63: YAML_AMBIGUOUS 'yes' is a boolean or null to some readers of YAML and a text to others "
            '(write "yes" for the text, or true)'
        ),
    ),
}


@pytest.mark.parametrize("name", BAD_TOOLS)
def test_a_mistake_in_the_tools_is_found_at_its_place(tmp_path: Path, name: str):
    text, expected = BAD_TOOLS[name]

    assert refused(folder(tmp_path, tools=text)) == [f"tools.yaml:{expected}"]


BAD_PEOPLE = {
    "no escalation": (
        "people: {ada: {roles: [tech_lead]}}",
        (
            "1:1: MISSING_KEY no 'escalation': a mission that cannot go on has nobody to turn to "
            "(write 'escalation: {role: …}')"
        ),
    ),
    "a person called like an agent": (
        "escalation: {role: director}\npeople: {cy: {roles: [director]}, Architect: {roles: [director]}}",
        "2:35: BAD_NAME 'Architect' is an agent, and agents decide nothing (rename one of them)",
    ),
    "operators whom nobody knows": (
        "escalation: {role: director}\noperators: [directors, cy]\npeople: {cy: {roles: [director]}}",
        "2:13: UNKNOWN_PERSON unknown role or person 'directors' (did you mean 'director'?)",
    ),
    "escalation to nobody": (
        "escalation: {role: directr}\npeople: {cy: {roles: [director]}}",
        "1:20: UNKNOWN_PERSON unknown role 'directr' (did you mean 'director'?)",
    ),
    "an unknown key": (
        "escalation: {role: director, after: 1h}\npeople: {cy: {roles: [director]}}",
        "1:30: UNKNOWN_KEY unknown key 'after' (keys here: role, timeout)",
    ),
    "roles that are no list": (
        "escalation: {role: director}\npeople: {cy: {roles: {a: 1}}}",
        "2:22: WRONG_TYPE 'roles': input should be a list",
    ),
    "an empty file": (
        "",
        (
            "1:1: MISSING_KEY no 'escalation': a mission that cannot go on has nobody to turn to "
            "(write 'escalation: {role: …}')"
        ),
    ),
}


@pytest.mark.parametrize("name", BAD_PEOPLE)
def test_a_mistake_in_the_people_is_found_at_its_place(tmp_path: Path, name: str):
    text, expected = BAD_PEOPLE[name]

    assert refused(folder(tmp_path, people=text)) == [f"people.yaml:{expected}"]


def test_nobody_is_registered_elsewhere_under_the_name_of_an_agent(tmp_path: Path):
    with pytest.raises(Rejected, match="'architect' is an agent, and agents decide nothing"):
        load_workspace(folder(tmp_path), PeopleFile(people={"architect": Person(roles=("tech_lead",))}))


def test_the_findings_of_all_three_files_come_in_one_pass(tmp_path: Path):
    folder(tmp_path, agents="agents: []", tools="tools: {a: {server: x, effect: read}}", people="escalation: {role: x}")

    assert [finding.split(" ")[0] for finding in refused(tmp_path)] == [
        "agents.yaml:1:9:",
        "people.yaml:1:20:",
        "tools.yaml:1:21:",
    ]


STEPS = """
steps:
  - step: look
    agent: architect
    task: Look
  - step: maybe
    condition:
      if: 'true'
      then:
        - step: save
          action: write_file
          compensate: delete_file
          approval: {approvers: tech_lead}
"""


def test_a_plan_holds_the_agents_and_tools_that_its_definition_names(tmp_path: Path):
    workspace = load_workspace(folder(tmp_path))
    file = written(tmp_path, "try_out/mission.yaml", mission(STEPS))

    plan = freeze(load_mission(file, workspace), workspace)

    assert set(plan.agents) == {"architect"}
    assert set(plan.tools) == {"write_file", "delete_file"}
    assert plan.escalation.role == "director"
    assert plan.sealed() == plan


def test_a_plan_is_the_same_wherever_the_workspace_lies(tmp_path: Path):
    digests = set()
    for name in ("here", "there"):
        workspace = load_workspace(folder(tmp_path / name))
        file = written(tmp_path / name, "try_out/mission.yaml", mission(STEPS))
        digests.add(freeze(load_mission(file, workspace), workspace).digest)

    assert len(digests) == 1


def test_lint_finds_every_mission_below_a_folder(tmp_path: Path):
    folder(tmp_path)
    good = written(tmp_path, "good/mission.yaml", mission(STEPS))
    bad = written(tmp_path, "deep/er/mission.yaml", mission(STEPS, HEAD.replace("try_out", "Try Out")))

    found = lint([tmp_path], tmp_path)

    assert [str(finding).split(" ")[:2] for finding in found] == [[f"{bad}:14:10:", "BAD_NAME"]]
    assert lint([good], tmp_path) == []
    assert [finding.code for finding in lint([tmp_path / "nowhere"], tmp_path)] == ["FILE"]


def test_lint_tells_what_is_wrong_with_the_workspace_first(tmp_path: Path):
    folder(tmp_path, people="")
    written(tmp_path, "bad/mission.yaml", "no")

    assert [finding.code for finding in lint([tmp_path], tmp_path)] == ["MISSING_KEY"]


def test_the_shipped_workspace_has_no_findings():
    root = Path(__file__).parents[2] / "missions"

    assert lint([root], root) == []


def test_a_contract_says_how_many_people_it_asks_for_where_that_is_more_than_one(tmp_path: Path):
    """So a plan is frozen with it; a contract from before says nothing, and its missions ask as they did."""
    tools = "".join(f"  {effect}: {{server: company, effect: {effect}}}\n" for effect in ("irreversible", "write"))
    found = load_workspace(folder(tmp_path, tools=BESIDE + tools)).tools
    del found["look_up"]

    assert {"irreversible": (2, 2), "write": (None, 1)} == {
        name: (tool.approvals, tool.quorum()) for name, tool in found.items()
    }
