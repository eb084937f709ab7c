"""The four members compute: what makes a case worse never pleases them more, and what means nothing changes nothing."""

import random

import pytest
from investment_room import CASES, FAVOUR, MEMBERS, advice, changed, debate, load_case, says, turn

from missions.technology_investment.case import read_case
from missions.technology_investment.cutover import first_window, overload
from missions.technology_investment.exposure import cheapest, exposure
from missions.technology_investment.finance import payback, present, worth
from missions.technology_investment.fit import buildable, gain
from missions.technology_investment.terms import terms


def scaled(rows, key, factor):
    return [{**row, key: row[key] * factor} for row in rows]


WORSE = {
    "cfo": [
        lambda case: {"benefits": scaled(case["benefits"], "amount", 0.7)},
        lambda case: {"benefits": scaled(case["benefits"], "certainty", 0.5)},
        lambda case: {"benefits": [{**row, "year": row["year"] + 1} for row in case["benefits"]]},
        lambda case: {"costs": scaled(case["costs"], "amount", 1.4)},
        lambda case: {"discount_rate": case["discount_rate"] + 0.1},
        lambda case: {"payback_limit_years": case["payback_limit_years"] * 0.5},
    ],
    "ciso": [
        lambda case: {"risks": [{**row, "likelihood": min(1, row["likelihood"] * 2)} for row in case["risks"]]},
        lambda case: {"risks": scaled(case["risks"], "impact", 3)},
        lambda case: {"risks": scaled(case["risks"], "controlled", 0.2)},
        lambda case: {"risk_appetite": case["risk_appetite"] * 0.5},
        lambda case: {"mitigations": []},
    ],
    "cto": [
        lambda case: {"criteria": [{**row, "fit": max(0, row["fit"] - 1.5)} for row in case["criteria"]]},
        lambda case: {"criteria": [{**row, "now": min(5, row["now"] + 1.5)} for row in case["criteria"]]},
        lambda case: {"engineering": {**case["engineering"], "weeks_added_a_year": 40}},
        lambda case: {"engineering": {**case["engineering"], "weeks_free": 0}},
    ],
    "coo": [
        lambda case: {"months": [{**row, "load": row["load"] + 50} for row in case["months"]]},
        lambda case: {"months": [{**row, "capacity": row["capacity"] - 50} for row in case["months"]]},
        lambda case: {"cutover": {**case["cutover"], "hours": [hours * 2 for hours in case["cutover"]["hours"]]}},
        lambda case: {"months": case["months"][:4]},
    ],
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("member", "number"), [(one, number) for one in WORSE for number in range(len(WORSE[one]))])
async def test_a_worse_case_never_pleases_a_member_more(name, member, number):
    case = load_case(name)
    worse = changed(case, **WORSE[member][number](case))
    before, after = await turn(member, case), await turn(member, worse)

    assert FAVOUR[after["position"]] <= FAVOUR[before["position"]]
    assert after["reasons"] != before["reasons"] or after == before


async def test_each_of_these_makes_some_member_of_some_case_turn_away():
    turned = set()
    for name in CASES:
        case = load_case(name)
        for member, changes in WORSE.items():
            before = await turn(member, case)
            for change in changes:
                after = await turn(member, changed(case, **change(case)))
                turned |= {member} if after["position"] != before["position"] else set()

    assert set(MEMBERS) == turned


@pytest.mark.parametrize("name", CASES)
async def test_the_order_of_rows_and_what_things_are_called_change_nothing(name):
    case = load_case(name)
    dice = random.Random(name)
    lists = {key: dice.sample(rows, len(rows)) for key, rows in case.items() if isinstance(rows, list)}
    renamed = {f"r{number}": row["id"] for number, row in enumerate(case["risks"])}
    back = {old: new for new, old in renamed.items()}
    others = {
        "title": "Another title",
        "costs": [{**row, "item": "x"} for row in case["costs"]],
        "risks": [{**row, "id": back[row["id"]]} for row in case["risks"]],
        "mitigations": [{**row, "risk": back[row["risk"]]} for row in case["mitigations"]],
    }

    known = advice(await debate(case))
    assert known == advice(await debate(changed(case, **lists)))
    assert known == advice(await debate(changed(case, **others)))


@pytest.mark.parametrize("name", CASES)
async def test_another_currency_changes_no_stance(name):
    case = load_case(name)
    money = {
        "costs": scaled(case["costs"], "amount", 11.5),
        "benefits": scaled(case["benefits"], "amount", 11.5),
        "risks": scaled(case["risks"], "impact", 11.5),
        "mitigations": scaled(case["mitigations"], "cost", 11.5),
        "risk_appetite": case["risk_appetite"] * 11.5,
        "currency": "SEK",
    }
    before, after = advice(await debate(case)), advice(await debate(changed(case, **money)))

    stances = [
        {name: (one["position"], one["confidence"]) for name, one in found["stances"].items()}
        for found in (before, after)
    ]
    assert stances[0] == stances[1]
    assert before["agreed"] == after["agreed"]


