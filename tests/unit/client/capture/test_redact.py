"""Secrets: what is one by its shape, by the name beside it, and what is none."""

import pytest

from lineal.client.capture.redact import (
    mask_arguments,
    mask_text,
    mask_value,
    mask_variables,
    strip_address,
)
from lineal.client.capture.secret_files import mask_file
from lineal.client.capture.secret_names import is_secret_name
from lineal.client.capture.secret_shapes import MASK, mask_bytes

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
    "s" + "k-" + "ant-api03-" + "ab_c-1234" * 5,
    "s" + "k-" + "or-v1-" + "a1b2c3d4" * 8,
    "api" + "_org_" + "abcdefghij" * 3,
    "xo" + "xc-" + "123456789012-abcdefghij",
    "hv" + "s." + "CAESIJ1234567890abcdefgh",
    "da" + "pi" + "0123456789abcdef" * 2,
    "gs" + "k_" + "a1B2c3D4e5" * 5,
    "lsv2" + "_pt_" + "0123456789abcdef" * 2,
    "123456789" + ":AA" + "a1B2c3D4e5F" * 3,
    "ey" + "JhcGlfYWRkcmVzcyI6" + "a1B2c3D4" * 6,
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
        ("https://me:hun@ter2@host/x", f"https://{MASK}@host/x"),
        ("postgres://me:hun/ter2@db/x", f"postgres://{MASK}@db/x"),
        ("postgres://me:hun/t@er2@db/x?mail=a@b", f"postgres://{MASK}@db/x?mail=a@b"),
        ("postgres://me:hun@t/er2@db/x?mail=a@b", f"postgres://{MASK}@db/x?mail=a@b"),
        ("postgres://me:hun#ter2@db:5432/x", f"postgres://{MASK}@db:5432/x"),
        ("mysql://me:hun?ter2@db/x", f"mysql://{MASK}@db/x"),
        ("redis://:hun/ter2@host", f"redis://{MASK}@host"),
        ("mongodb://me:hun/ter2@h1:1,h2:2/db", f"mongodb://{MASK}@h1:1,h2:2/db"),
        ("https://me:hunter2@host/path/@scope/x", f"https://{MASK}@host/path/@scope/x"),
        ("machine h login me password hunter2", f"machine h login me password {MASK}"),
        ("machine h\n  login me\n  password hunter2\n", f"machine h\n  login me\n  password {MASK}\n"),
        ("+machine h\n+  login me\n+  password hunter2\n", f"+machine h\n+  login me\n+  password {MASK}\n"),
        ("~/.pgpass: h:5432:db:me:hunter2", f"~/.pgpass: h:5432:db:me:{MASK}"),
        ("curl -u me:hunter2 https://h", f"curl -u me:{MASK} https://h"),
        ("curl -H 'X-Api-Key: hunter2' h", f"curl -H 'X-Api-Key: {MASK}' h"),
        ("https://h/token/hunter2/x", f"https://h/token/{MASK}/x"),
        ("https://h/v1/api-key/hunter2?a=1", f"https://h/v1/api-key/{MASK}?a=1"),
        ("https://h/access_token/hunter2", f"https://h/access_token/{MASK}"),
        ("https://h/x?a=1&api_key=hunter2&b=2#c", f"https://h/x?a=1&api_key={MASK}&b=2#c"),
        ("https://h/x#access_token=hunter2", f"https://h/x#access_token={MASK}"),
        (
            "https://b.blob.core.windows.net/c/x?sv=2022&sig=hunter2%3D",
            f"https://b.blob.core.windows.net/c/x?sv=2022&sig={MASK}",
        ),
        (
            "https://b.s3.amazonaws.com/x?X-Amz-Date=1&X-Amz-Signature=hunter2",
            f"https://b.s3.amazonaws.com/x?X-Amz-Date=1&X-Amz-Signature={MASK}",
        ),
        (
            "https://storage.googleapis.com/x?X-Goog-Signature=hunter2",
            f"https://storage.googleapis.com/x?X-Goog-Signature={MASK}",
        ),
        ("https://hooks.slack.com/services/T0/B0/hunter2", f"https://hooks.slack.com/services/{MASK}"),
        ("https://discord.com/api/webhooks/1/hunter2?wait=1", f"https://discord.com/api/webhooks/{MASK}?wait=1"),
        ("https://api.telegram.org/bot1:hunter2/send", f"https://api.telegram.org/bot{MASK}"),
        (
            "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=hunter2hunter2==;X=1",
            f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={MASK};X=1",
        ),
        ("Endpoint=sb://h/;SharedAccessSignature=hunter2hunter2", f"Endpoint=sb://h/;SharedAccessSignature={MASK}"),
        ("Server=h;User Id=sa;Password=hunter 2;Timeout=3", f"Server=h;User Id=sa;Password={MASK};Timeout=3"),
        ("curl -H 'authorization: Basic aHVudGVyMg=='", f"curl -H 'authorization: Basic {MASK}'"),
        ("got Bearer abcdefghij0123456789xyz", f"got Bearer {MASK}"),
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


