# SPDX-License-Identifier: MIT

import gi

gi.require_version("Amnesia", "1")
from gi.repository import Amnesia

mem = Amnesia.Store()
mem.data = "outside"
print(f'"{mem.data}" {Amnesia.MAJOR_VERSION}')
