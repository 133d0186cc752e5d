"""What programs print: which words are masked, to the byte, and which stay."""

import pytest

from lineal.client.capture.secret_printed import mask_printed
from lineal.client.capture.secret_shapes import MASK

PRINTED = [
    "Namespace(lr=0.1, password='{}', token='the')",
    "Namespace(lr=0.1, password={}, tokens=512)",
    "{{'api_key': '{}', 'lr': 1, 'token': 'the'}}",
    '{{"db": {{"password": "{}"}}, "pad_token": "[PAD]"}}',
    "Config(access_key={}, secret_key={})",
    "password={}",
    "password: {}",
    "  db.password: {}",
    "password = {}, user = me",
    "host=h password={} dbname=x",
    "host: h password: {} dbname: x",
    '    password = "{}"',
    "DB_PASSWORD={} python train.py",
    "+ export API_KEY={}",
    "+ python train.py --password {} --lr 1",
    "+ python train.py --password '{}' --lr 1",
    "+ python train.py --hf-token={} --lr 1",
    "+ curl -s -u me:{} https://host/x",
    "+ mysql -uroot -p{} db",
    "KeyError: 'x' in {{'client_secret': '{}'}}",
    'ValueError: bad header "X-Api-Key: {}"',
    "machine host login me password {}",
]


@pytest.mark.parametrize("secret", ["hunter2pwQ9", "correct-horse"])
@pytest.mark.parametrize("row", PRINTED)
def test_values_beside_names_are_masked(row: str, secret: str) -> None:
    count = row.count("{}")
    text = f"epoch 1\n{row.format(*[secret] * count)}\nepoch 2"
    assert mask_printed(text) == f"epoch 1\n{row.format(*[MASK] * count)}\nepoch 2"
    assert mask_printed(mask_printed(text)) == mask_printed(text)


@pytest.mark.parametrize(
    "text",
    [
        "token: hello tokens=512 n_tokens: 3",
        "{'token': 'the', 'token_id': 17, 'eos_token': '</s>'}",
        "Token(text='word piece') token='word2vec' token: gpt2-medium",
        "step 3: token: bert-base-uncased-v2 key: value keys: 3",
        "Wrong password: try again",
        "Enter password: ",
        "Settings(password=SecretStr('**********'), api_key=None)",
        "Config(password=<unset>, token=$TOKEN, secret=${SECRET})",
        "password: str",
        "def login(password: str, token: str = None) -> bool:",
        "loaded credentials from ~/.aws/credentials",
        "use --password to log in, or --token",
        "password_file=/etc/x secret_name: mine",
        "private_key_path: /etc/ssl",
        "secrets of the trade: patience and time",
        "commit 8f78c4c1d2e3f4a5b6c7d8e9f0a1b2c3d4e5f6a7 tokenizer=bert",
        "sha256:" + "0123456789abcdef" * 4 + " key=123e4567-e89b-12d3-a456-426614174000",
        "model=meta-llama/Llama-3.1-8B-Instruct max_new_tokens=128",
        "|token|count|",
        "",
        "\n\n",
    ],
)
def test_what_people_print_who_train_stays(text: str) -> None:
    assert mask_printed(text) == text


def test_a_token_of_no_known_kind_is_known_by_how_it_looks() -> None:
    assert mask_printed("token=deadbeef0123456789 token='the'") == f"token={MASK} token='the'"