@pytest.mark.parametrize(
    "text",
    [
        "https://h/auth/login",
        "https://h/x?author=me&max_tokens=5&key_dim=3&page=2",
        "https://huggingface.co/docs/tokenizers/index",
        "https://h/settings/tokens",
        "https://h/token",
        "https://h/token/",
        "https://h/token/{token}/x?token=$TOKEN&sig={sig}",
        "postgres://{user}:{password}@h/d",
        "s3://bucket/key=1/token=a/x.parquet",
        "sk-learn-contrib-experiments-2024",
        "a bearer of bad news who walked 1000 miles",
        "the password; Password = given below",
        "x = a['token'] ? b : c",
        "http://host:8080/@scope/x",
        "http://[::1]:80/a@b",
        "docker://repo:tag@sha256:0123abcd",
        "mongodb://h1:1,h2:2/db?x=a@b",
        "git+https://github.com/x/y@v1#egg=z",
        "https://{host}:{port}/a@b",
        "https://host/a:b@c",
        "a machine that learns has a login and no password yet",
        "12:30:45:100:200 a:1:b:c:d",
        "curl -u me https://h; mysql -p db",
        '{"x-api-key": api_key, "x-token": token}',
        "00:11:22:33:44:55 12345678:AB",
        "Loading tokenizer=bert max_tokens=5 num_tokens=7",
    ],
)
def test_what_is_no_secret_stays(text):
    assert mask_text(text) == text


def test_a_page_in_a_source_file_stays_and_a_secret_goes():
    """In code, which is run again from what is kept."""
    page = b"see https://h/token/refresh or https://h/api-key/create"
    assert mask_file("a.py", page) == page and MASK.encode() in mask_bytes(page)
    assert mask_file("a.py", b"https://h/token/a1b2c3d4e5") == f"https://h/token/{MASK}".encode()


def test_private_keys_keep_their_lines():
    begin, end = "-----BEGIN RSA " + "PRIVATE KEY-----", "-----END RSA " + "PRIVATE KEY-----"
    text = f"+a\n+{begin}\n+MIIEowIBAAKCAQEA1234\n+abcdefghijklmnop1234\n+{end}\n b\n"
    masked = mask_bytes(text.encode()).decode()
    assert masked == f"+a\n+{begin}\n+{MASK}\n+{MASK}\n+{end}\n b\n"
    assert "MIIE" not in mask_bytes(text[: text.index("+abcd")].encode()).decode()


