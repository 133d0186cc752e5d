"""Secrets: what is one by its shape, by the name beside it, and what is none."""

import pytest

from lineal.client.capture.redact import (
    MASK,
    is_secret_name,
    mask_arguments,
    mask_bytes,
    mask_text,
    mask_variables,
    strip_address,
)

# Made up, and put together so that no scanner takes this file for a leak.
TOKENS = [
    "gh" + "p_" + "a1B2" * 9,
    "github" + "_pat_" + "11ABCDEFG0" * 3,
    "gl" + "pat-" + "abcDEF123456_7890-xy",
    "s" + "k-" + "proj-" + "abcd1234" * 5,
    "AK" + "IA" + "ABCDEFGHIJ234567",
    "AS" + "IA" + "ABCDEFGHIJ234567",
    "h" + "f_" + "abcdefghij" * 3,
    "xo" + "xb-" + "123456789012-abcdefghij",
    "AI" + "za" + "a1B2c3D" * 5,
    "s" + "k_live_" + "a1b2c3d4" * 3,
    "np" + "m_" + "a1B2c3" * 6,
    "py" + "pi-" + "AgEIcHlwaS5vcmc" * 4,
    "ln" + "l_" + "a1B2c3D4e5" * 3,
    "ey" + "JhbGciOiJIUzI1NiJ9" + ".ey" + "JzdWIiOiIxMjM0In0" + ".abc-DEF_123",
]


@pytest.mark.parametrize("token", TOKENS, ids=range(len(TOKENS)))
@pytest.mark.parametrize("around", ["{}", "key = '{}'", "https://host/?t={}&x=1", "+ x={}\n", '"{}",'])
def test_shapes_are_masked_wherever_they_stand(token, around):
    masked = mask_text(around.format(token))
    assert token not in masked and token[4:] not in masked
    assert MASK in masked
    assert mask_text(around.format("harmless")) == around.format("harmless")


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("postgres://me:hunter2@db/x", f"postgres://{MASK}@db/x"),
        ("https://me:hunter2@host/x?y", f"https://{MASK}@host/x?y"),
        ("https://hunter2@host/x", f"https://{MASK}@host/x"),
        ("redis://:hunter2@host", f"redis://{MASK}@host"),
        ("ssh://git@host/x", "ssh://git@host/x"),
        ("https://host/@scope/x", "https://host/@scope/x"),
        ("s3://bucket/a@b", "s3://bucket/a@b"),
        ("Authorization: Bearer hunter2hunter2", f"Authorization: Bearer {MASK}"),
        ("{'authorization': 'token hunter2hunter2'}", f"{{'authorization': 'token {MASK}'}}"),
    ],
)
def test_addresses_and_headers(address, masked):
    assert mask_text(address) == masked
    assert mask_text(mask_text(address)) == masked


def test_private_keys_keep_their_lines():
    begin, end = "-----BEGIN RSA " + "PRIVATE KEY-----", "-----END RSA " + "PRIVATE KEY-----"
    text = f"+a\n+{begin}\n+MIIEowIBAAKCAQEA1234\n+abcdefghijklmnop1234\n+{end}\n b\n"
    masked = mask_bytes(text.encode()).decode()
    assert masked == f"+a\n+{begin}\n+{MASK}\n+{MASK}\n+{end}\n b\n"
    assert "MIIE" not in mask_bytes(text[: text.index("+abcd")].encode()).decode()


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "db.password",
        "DB_PASSWORD",
        "dbPassword",
        "passwd",
        "token",
        "hf_token",
        "HF-TOKEN",
        "api_key",
        "apikey",
        "API-KEY",
        "aws_secret_access_key",
        "AWS_ACCESS_KEY",
        "secret",
        "client_secret",
        "SECRET_KEY",
        "private-key",
        "credentials",
        "auth",
        "authToken",
        "cookie",
    ],
)
def test_names_of_secrets(name):
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "tokenizer",
        "max-tokens",
        "max_token",
        "pad_token",
        "eos-token",
        "num_tokens",
        "token_count",
        "key",
        "key-dim",
        "keys",
        "author",
        "passes",
        "compass",
        "monkey",
        "keyboard",
        "n_keys",
        "lr",
        "hidden_size",
        "authority",
        "bypass",
        "seed",
        "''",
    ],
)
def test_names_of_none(name):
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("given", "masked"),
    [
        (["train.py", "--password", "hunter2", "--lr", "1"], ["train.py", "--password", MASK, "--lr", "1"]),
        (["--token=hunter2", "x"], [f"--token={MASK}", "x"]),
        (["--token", "--other", "x"], ["--token", "--other", "x"]),
        (["db.password=hunter2", "db.host=h"], [f"db.password={MASK}", "db.host=h"]),
        (["+db.password=hunter2"], [f"+db.password={MASK}"]),
        (["env", "API_KEY=hunter2", "python"], ["env", f"API_KEY={MASK}", "python"]),
        (["--url", "mysql://a:hunter2@h/d"], ["--url", f"mysql://{MASK}@h/d"]),
        (["--tokenizer", "bert", "--pad-token", "<pad>"], ["--tokenizer", "bert", "--pad-token", "<pad>"]),
        (["--password"], ["--password"]),
        (["a\udcff b"], ["a\ufffd b"]),
    ],
)
def test_command_lines(given, masked):
    said = mask_arguments(given)
    assert [one.replace("�", "?") for one in said] == [one.replace("�", "?") for one in masked]


def test_variables():
    given = {"B": TOKENS[0], "A_TOKEN": "hunter2", "C": "plain", "EMPTY_SECRET": ""}
    assert mask_variables(given) == {"A_TOKEN": MASK, "B": MASK, "C": "plain", "EMPTY_SECRET": ""}
    assert list(mask_variables(given)) == sorted(given)


@pytest.mark.parametrize(
    ("remote", "stripped"),
    [
        ("https://me:hunter2@github.com/a/b.git", "https://github.com/a/b.git"),
        ("https://hunter2@github.com/a/b.git", "https://github.com/a/b.git"),
        ("https://github.com/a/b.git?token=hunter2", "https://github.com/a/b.git"),
        ("git@github.com:a/b.git", "git@github.com:a/b.git"),
        ("ssh://git@github.com/a/b.git", "ssh://git@github.com/a/b.git"),
        ("ssh://git:hunter2@github.com/a/b.git", "ssh://github.com/a/b.git"),
        ("/srv/git/b.git", "/srv/git/b.git"),
        ("../b.git", "../b.git"),
    ],
)
def test_remotes(remote, stripped):
    assert strip_address(remote) == stripped
