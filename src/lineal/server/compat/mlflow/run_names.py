"""Names for runs that were given none."""

from __future__ import annotations

import random

_FIRST = """
amber ample ardent brave bright brisk calm candid careful cheerful clear clever crisp curious daring
deft eager early easy exact fair fleet fond frank fresh gentle glad golden grand hardy hasty honest
humble jolly keen kind light lively lucky mellow merry mild modest neat nimble noble patient placid
plain polite proud quick quiet rapid ready rustic serene sharp silent simple sincere sleek smooth snug
sober solid steady stout sturdy subtle sunny supple sure swift tidy tranquil upbeat vivid warm wise
witty zesty
"""
_SECOND = """
alder badger beech birch bison cedar cicada cobra condor coral crane cypress dolphin eagle egret elm
falcon fern finch fox gecko gull hare hawk hazel heron hornet ibex jay juniper kestrel kite koala larch
lark lemur lily lynx magpie maple marten mole moss newt oak olive orca osprey otter owl panda perch pike
pine plover poplar puffin quail raven robin rook rowan salmon seal sedge shrew skink sloth sparrow
spruce stoat stork swan swift tapir teal tern thrush toad trout viper vole walnut weasel willow wren yew
zebra
"""


def invented_name() -> str:
    return f"{random.choice(_FIRST.split())}-{random.choice(_SECOND.split())}-{random.randint(1, 999)}"
