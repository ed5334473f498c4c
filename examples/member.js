#!/usr/bin/env -S gjs -m
// SPDX-License-Identifier: MIT
// Shares a value: sets what it reads, one JSON text per line, and prints each change.

import Amnesia from 'gi://Amnesia?version=1';
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import {exit, programArgs} from 'system';

Gio._promisify(Gio.DataInputStream.prototype, 'read_line_async', 'read_line_finish_utf8');

const states = ['closed', 'syncing', 'synced', 'alone'];
const mem = new Amnesia.Store();

mem.connect('changed', (_mem, old, now, remote) => {
    const time = mem.updated.to_local().format('%T');
    const who = remote ? 'remote' : 'local';
    print(`${time} ${who} ${Amnesia.to_json(old)} -> ${Amnesia.to_json(now)}`);
});
mem.connect('notify::state', () => {
    print(`* ${states[mem.state]}${mem.listening ? ` as ${mem.listening}` : ''}`);
});

const stopped = new Gio.Cancellable();
for (const signal of [2, 15]) { // SIGINT and SIGTERM
    GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal, () => {
        stopped.cancel();
        return GLib.SOURCE_CONTINUE;
    });
}

async function setLines() {
    const lines = Gio.DataInputStream.new(Gio.UnixInputStream.new(0, false));

    while (!stopped.is_cancelled()) {
        try {
            const [line] = await lines.read_line_async(GLib.PRIORITY_DEFAULT, stopped);
            if (line === null)
                return;
            if (line !== '')
                mem.data = Amnesia.from_json(line);
        } catch (error) {
            if (!stopped.is_cancelled())
                printerr(`member.js: ${error.message}`);
        }
    }
}

const loop = new GLib.MainLoop(null, false);
try {
    mem.conf = programArgs[0] ?? 'conf.json';
    setLines().finally(() => loop.quit());
    loop.run();
    mem.close_sync(null);
} catch (error) {
    printerr(`member.js: ${error.message}`);
    exit(1);
}
