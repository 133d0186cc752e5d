"""A table of files with secrets as people write them: what is masked, to the byte; and what is not."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lineal.client.capture.redact import mask_arguments
from lineal.client.capture.secret_files import mask_file
from lineal.client.capture.secret_printed import mask_printed
from lineal.client.capture.secret_shapes import MASK

WORD = "hunter2pwQ9"
PLAIN = "correct-horse"  # of a password: no digit, nothing that looks made by a machine

# {} is the secret, as a word with digits and as one without; all else stays as it is.
YAML = [
    "password: |\n  {}\nuser: me\n",
    "password: |-\n  {}\n\n  {}\nuser: me\n",
    "db:\n  password: >\n    {}\n  user: me\n",
    "db:\n  password: >-\n    {}\n\n  user: me\n",
    "- password: |\n    {}\n  user: me\n",
    "tokens:\n  - {}\n  - {}\nlr: 1\n",
    "tokens:\n- {}\n- {}\nlr: 1\n",
    "passwords:\n  - '{}'\n  - \"{}\"\nlr: 1\n",
    "api_keys:\n  - {}  # mine\nlr: 1\n",
    "passwords:\n  ann: {}\n  bob: {}\nlr: 1\n",
    "secrets:\n  first: {}\nlr: 1\n",
    "password:\n  {}\nuser: me\n",
    "password: {}\n",
    "password: {} # mine\n",
    "password: {}\r\nuser: me\r\n",
    "password: |\r\n  {}\r\nuser: me\r\n",
    "tokens: [{}, {}]\n",
    "db: {{user: me, password: {}}}\n",
    "env:\n- name: DB_PASSWORD\n  value: {}\n- name: LR\n  value: high\n",
    "env:\n- value: {}\n  name: DB_PASSWORD\n- value: high\n  name: LR\n",
    "env:\n  - name: LR\n    value: high\n  - name: API_KEY\n    value: '{}'\n",
    "env:\n  - name: API_KEY\n    value: |\n      {}\n  - name: LR\n    value: high\n",
    "env:\n  - {{name: API_KEY, value: {}}}\n",
    "kind: Secret\nmetadata:\n  name: mine\ndata:\n  anything: {}\ntype: Opaque\n",
    "metadata:\n  name: mine\nstringData:\n  some.yaml: |\n    a: {}\n  other: {}\nkind: Secret\n".replace("a: ", ""),
    "services:\n  db:\n    environment:\n      - POSTGRES_PASSWORD={}\n      - LR=high\n",
    "services:\n  db:\n    environment:\n      POSTGRES_PASSWORD: {}\n      LR: high\n",
    "run: API_KEY={} python train.py --lr 1\n",
    "args:\n  - --password\n  - {}\n  - --lr\n".replace("  - {}", "  - {}"),
]
YAML += [
    "password: &p {}\n",
    "passwords:\n  - |\n    {}\n  - >-\n    {}\nlr: 1\n",
    "tokens:\n  ann: |\n    {}\nlr: 1\n",
    "- key: password\n  value: {}\n",
    "password: 'it{}'\nlr: 1\n".replace("it", ""),
]
JSON = [
    '{{"name": "DB_PASSWORD", "value": "{}"}}',
    '{{"value": "{}", "name": "DB_PASSWORD"}}',
    '{{\n  "name": "DB_PASSWORD",\n  "value": "{}"\n}}\n',
    '{{\n  "value": "{}",\n  "name": "DB_PASSWORD"\n}}\n',
    '[{{\n  "ParameterKey": "DBPassword",\n  "ParameterValue": "{}"\n}}]\n',
    '{{"password": "{}", "lr": 1}}',
    '{{"passwords": ["{}"]}}',
    '{{\n  "passwords": [\n    "{}",\n    "{}"\n  ]\n}}\n',
    '{{\n  "passwords": {{\n    "ann": "{}"\n  }}\n}}\n',
    '{{"args": ["--password", "{}"]}}',
    '{{"cmd": ["mysql", "-p{}", "db"]}}',
]
SHELL = [
    "ENV API_KEY {}\n",
    "ENV API_KEY={}\n",
    "ENV LR=1 API_KEY={} A=b\n",
    "ENV LR=1 \\\n    API_KEY={} \\\n    A=b\n",
    "ARG TOKEN={}\n",
    "arg DB_PASSWORD={}\n",
    "python train.py --password \\\n  {}\n",
    "python train.py --password \\\n  {} \\\n  --lr 1\n",
    "python train.py --password {} --lr 1\n",
    "python train.py --password={} --lr 1\n",
    "python train.py --password '{}' --lr 1\n",
    "export A=1 PASSWORD={} B=2\n",
    "A=1 PASSWORD={} python train.py\n",
    "setenv PASSWORD {}\n",
    "curl -u me:{} https://host/x\n",
    "curl -s -u 'me:{}' https://host/x\n",
    "curl -sS --user me:{} https://host/x\n",
    "curl -ume:{} https://host/x\n",
    "curl https://host/x \\\n  -u me:{}\n",
    "curl -H 'X-Api-Key: {}' https://host/x\n",
    "wget --password={} https://host/x\n",
    "mysql -u root -p{} db\n",
    "mysqldump -uroot -p'{}' db\n".replace("'", ""),
    "mariadb -p{}\n",
    "PGPASSWORD={} psql -h host\n",
    "sshpass -p {} ssh me@host\n",
    "redis-cli -a {} ping\n",
    "docker login -u me -p {} host\n",
    "helm upgrade x --set db.password={} --set lr=1\n",
    "kubectl create secret generic x --from-literal=password={}\n",
    "cat > ~/.netrc <<X\nmachine host login me password {}\nX\n",
    "cat > ~/.netrc <<X\nmachine host\n  login me\n  password {}\nX\n",
    "echo 'host:5432:db:me:{}' > ~/.pgpass\n",
    'echo "password: {}" | tool\n',
]
CODE = [
    'password = "{}"\n',
    'password =\\\n    "{}"\n'.replace("=\\", "= \\"),
    'password = (\n    "{}"\n)\n',
    'password = (\n    "{}"\n    "{}"\n)\n',
    'config(\n    password=\n    "{}",\n)\n',
    'parser.add_argument(\n    "--password",\n    type=str,\n    default="{}",\n)\n',
    'parser.add_argument("--password", default="{}")\n',
    'API_KEYS = [\n    "{}",\n    "{}",\n]\n',
    'PASSWORD = """{}"""\n',
    'PASSWORD = """\n{}\n"""\nx = 1\n',
    'if password == "{}":\n',
    'api_token = "{}"\n',
    "os.environ['API_KEY'] = '{}'\n",
    "os.environ.get('API_KEY', '{}')\n",
    'env = {{"name": "API_KEY", "value": "{}"}}\n',
    'run(["curl", "-u", "me:{}", url])\n',
    'run(["mysql", "-p{}"])\n',
    'os.system("mysql -uroot -p{} db")\n',
    'requests.get(url, headers={{"X-Api-Key": "{}"}})\n',
]
CODE += [
    'x = {{\n    "password":\n        "{}",\n}}\n',
    "password = SecretStr('{}')\n",
    "password: str = Field('{}', description='of mine')\n",
    "password: str = field(default='{}')\n",
    "key = Client(api_key=os.getenv('API_KEY', '{}'))\n",
    "PASSWORD = '{}' '{}'\n",
    "password = ('{}', '{}')\n",
    "session.auth = HTTPBasicAuth('me', '{}')\n",
    "wandb.login(key='{}')\n",
    "%env API_KEY={}\n",
    "!python train.py --password {} --lr 1\n",
    '  "!export API_KEY={}\\n",\n',
    "cursor.execute(\"CREATE USER me IDENTIFIED BY '{}'\")\n",
    "cursor.execute(\"ALTER USER me WITH PASSWORD '{}'\")\n",
]
INI = [
    "[tokens]\nann = {}\nuser = me\n[other]\nlr = high\n",
    '<add key="ApiKey" value="{}"/>\n',
    '<input name="password" value="{}">\n',
    '$env:API_KEY = "{}"\n',
    "aws configure set aws_secret_access_key {}\n",
    "wandb login {}\n",
    "password = {}\n",
    "password={}\n",
    "password =\n  {}\n",
    'password =\n  "{}"\n',
    "Access Token: {}\n",
    "<password>{}</password>\n",
    "//registry.npmjs.org/:_authToken={}\n",
    'variable "db_password" {{\n  type    = string\n  default = "{}"\n}}\n',
    'set {{\n  name  = "x.password"\n  value = "{}"\n}}\n',
]
PROSE = ["The password: {}\n", "- Password: {}\n", "Use PASSWORD={} to log in.\n"]
TABLE = [
    *[("a.yaml", row) for row in YAML],
    *[("a.json", row) for row in JSON],
    *[("a.sh", row) for row in SHELL],
    *[("Dockerfile", row) for row in SHELL],
    *[("a.py", row) for row in CODE],
    *[("a.tf", row) for row in INI],
    *[("a.md", row) for row in PROSE],
]


def bare(text: str) -> str:
    """Where the mask stands for a value without quotes, it has quotes in YAML and JSON."""
    return text.replace(f'"{MASK}"', MASK)


@pytest.mark.parametrize("secret", [WORD, PLAIN])
@pytest.mark.parametrize(("name", "row"), TABLE)
def test_nothing_but_the_secret_is_masked(name: str, row: str, secret: str) -> None:
    content = row.format(*[secret] * row.count("{}"))
    masked = mask_file(name, content.encode()).decode()
    assert bare(masked) == bare(row.format(*[MASK] * row.count("{}")))
    assert mask_file(name, masked.encode()).decode() == masked


@pytest.mark.parametrize("signs", ["+", " ", "-"])
@pytest.mark.parametrize(("name", "row"), TABLE)
def test_so_it_is_in_a_patch(name: str, row: str, signs: str) -> None:
    head = f"diff --git a/{name} b/{name}\nindex 1..2 100644\n--- a/{name}\n+++ b/{name}\n@@ -1,9 +1,9 @@ def f():\n"
    lines = [signs + line for line in row.splitlines(keepends=True)]
    content = head + "".join(lines).format(*[WORD] * row.count("{}"))
    masked = mask_file(name, content.encode()).decode()
    assert bare(masked) == bare(head + "".join(lines).format(*[MASK] * row.count("{}")))


NO_SECRETS = [
    ("a.py", 'token = "word piece"\n'),
    ("a.py", 'token = "the"\n'),
    ("a.py", 'token = "[CLS]"\nother_token = "</s>"\n'),
    ("a.py", 'current_token = "hidden_states"\n'),
    ("a.py", 'if token == "hello":\n'),
    ("a.py", "max_tokens = 512\ntoken_count = 3\n"),
    ("a.py", 'max_tokens = "512"\ntoken_count = "3"\n'),
    ("a.py", 'tokenizer = "bert-base-uncased"\n'),
    ("a.py", 'tokens = ["the", "cat"]\n'),
    ("a.py", 'columns = ["token", "lemma"]\n'),
    ("a.py", 'fields = ("password", "username")\n'),
    ("a.py", 'password_file = "/etc/x"\n'),
    ("a.py", 'secret_name = "projects/x"\n'),
    ("a.py", 'password = os.environ["DB_PASSWORD"]\n'),
    ("a.py", 'password = getpass("Password: ")\n'),
    ("a.py", "password = config.password\n"),
    ("a.py", 'password = ""\n'),
    ("a.py", 'password = "{password}"\n'),
    ("a.py", 'password = "<your password>"\n'),
    ("a.py", 'password = "********"\n'),
    ("a.py", 'API_KEY = "API_KEY"\n'),
    ("a.py", 'field(alias="password", name="password")\n'),
    ("a.py", 'parser.add_argument("--password", help="of the database")\n'),
    ("a.py", 'parser.add_argument("--token", type=str, default=None)\n'),
    ("a.py", 'auth = "basic"\n'),
    ("a.py", 'password = getpass.getpass("Password: ")\napi_key = read("key")\nsecret = load(path, "secret")\n'),
    ("a.py", 'password = os.getenv("DB_PASSWORD")\ntoken = os.environ.get("TOKEN", None)\n'),
    ("a.py", 'auth = ("user", PASSWORD)\n'),
    ("a.py", "def ask(prompt='Password: ', stream=None):\n    x = input('Enter password: ') + 'y'\n"),
    ("a.py", "names = ['HTTP_COOKIE', 'HTTP_REFERER', 'HTTPPasswordMgr', 'AbstractBasicAuthHandler']\n"),
    ("a.py", 'class Credentials:\n    """Who somebody is."""\n'),
    ("a.py", 'def read() -> Password:\n    """Asks for it."""\n'),
    ("a.md", "def is_real(headers, body: bytes, secret: str) -> bool:\n"),
    ("a.py", "CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'\n"),
    ("a.py", "secret = f\"{parts.name}:{unquote(parts.password or '')}\"\npassword = '%s:%s' % (a, b)\n"),
    ("a.md", "`HTTP_PROXY` (`http://NAME:PASSWORD@HOST:PORT`)\n"),
    ("a.py", "%matplotlib inline\n!pip install tokenizers==0.15\n"),
    ("a.toml", '[tokenizer]\nname = "bert"\n[tool.secret]\nlr = "high"\n'),
    ("a.xml", '<input name="user" value="me"/><input name="password" type="password"/>\n'),
    ("a.py", "def login(user, password: str, token: str = None) -> None:\n"),
    ("a.py", "# token: the current one\n"),
    ("a.py", "sep_token: str = '[SEP]'\n"),
    ("a.py", "key = 'attention'\nkeys = ['a', 'b']\nsort_key = 'name'\n"),
    ("a.py", 'print("Password: required")\n'),
    ("a.py", 'x = {"name": "password", "type": "string"}\n'),
    ("a.py", 'commit = "8f78c4c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5f6a7"\n'),
    ("a.py", 'data_key = "123e4567-e89b-12d3-a456-426614174000"\n'),
    ("a.py", 'model = "meta-llama/Llama-3.1-8B"  # token: 1\n'),
    ("a.py", 'begin = "-----BEGIN RSA ' + 'PRIVATE KEY-----"\nreturn validateCertificate(chain)\n'),
    ("a.yaml", "max_tokens: 512\ntokenizer: bert\ntoken_count: 3\npad_token: '[PAD]'\n"),
    ("a.yaml", "tokens: 512\n"),
    ("a.yaml", "special_tokens:\n  - '[CLS]'\n  - word\n"),
    ("a.yaml", "password: ${DB_PASSWORD}\n"),
    ("a.yaml", "password: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n".replace(" |\n  $ANSIBLE_VAULT;1.1;AES256", " x")),
    ("a.yaml", "password:\nuser: me\n"),
    ("a.yaml", "password_file: /etc/x\n"),
    ("a.yaml", "env:\n- name: DB_PASSWORD\n  valueFrom:\n    secretKeyRef:\n      name: mine\n      key: password\n"),
    (
        "a.yaml",
        "env:\n- name: DB_HOST\n  value: host\n- name: DB_PASSWORD\n  valueFrom: x\n- name: LR\n  value: high\n",
    ),
    ("a.yaml", "env:\n- name: DB_PASSWORD\n  value: $(OTHER)\n"),
    ("a.yaml", "secrets:\n  db_password:\n    file: ./db_password.txt\n"),
    ("a.yaml", "secrets: inherit\n".replace("inherit", "${{ x }}")),
    ("a.yaml", "auth:\n  kind: ldap\n  host: here\n"),
    ("a.yaml", "kind: ConfigMap\ndata:\n  lr: high\n"),
    ("a.yaml", "args:\n  - --token\n  - --lr\n"),
    ("a.json", '{"vocab": {"token": 5, "password": 17}, "special_tokens": ["a"]}'),
    ("a.json", '{"eos_token": "</s>", "tokenizer_class": "Bert"}'),
    ("a.json", '{"token": "[UNK]", "id": 3}'),
    ("a.sh", "docker run -p 8080:80 -u me image\n"),
    ("a.sh", "mysql -u root -p db\nmysql -P3306 -h host\n"),
    ("a.sh", "curl -u $USER:$PASSWORD https://host\n"),
    ("a.sh", "curl -u me https://host\n"),
    ("a.sh", "python train.py --max-tokens 512 --tokenizer bert --password-file /etc/x\n"),
    ("a.sh", "python train.py --password $PASSWORD --token=$TOKEN\n"),
    ("a.sh", "PASSWORD=$(cat /run/secrets/x)\n"),
    ("a.sh", "mkdir -p mysql/data && cp -p a b\n"),
    ("a.sh", "docker login --password-stdin host\n"),
    ("a.md", "The token is the smallest piece of a text: token count, key and value.\n"),
    ("a.md", "Token: a piece of a word.\n"),
    ("a.md", "Use --token to pass yours, and PASSWORD=$PASSWORD.\n"),
    ("a.md", "See https://h/auth/login and https://h/settings/tokens\n"),
    ("requirements.txt", "tokenizers==0.15.0\nsecretstorage==3.3.3\npasslib==1.7.4\n"),
    ("uv.lock", 'name = "tokenizers"\nhash = "sha256:' + "0123456789abcdef" * 4 + '"\n'),
]


@pytest.mark.parametrize(("name", "content"), NO_SECRETS)
def test_what_is_no_secret_stays(name: str, content: str) -> None:
    assert mask_file(name, content.encode()).decode() == content


FRAGMENTS = st.sampled_from(
    [
        *"\n \t'\"`:=,-+{}[]()<>|\\@#$%&;/.a1\r",
        *[
            "password",
            "token",
            "kind: Secret",
            "data:",
            "name: password",
            "value: ",
            WORD,
            "```",
            "'''",
            '"""',
            "\n- ",
            "\n  ",
        ],
        *[
            "\n@@ -1 +1 @@",
            "diff --git a/x b/x\n",
            "://",
            "-----BEGIN PRIVATE " + "KEY-----",
            "-----END PRIVATE " + "KEY-----",
        ],
        *[
            "curl -u a:b",
            "mysql -p",
            "machine a login b password ",
            "é",
            "\udcff",
            "\0",
            "default=",
            "--password",
            " \\\n",
        ],
    ]
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(FRAGMENTS, max_size=60).map("".join),
    st.sampled_from(["a.py", "a.yaml", "a.json", "a.sh", "a.md", "a.cfg"]),
)
def test_lines_stay_lines_and_what_is_masked_stays_so(text: str, name: str) -> None:
    content = text.encode("utf-8", "surrogateescape")
    masked = mask_file(name, content)
    assert masked.count(b"\n") == content.count(b"\n")
    if content.startswith(b"diff --git "):  # git must read it
        signs = [line[:1] for line in content.split(b"\n") if line[:1] in (b"+", b"-", b" ", b"@")]
        assert [line[:1] for line in masked.split(b"\n") if line[:1] in (b"+", b"-", b" ", b"@")] == signs
    mask_printed(text)
    mask_arguments(["-c", text])