async def test_the_ciso_concedes_to_an_offer_that_can_be_kept_and_to_no_other():
    case = load_case("managed_database")
    alone = await turn("ciso", case)
    offers = "[offer mitigation:hardware_keys] [offer mitigation:private_link]"
    heard = (("cto", offers), ("coo", offers), ("cto", "[offer mitigation:hardware_keys]"))
    kept, posed, half = [await turn("ciso", case, says(by, text)) for by, text in heard]
    facilitator = {"by": "henrike", "facilitator": True, "verb": "interject", "text": offers}

    assert "defer" == alone["position"]
    assert ("invest", "cto", "agree") == (kept["position"], kept["answers"], kept["stand"])
    assert ["defer", "defer"] == [posed["position"], half["position"]]
    assert "invest" == (await turn("ciso", case, facilitator))["position"]


async def test_the_cto_offers_only_what_engineering_has_time_for():
    case = load_case("warehouse_robots")
    asked = says("ciso", "[need mitigation:light_curtains] [need mitigation:signed_firmware]")
    pressed = await turn("cto", case, asked)
    free = await turn("cto", changed(case, engineering={**case["engineering"], "weeks_free": 30}), asked)

    assert "object" == pressed["stand"]
    assert ["light_curtains"] == sorted(terms([{"by": "cto", **pressed}]).offered)
    assert ("agree", {"light_curtains", "signed_firmware"}) == (free["stand"], terms([{"by": "cto", **free}]).offered)


async def test_the_cfo_pays_for_what_is_offered_and_waits_only_where_it_still_pays():
    case = load_case("managed_database")
    offer = says("cto", "[offer mitigation:second_region]")
    dear = changed(case, mitigations=scaled(case["mitigations"], "cost", 10))
    later = says("coo", "[need shift:3]")

    assert ("invest", "reject") == (
        (await turn("cfo", case, offer))["position"],
        (await turn("cfo", dear, offer))["position"],
    )
    assert 3 == terms([{"by": "cfo", **await turn("cfo", case, later)}]).delay_offered
    hurried = await turn("cfo", changed(case, payback_limit_years=2.8), later)
    assert ("invest", "object") == (hurried["position"], hurried["stand"])


async def test_the_coo_follows_a_start_that_is_offered_and_gives_way_where_nothing_is_gained():
    case = load_case("managed_database")
    offered, rejected = says("cfo", "[offer shift:3]"), says("cfo", "[no value]", position="reject")
    asked, moved, closed = [await turn("coo", case, *heard) for heard in ((), (offered,), (rejected,))]

    assert ("defer", 3) == (asked["position"], terms([{"by": "coo", **asked}]).delay_needed)
    assert ("invest", "cfo", "agree") == (moved["position"], moved["answers"], moved["stand"])
    assert ("reject", "cfo") == (closed["position"], closed["answers"])


def test_present_value_and_payback_by_hand():
    case = read_case(
        changed(
            load_case("chat_platform"),
            discount_rate=0.1,
            costs=[{"item": "all", "year": 0, "amount": 1000}],
            benefits=[{"item": "b", "year": year, "amount": 1100, "certainty": 0.5} for year in (1, 2, 3)],
        )
    )
    judged = worth(case)

    gained = [550 / 1.1, 550 / 1.21, 550 / 1.331]
    assert judged.value == pytest.approx(sum(gained) - 1000)
    assert judged.payback == pytest.approx(2 + (1000 - gained[0] - gained[1]) / gained[2])
    assert worth(case, delay=12).value == pytest.approx(sum(gained) / 1.1 - 1000)
    assert payback(case.costs, case.benefits[:1], 0.1) is None
    assert present([], 0.1) == 0


def test_the_cheapest_mitigations_are_cheapest_of_all_that_suffice():
    case = read_case(load_case("managed_database"))
    wanted = cheapest(case)

    assert ("hardware_keys", "private_link") == wanted
    assert exposure(case, wanted) <= case.appetite < min(exposure(case, [one]) for one in wanted)
    assert None is cheapest(read_case(changed(load_case("managed_database"), risk_appetite=1)))


def test_a_window_is_the_first_that_fits_and_none_before_it():
    case = read_case(load_case("managed_database"))

    assert 3 == first_window(case)
    assert all(overload(case, delay) > 0 for delay in range(3))
    assert overload(case, 3) <= 0
    assert overload(case, 99) is None


def test_a_gain_lies_between_its_worst_and_best():
    best = [{"name": "a", "weight": 2, "fit": 5, "now": 0}]
    case = load_case("chat_platform")

    assert (1, -1) == tuple(
        gain(read_case(changed(case, criteria=rows))) for rows in (best, [{**best[0], "fit": 0, "now": 5}])
    )
    assert [] == buildable(read_case(case), ["unheard_of"])