BEGIN, END = "-----BEGIN RSA " + "PRIVATE KEY-----", "-----END RSA " + "PRIVATE KEY-----"
LETTERS = "MIIEowIBAAKCAQEA1234abcdefghijklmnop1234"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        (f"{BEGIN}\n{LETTERS}\nab==\n{END}\nx", f"{BEGIN}\n{MASK}\n{MASK}\n{END}\nx"),
        (f"{LETTERS}\n{LETTERS}\nab==\n{END}\nx", f"{MASK}\n{MASK}\n{MASK}\n{END}\nx"),
        (f"{BEGIN}\n{LETTERS}\n{LETTERS}\nx = 1", f"{BEGIN}\n{MASK}\n{MASK}\nx = 1"),
        (f"[0] {BEGIN}\n[0] {LETTERS}\n[0] {END}\n", f"[0] {BEGIN}\n[0] {MASK}\n[0] {END}\n"),
        (f'k = ("{BEGIN}\\n"\n  "{LETTERS}\\n"\n  "{END}")', f'k = ("{BEGIN}\\n"\n  "{MASK}\\n"\n  "{END}")'),
        (f'{{"k": "{BEGIN}\\n{LETTERS}\\n{END}\\n"}}', f'{{"k": "{BEGIN}{MASK}{END}\\n"}}'),
        (
            f'if "{BEGIN}" in x:\n    validateTheCertificate(x)\n',
            f'if "{BEGIN}" in x:\n    validateTheCertificate(x)\n',
        ),
        (f"{BEGIN}\n{'A1' * 2_000}", f"{BEGIN}\n{MASK}"),
    ],
    ids=range(8),
)
def test_what_is_left_of_a_private_key(text: str, masked: str) -> None:
    assert mask_text(text) == masked


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
        "PGPASSWORD",
        "MYSQL_PWD",
        "AZURE_STORAGE_KEY",
        "KAGGLE_KEY",
        "wandb_key",
        "openai-key",
        "access_tokens",
        "connection_string",
        "SLACK_WEBHOOK_URL",
        "X-Api-Key",
        "PRIVATE-TOKEN",
        "db_pass",
        "pass",
        "bearer",
        "jwt",
        "creds",
        "AWS_SESSION_TOKEN",
        "bot_token",
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
        "tokenizer_name",
        "token_file",
        "private_key_path",
        "placeholder_token",
        "image_token",
        "prompt-token",
        "password_file",
        "PASSWORD_LENGTH",
        "secretName",
        "secret-manager",
        "n_secret",
        "num_passwords",
        "tokens",
        "decoder_start_token",
        "low_pass",
        "n_pass",
        "forward_pass",
        "num_heads",
        "key_padding",
        "query_key_norm",
        "hash_key",
        "sort_key",
        "dict_keys",
        "string",
        "url",
        "signature",
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
        (["--use-auth-token", "True", "--auth=false"], ["--use-auth-token", "True", "--auth=false"]),
        (["-H", "Authorization: hunter2 more"], ["-H", f"Authorization: {MASK}"]),
        (["-H", "X-Api-Key:hunter2"], ["-H", f"X-Api-Key: {MASK}"]),
        (["--header=PRIVATE-TOKEN: hunter2"], [f"--header=PRIVATE-TOKEN: {MASK}"]),
        (["-H", "Cookie: a=hunter2; b=hunter2"], ["-H", f"Cookie: {MASK}"]),
        (
            ["sh", "-c", "FOO_TOKEN=hunter2 python train.py --lr 1"],
            ["sh", "-c", f"FOO_TOKEN={MASK} python train.py --lr 1"],
        ),
        (["sh", "-c", "a --password hunter2 && b"], ["sh", "-c", f"a --password {MASK} && b"]),
        (["sh", "-c", "a --password 'hunter2 more' -x \"k v\""], ["sh", "-c", f"a --password '{MASK}' -x \"k v\""]),
        (["sh", "-c", 'a --password="hunter2 more" x'], ["sh", "-c", f"a --password={MASK} x"]),
        (["sh", "-c", "curl -H 'X-Api-Key: hunter2' h"], ["sh", "-c", f"curl -H 'X-Api-Key: {MASK}' h"]),
        (["--json", '{"api_key": "hunter2", "lr": 1}'], ["--json", f'{{"api_key": "{MASK}", "lr": 1}}']),
        (["--dsn", "host=h password=hunter2 dbname=x"], ["--dsn", MASK]),
        (["--db", "host=h password=hunter2 dbname=x"], ["--db", f"host=h password={MASK} dbname=x"]),
        (["-c", "print('a  b', \"c\")\nx = 1"], ["-c", "print('a  b', \"c\")\nx = 1"]),
        (["-c", "x=\"it's\"; y='", "z"], ["-c", "x=\"it's\"; y='", "z"]),
        (["-p", "8080", "-k", "3"], ["-p", "8080", "-k", "3"]),
        (["curl", "-u", "me:hunter2", "h"], ["curl", "-u", f"me:{MASK}", "h"]),
        (["/usr/bin/curl", "-sume:hunter2"], ["/usr/bin/curl", "-sume:hunter2"]),
        (["curl", "--user=me:hunter2", "-u", "me"], ["curl", f"--user=me:{MASK}", "-u", "me"]),
        (["mysql", "-u", "root", "-phunter2", "db"], ["mysql", "-u", "root", f"-p{MASK}", "db"]),
        (["mysql", "-p", "db", "-P3306"], ["mysql", "-p", "db", "-P3306"]),
        (["train.py", "-phunter2"], ["train.py", "-phunter2"]),
        (
            ["sudo", "sshpass", "-p", "hunter2", "ssh", "-p", "22", "h"],
            ["sudo", "sshpass", "-p", MASK, "ssh", "-p", "22", "h"],
        ),
        (["docker", "login", "-u", "me", "-p", "hunter2"], ["docker", "login", "-u", "me", "-p", MASK]),
        (["docker", "run", "-p", "80:80", "x"], ["docker", "run", "-p", "80:80", "x"]),
        (["--passwords", "hunter2", "hunter3", "--lr", "1"], ["--passwords", MASK, MASK, "--lr", "1"]),
        (["--api-keys", "hunter2", "-v", "x"], ["--api-keys", MASK, "-v", "x"]),
        (["--pass", "hunter2", "data.csv"], ["--pass", MASK, "data.csv"]),
        (["--use_auth_token", "data.csv"], ["--use_auth_token", "data.csv"]),
        (["--use_auth_token", "hunter2pwQ9"], ["--use_auth_token", MASK]),
        (["--mem-token", "16", "--unknown-token", "<unk>"], ["--mem-token", "16", "--unknown-token", "<unk>"]),
        (["--pw", "3", "--n_secret", "3"], ["--pw", "3", "--n_secret", "3"]),
        (["password_length=8", "--password-file", "/etc/x"], ["password_length=8", "--password-file", "/etc/x"]),
        (["--password", "$PASSWORD", "--token=$TOKEN"], ["--password", "$PASSWORD", "--token=$TOKEN"]),
        (["bash", "-lc", "export TOKEN=hunter2; python t.py"], ["bash", "-lc", f"export TOKEN={MASK}; python t.py"]),
        (["sh", "-c", "(TOKEN=hunter2)"], ["sh", "-c", f"(TOKEN={MASK})"]),
        (["sh", "-c", "a --password \\\n  hunter2 \\\n  -x"], ["sh", "-c", f"a --password \\\n  {MASK} \\\n  -x"]),
        (["sh", "-c", "curl -u me:hunter2 h | x"], ["sh", "-c", f"curl -u me:{MASK} h | x"]),
        (["sh", "-c", "mysql -phunter2 < x"], ["sh", "-c", f"mysql -p{MASK} < x"]),
        (["tests/test_auth.py::test_token", "a::b"], ["tests/test_auth.py::test_token", "a::b"]),
        (["tokenizer=bert", "max_tokens=5", "key_dim=64"], ["tokenizer=bert", "max_tokens=5", "key_dim=64"]),
        (["a\udcff b"], ["a\ufffd b"]),
    ],
)
def test_command_lines(given, masked):
    said = mask_arguments(given)
    assert [one.replace("�", "?") for one in said] == [one.replace("�", "?") for one in masked]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("use_auth_token", "True", "True"),
        ("token", "None", "None"),
        ("password", "", ""),
        ("password", "123", MASK),
        ("num_tokens", "5", "5"),
        ("token", "$TOKEN", "$TOKEN"),
        ("token", "Bearer hunter2", MASK),
        ("credentials", '{"user": "me"}', MASK),
        ("settings", '{"lr": "x", "password": "hunter2"}', f'{{"lr": "x", "password": "{MASK}"}}'),
        ("x", '["--password", "hunter2", "--token"]', f'["--password", "{MASK}", "--token"]'),
        ("tokenizer", "bert", "bert"),
        ("url", "postgres://a:hunter2@h", f"postgres://{MASK}@h"),
    ],
)
def test_values(name, value, said):
    assert mask_value(name, value) == said


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
        ("https://h/token/hunter2/b.git", f"https://h/token/{MASK}/b.git"),
        ("https://oauth2:glp" + "at-hunter2hunter2hunter2@gitlab.com/a.git", "https://gitlab.com/a.git"),
        ("https://x-access-token:hunter2@github.com/a/b", "https://github.com/a/b"),
        ("me:hunter2@host:a/b.git", "host:a/b.git"),
        ("../b.git", "../b.git"),
    ],
)
def test_remotes(remote, stripped):
    assert strip_address(remote) == stripped


