"""What things may cost: `money.yaml` is read as strictly as the files beside it, and need not be there."""

from datetime import timedelta
from pathlib import Path

import pytest
from desk import HEAD, written
from test_workspace import folder

from contracts.money import Bounds, Budget, MoneyFile, Price
from language.finding import Rejected
from language.loader import load_mission
from language.workspace import load_workspace


def test_prices_and_quotas_are_read_and_may_be_missing(tmp_path: Path) -> None:
    assert MoneyFile() == load_workspace(folder(tmp_path)).money

    written(
        tmp_path,
        "money.yaml",
        """
        prices:
          smollm2: {input: 0, output: 0.5}
        quotas:
          platform: {usd: 200, soft: 0.9}
        """,
    )

    expected = MoneyFile(prices={"smollm2": Price(input=0, output=0.5)}, quotas={"platform": Bounds(usd=200, soft=0.9)})
    assert expected == load_workspace(tmp_path).money


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("prices: {m: {input: -1, output: 1}}", "1:21: BAD_VALUE 'input': input should be greater than or equal to 0"),
        ("prices: {m: {input: 1}}", "1:13: MISSING_KEY the key 'output' is missing (write 'output: …')"),
        ("quotas: {ops: {eur: 1}}", "1:16: UNKNOWN_KEY unknown key 'eur' (keys here: usd, tokens, agent_runs, soft)"),
        (
            "quotas: {ops: {soft: 0.5}}",
            "1:15: BAD_VALUE the quota of 'ops' bounds nothing (write usd, tokens or agent_runs)",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, text: str, expected: str) -> None:
    written(folder(tmp_path), "money.yaml", text + "\n")

    with pytest.raises(Rejected) as rejected:
        load_workspace(tmp_path)

    assert [f"{tmp_path}/money.yaml:{expected}"] == [str(one) for one in rejected.value.findings]


def test_a_missions_budget_is_read(tmp_path: Path) -> None:
    workspace = load_workspace(folder(tmp_path))
    text = "budget: {usd: 5, tokens: 1000, time: 2h}" + HEAD + "steps: [{step: a, agent: architect, task: draw}]\n"

    definition = load_mission(written(tmp_path, "m/mission.yaml", text), workspace)

    assert Budget(usd=5, tokens=1000, time=timedelta(hours=2)) == definition.budget
