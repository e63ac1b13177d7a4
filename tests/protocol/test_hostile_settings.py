"""Settings that are odd, but meant: what is in a file is taken as it stands, and a slip is named."""
import subprocess

import pytest
from harness import BINARY, SECRET_KEY, clean_environment


def refused(*arguments, **environment):
    done = subprocess.run([BINARY, *map(str, arguments)], env={**clean_environment(), **environment}, text=True,
                          capture_output=True, check=False, timeout=30)
    assert done.returncode in (1, 2), done
    return done.stderr


def test_long_values_semicolons_and_indented_lines_of_a_file(start, tmp_path):
    """A line is no shorter than what may be a value, and only a line of its own is a comment."""
    origins = ", ".join(f"https://app-{number}.example.com" for number in range(60))
    log = tmp_path / "log ;of # mine"
    file = tmp_path / "latchstring.conf"
    file.write_text(f"# a comment\n; another\n  cors-origin = {origins}\n\tregion = eu-west-1\naccess-log = {log}\n"
                    f"secret-key = {SECRET_KEY[:20]};{SECRET_KEY[20:]}\naccess-key = AKIDFROMFILE\n")
    server = start("--config", file, keys=False)
    answer = server.send("GET", "/", {"Origin": "https://app-59.example.com"})
    assert answer.headers["Access-Control-Allow-Origin"], "the last of a long line"
    client = server.client(access_key="AKIDFROMFILE", secret_key=SECRET_KEY[:20] + ";" + SECRET_KEY[20:], region="eu-west-1")
    assert client.list_buckets()["Buckets"] == []
    server.stop()
    assert log.exists(), "a name with ' ;' in it"


def test_a_mistake_in_a_file_is_named_with_its_line(tmp_path):
    file = tmp_path / "latchstring.conf"
    file.write_text("region = eu-west-1\n\n  nonsense\n")
    assert "line 3" in refused("serve", "--data", tmp_path / "data", "--config", file)
    file.write_text("region = eu-west-1\nnonsense = 1\n")
    message = refused("serve", "--data", tmp_path / "data", "--config", file)
    assert "line 2" in message and "nonsense" in message


@pytest.mark.parametrize("given,meant", [
    ("LATCHSTRING_BUCKET", "LATCHSTRING_BUCKETS"), ("LATCHSTRING_CORS_ORIGINS", "LATCHSTRING_CORS_ORIGIN"),
    ("LATCHSTRING_DATA_DIR", "LATCHSTRING_DATA"), ("LATCHSTRING_REGOIN", "LATCHSTRING_REGION"),
    ("LATCHSTRING_TLS_CERTIFICATE", "LATCHSTRING_TLS_CERT"), ("LATCHSTRING_TIMEOUT", "LATCHSTRING_IDLE_TIMEOUT"),
    ("LATCHSTRING_" + "X" * 1000, ""), ("LATCHSTRING_", "")])
def test_an_unknown_variable_and_what_is_close(tmp_path, given, meant):
    message = refused("serve", "--data", tmp_path / "data", **{given: "x"})
    assert given[:70] in message and "--help" in message and (not meant or f"{meant} " in message or f"{meant}?" in message), message


@pytest.mark.parametrize("command", [["serve"], ["fsck"], ["user", "list"], ["user", "show", "alice"],
                                     ["policy", "get", "alice"], ["user", "disable", "alice"]])
def test_an_empty_folder_is_a_slip(command):
    """`--data "$UNSET"` must not fall back to another folder."""
    assert "empty" in refused(*command, "--data", "")
