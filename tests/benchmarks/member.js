// SPDX-License-Identifier: MIT
// A member in JavaScript: ping CONF COUNT WARM, echo CONF, or writer CONF SETS; see jobs.py.

import Amnesia from 'gi://Amnesia?version=1';
import GLib from 'gi://GLib';
import System from 'system';

const [role, conf, ...numbers] = System.programArgs;
const mem = new Amnesia.Store();
mem.conf = Amnesia.Conf.new_from_json(conf);
const loop = new GLib.MainLoop(null, false);

function isLinked() {
    const peers = mem.peers;
    for (let i = 0; i < peers.get_n_items(); i++) {
        if (peers.get_item(i).state === Amnesia.PeerState.CONNECTED)
            return mem.state === Amnesia.State.SYNCED;
    }
    return false;
}

function waitLinked() {
    while (!isLinked())
        GLib.MainContext.default().iteration(true);
}

function readPeak() {
    const [, bytes] = GLib.file_get_contents('/proc/self/status');
    return Number(/VmHWM:\s*(\d+)/.exec(new TextDecoder().decode(bytes))[1]);
}

const roles = {
    echo() {
        mem.connect('changed', (_mem, _old, now, remote) => {
            if (remote)
                mem.data = now.get_int64() + 1;
        });
        loop.run();
    },

    ping(count, warm) {
        const laps = [];
        let began = 0;
        mem.connect('changed', (_mem, _old, now, remote) => {
            if (!remote)
                return;
            const number = now.get_int64();
            let time = GLib.get_monotonic_time();
            if (number > 2 * warm) {
                laps.push(time - began);
            } else if (number === 2 * warm) {
                print('began');
                time = GLib.get_monotonic_time();
            }
            if (laps.length === count) {
                loop.quit();
                return;
            }
            began = time;
            mem.data = number + 1;
        });
        waitLinked();
        mem.data = 1;
        loop.run();
        print('ended');
        print(JSON.stringify(laps));
    },

    writer(sets) {
        waitLinked();
        GLib.idle_add(GLib.PRIORITY_DEFAULT, () => {
            const peak = readPeak();
            print(GLib.get_monotonic_time());
            for (let number = 1; number <= sets; number++)
                mem.data = number;
            print(readPeak() - peak);
            return GLib.SOURCE_REMOVE;
        });
        loop.run();
    },
};

roles[role](...numbers.map(Number));