@pytest.mark.parametrize("text", ["'" * 20_000, "\"'" * 10_000, "a'b\" " * 5_000, "://" * 20_000, "; " * 20_000])
def test_a_command_line_of_nothing_but_marks(text):
    assert mask_arguments(["-c", text]) == ["-c", text]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("conf.yaml", "db: {user: me, password: hunter2pwQ9}"),
        ("c.py", "password = ('hunter2pwQ9')"),
        ("c.py", "os.environ['API_KEY'] = 'hunter2pwQ9'"),
        ("c.py", "os.environ.setdefault('API_KEY', 'hunter2pwQ9')"),
        ("c.py", "PASSWORD: str = 'hunter2pwQ9'"),
        ("c.py", "PASSWORD: str | None = 'hunter2pwQ9'"),
        ("c.py", "password=f'hunter2pwQ9'"),
        ("c.py", "password=b'hunter2pwQ9'"),
        ("c.py", "password='''hunter2pwQ9'''"),
        ("c.py", 'password = "hunter2\\"pwQ9"'),
        ("c.py", 'password = "hun\'ter2pwQ9"'),
        ("c.py", "parser.add_argument('--password', default='hunter2pwQ9')"),
        ("c.ipynb", '"source": ["api_key = \\"hunter2pwQ9\\"\\n"]'),
        ("c.sh", "export API_KEY=hunter2pwQ9"),
        ("c.sh", "PASSWORD=hunter2pwQ9 python t.py"),
        ("Dockerfile", "ENV API_KEY=hunter2pwQ9"),
        ("Dockerfile", "ARG TOKEN=hunter2pwQ9"),
    ],
)
def test_secrets_in_files_as_people_write_them(name: str, content: str) -> None:
    masked = mask_file(name, content.encode()).decode()
    assert "wQ9" not in masked and "ter2" not in masked
    assert MASK in masked


@pytest.mark.parametrize(
    ("argument", "masked"),
    [
        ("db={user:me,password:hunter2}", f"db={{user:me,password:{MASK}}}"),
        ("--set=db.password=hunter2", f"--set=db.password={MASK}"),
        ("--env=API_KEY=hunter2", f"--env=API_KEY={MASK}"),
        ("lr=1,password=hunter2", f"lr=1,password={MASK}"),
        ("--opts=lr=1,depth=2", "--opts=lr=1,depth=2"),
        ("model={name:net,max_tokens:5}", "model={name:net,max_tokens:5}"),
    ],
)
def test_a_secret_within_an_argument(argument: str, masked: str) -> None:
    assert mask_arguments([argument]) == [masked]


def test_blank_lines_by_the_thousand_stop_nobody() -> None:
    """A pattern that tries each run of them from each of its places takes minutes, in which no other thread runs."""
    content = b"\n" * 100_000 + b" \n" * 100_000 + b"\t" * 100_000 + b"\npassword = hunter2pwQ9\n"
    assert mask_file("x.txt", content).endswith(f"password = {MASK}\n".encode())
