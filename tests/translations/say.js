// SPDX-License-Identifier: MIT
// See say.c.

import Amnesia from 'gi://Amnesia?version=1';
import GLib from 'gi://GLib';

import Gettext from 'gettext';

import {conf, waitFor, withStores} from '../gjs/testlib.js';

function say(name, func) {
    try {
        func();
    } catch (error) {
        print(`${name}\t${error.message}`);
        return;
    }
    throw new Error(`${name}: nothing is wrong`);
}

function sayConf(name, json) {
    say(name, () => Amnesia.Conf.new_from_json(json));
}

function sayErrors() {
    const full = new Amnesia.Conf();
    const {host} = conf(1)[0];
    const store = new Amnesia.Store();

    sayConf('conf-port', '[{"host": "::1", "port": 0}]');
    sayConf('conf-missing', '[{"host": "::1", "port": 1}, {"port": 2}]');
    sayConf('conf-host', '[{"host": "[::1]", "port": 1}]');
    for (let port = 1; port <= 256; port++)
        full.add_peer(host, port);
    say('conf-full', () => full.add_peer(host, 300));
    say('json-place', () => Amnesia.from_json('[1,\n 2 3]'));
    say('json-zero', () => Amnesia.from_json('01'));
    say('json-infinite', () => Amnesia.to_json(GLib.Variant.new_double(Infinity)));
    say('value-handle', () => store.write(GLib.Variant.new_handle(0)));
    say('key-length', () => store.set_key('', GLib.Variant.new_int32(1)));
    say('store-without-conf', () => store.open_sync(null));
}

Gettext.bindtextdomain('libamnesia', GLib.getenv('AMNESIA_TRANSLATIONS'));
sayErrors();
await withStores(2, async (a, b) => {
    const peer = a.peers.get_item(0);

    a.data = {x: 1};
    await waitFor(() => b.data?.x === 1 && peer.status.split(', ').length === 3);
    print(`linked\t${peer.status}`);
});
