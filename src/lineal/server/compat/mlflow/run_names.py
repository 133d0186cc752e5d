"""Names for runs that were given none."""

from __future__ import annotations

import random

# Common ones, which stand among those that MLflow invents names of: what looks for such a name finds one.
_FIRST = """
able adaptable bold bright calm carefree casual classy colorful dapper dashing dazzling fearless funny gentle handsome
luminous mysterious nimble orderly polite rare serious silent skillful stately stylish suave tasteful thoughtful treasured
trusting unique upbeat useful valuable victorious welcoming whimsical wise youthful zealous
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
