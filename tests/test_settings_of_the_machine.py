"""The tests mean the settings that they name: a machine on which a service is set up changes no outcome."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
OF_A_SERVICE = {
    "DATABASE_URL": "postgresql://127.0.0.1:9/another",
    "LEADROUTES_TWILIO_ACCOUNT": "AC0123456789abcdef0123456789abcdef",
    "LEADROUTES_TWILIO_TOKEN": "the token of the account",
    "LEADROUTES_TWILIO_FROM": "+13035550100",
    "LEADROUTES_TIME_SCALE": "60",
}
BY_ITS_CHANNELS = "test_commands.py::test_imported_leads_are_alerted_over_the_channels_that_there_are"


def test_what_a_service_on_this_machine_is_set_to_changes_no_test(server_url: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"tests/cli/{BY_ITS_CHANNELS}"],
        cwd=ROOT, env=os.environ | OF_A_SERVICE | {"LEADROUTES_TEST_DATABASE_URL": server_url},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
