"""Commands about the ways out: try all without sending anything, send one message. The work is done elsewhere."""

from typing import Annotated

import typer

from leadroutes.operations.console import fail, finish, out, print_table, run_with_database, settings_in_force

app = typer.Typer(no_args_is_help=True, help="E-mail, texts and calls: whether they work.")


@app.command()
def check() -> None:
    """Try everything that is configured without sending anyone anything, and say what to repair; 1 if anything is."""
    from leadroutes.operations.channel_checks import check_channels

    findings = finish(check_channels(settings_in_force()))
    words = {True: "works", False: "does not work", None: "-"}
    print_table(("what", "", "outcome"), [(each.what, words[each.is_right], each.outcome) for each in findings])
    for each in findings:
        if each.remedy:
            out.print(f"{each.what}: {each.remedy}", soft_wrap=True)
    if any(each.is_right is False for each in findings):
        fail("not everything works that is configured")


@app.command()
def test(
    to: Annotated[str, typer.Option("--to", metavar="ADDRESS", help="An e-mail address, or a phone number.")],
) -> None:
    """Send one message to an e-mail address or a phone number."""
    from leadroutes.operations.channel_checks import send_test

    settings = settings_in_force()
    out.print(run_with_database(lambda database: send_test(database, settings, to)), soft_wrap=True)