# What a pattern that tries again from within would need hours for, in which no other thread runs.
HOSTILE = [
    *[
        "\n",
        " ",
        "\t",
        "'",
        '"',
        "\\",
        "a",
        "a.",
        "A_",
        "- ",
        "{",
        "[",
        "(",
        ":",
        "=",
        "://",
        "@",
        "a://b:c",
        "a:b@",
        "#",
    ],
    *[
        "password ",
        "password=",
        "password='",
        "password: ",
        "password: |\n",
        "password = \\\n",
        "--password ",
        '"--password",\n',
    ],
    *[
        "passwords:\n- a\n",
        "secrets:\n ",
        "name: password\n",
        "kind: Secret\ndata:\n",
        '{"name": "password", ',
        "token=a-",
        "password = a.b",
        "password = Field(",
        "identified by ",
        "[tokens]\n",
        "HTTPBasicAuth(a",
        "'a' + ",
    ],
    *[
        "curl -u ",
        "curl \\\n",
        "mysql -p",
        "machine a login ",
        "pgpass:",
        "a:1:b:c:",
        "bearer ",
        "x-a",
        "password = '''\n",
    ],
    *["-----BEGIN PRIVATE " + "KEY-----\n", "-----END PRIVATE " + "KEY-----\n", "A" * 64 + "\n", "sk-", "eyJaaaaaaaa."],
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_no_text_takes_long(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    for name in ("a.py", "a.yaml"):
        mask_file(name, text.encode())
    mask_printed(text)
    mask_arguments(["-c", text])
