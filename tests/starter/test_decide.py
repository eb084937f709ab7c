"""Deciding from the command line: what is shown is what is signed, and each refusal says why."""


async def test_an_approval_lets_exactly_the_shown_action_run(gonogo, client, waiting, cast):
    told = await gonogo("approve", waiting, "isolate", "--as", "maya", "--comment", "go")

    assert (told.code, told.err) == (0, "")
    print(told.out)
    assert "the gate is approved" in told.out
    await client.get_workflow_handle(waiting).result()
    assert cast.ledger == ["isolate_host", "file_ticket"]
