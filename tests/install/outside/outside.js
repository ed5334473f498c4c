// SPDX-License-Identifier: MIT

import Amnesia from 'gi://Amnesia?version=1';

const mem = new Amnesia.Store();
mem.data = 'outside';
print(`"${mem.data}" ${Amnesia.MAJOR_VERSION}`);
