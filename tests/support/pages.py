"""The code on a page of documentation, to be run as it is written there."""

import re
from typing import NamedTuple

from tests.support.processes import ROOT

#: What stands for the reader's own server and write key on every page.
HOST, KEY = "https://track.shop.example", "WRITE_KEY"


class Block(NamedTuple):
    """A block of code and the heading that it stands under."""

    section: str
    language: str
    code: str

    def filled(self, url: str, key: str) -> str:
        """The code with a server's own address and write key in it. Raises AssertionError if it names neither."""
        assert HOST in self.code
        assert KEY in self.code
        return self.code.replace(HOST, url).replace(KEY, key)


def every_block(page: str) -> list[Block]:
    """The blocks of a page (its path from the root of the project), in their order."""
    text, heading = (ROOT / page).read_text(), ""
    found = list[Block]()
    # Blocks first, so that a comment in one is no heading.
    for language, code, title in re.findall(r"^```(\w+)\n(.*?)^```$|^#+ ([^\n]+)$", text, re.MULTILINE | re.DOTALL):
        if title:
            heading = title
        else:
            found.append(Block(heading, language, code))
    return found


def blocks(page: str) -> dict[str, Block]:
    """The same by their sections, each of which has at most one."""
    every = every_block(page)
    found = {block.section: block for block in every}
    assert len(found) == len(every), f"{page}: a section has two blocks of code"
    return found
