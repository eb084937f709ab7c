"""The first files of a new mission: it loads at once, uses what its workspace has, and asks people before it ends.

Pure: `starter/new.py` writes the files. What is made here is checked by the loader before anything is written.
"""

import json

from contracts.definition import Definition
from contracts.workspace import Workspace
from language.loader import load_text
from language.mermaid import mermaid
from language.policies import SCHEMA, shipped_schema

LINK = "# yaml-language-server: $schema="
"""The line that turns an editor's completion on, up to the place of the schema."""


def scaffold(name: str, workspace: Workspace, schema: str) -> dict[str, str]:
    """Return the files of a mission's folder by their names. `schema` is where its editor finds the schema.

    Raises `Rejected` where the workspace has nothing that such a mission could use.
    """
    text = definition(name, workspace, schema)
    return {"mission.yaml": text, "README.md": readme(load_text(text, f"{name}/mission.yaml", workspace))}


def definition(name: str, workspace: Workspace, schema: str) -> str:
    """Return a mission in which one agent works and people say whether that will do."""
    agent = min(workspace.agents)
    role = workspace.people.escalation.role if workspace.people.escalation else ""
    team = workspace.agents[agent].team or "nobody_yet"
    return f"""{LINK}{schema}

mission: {name}
version: '1.0'
team: {json.dumps(team)}
description: Say here what it is for.

inputs:
  type: object
  required: [request]
  properties:
    request: {{type: object}}

verdict:
  one_of: [accepted, rejected]
  value: 'steps.decide.status == "succeeded" && steps.decide.output.approved ? "accepted" : "rejected"'

steps:
  - step: work
    agent: {json.dumps(agent)}
    task: Say here what is to be done with the request
    context: [request]
    output: answer

  - step: decide
    gate:
      approvers: [{json.dumps(role)}]
      message: Is this answer good enough?
      context: [request, answer]
      timeout: 24h
      on_timeout: refuse
      on_reject: continue
"""


def policies() -> dict[str, str]:
    """Return the first policies of a workspace, by their files: what it must permit for a mission to run at all."""
    return {"base.cedar": BASE, SCHEMA: shipped_schema()}


BASE = """\
// What is not permitted here is denied, and a policy that forbids beats all that permit. A mission's own approvers,
// operators and quorums hold beside this. `gonogo policy schema` says what is asked; narrow it to whom you mean.

@id("who_signs_starts")
permit(principal, action == Action::"start", resource) when { context.signed };

@id("people_decide_steer_and_read")
permit(
  principal,
  action in [Action::"decide", Action::"steer", Action::"read_outputs", Action::"read_audit"],
  resource
);

// A mission that was started past admission has no agents, and does nothing.
@id("agents_run")
permit(principal, action == Action::"run_agent", resource) when { context.admitted };

@id("agents_read")
permit(principal, action == Action::"use_tool", resource) when { resource.effect == "read" };

// Data that a schema gives a class, `data: confidential`, reaches no model until it is permitted here.
@id("models_think")
permit(principal, action == Action::"think", resource) when { context.data.isEmpty() };

@id("missions_act")
permit(principal, action == Action::"act", resource)
when { context.admitted && (!resource.needs_approval || context.approvals > 0) };

@id("missions_undo")
permit(principal, action == Action::"act", resource) when { context.undoes };
"""


def readme(mission: Definition) -> str:
    """Return a page about a mission, with its picture."""
    return f"""# {mission.mission}
{mission.description}

It ends in one of: {", ".join(f"`{word}`" for word in mission.verdict.one_of)}.

<!-- graph -->
```mermaid
{mermaid(mission)}```
<!-- end -->

`gonogo lint` checks it, `gonogo graph` draws it anew, `gonogo estimate` says what it may take.
"""
