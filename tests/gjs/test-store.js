// SPDX-License-Identifier: MIT
// Each feature of the store, as JavaScript has it.

import Amnesia from 'gi://Amnesia?version=1';
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import GObject from 'gi://GObject';

import {
    assertEqual, assertIncludes, assertRefused, assertThrows, conf, run, test, waitFor, withStores,
} from './testlib.js';

const {State} = Amnesia;
const {
    CLOSED, INVALID_CONF, INVALID_VALUE, NOT_CONFIGURED, NOT_IN_SYNC, WRONG_CONTEXT,
} = Amnesia.Error;

function setConf(store, value) {
    return () => {
        store.conf = value;
    };
}

function setData(store, value) {
    return () => {
        store.data = value;
    };
}

// Returns the arguments of each emission of `changed`, as it goes on.
function watch(store) {
    const seen = [];

    store.connect('changed', (_, before, after, remote) => {
        seen.push([Amnesia.unpack(before), Amnesia.unpack(after), remote]);
    });
    return seen;
}

// The first one, as blocking calls are for programs whose main loop does not run: it runs from the
// first promise on.
test('open_sync and close_sync', () => {
    const store = new Amnesia.Store({conf: conf(1)});

    assertEqual(store.state, State.CLOSED);
    assertEqual(store.open_sync(null), true);
    assertEqual(store.state, State.ALONE);
    assertEqual(store.listening, `${conf(1)[0].host}:7701`);
    assertEqual(store.close_sync(null), true);
    assertEqual(store.state, State.CLOSED);
    assertEqual(store.listening, null);
});

test('open_sync inside of a loop', async () => {
    const store = new Amnesia.Store({conf: conf(1)});

    await null;
    await new Promise(resolve => GLib.idle_add(GLib.PRIORITY_DEFAULT, () => {
        resolve(assertRefused(() => store.open_sync(null), WRONG_CONTEXT, 'main loop'));
        return GLib.SOURCE_REMOVE;
    }));
    await store.close();
});

test('conf: an array, an object, a file, an Amnesia.Conf, null', () => {
    const store = new Amnesia.Store();
    const built = new Amnesia.Conf();
    const [file, stream] = Gio.File.new_tmp('conf-XXXXXX.json');

    assertEqual(store.conf, null);
    store.conf = conf(2);
    assertEqual(store.conf.get_n_peers(), 2);
    assertEqual(store.conf.get_peer(1), [true, conf(2)[1].host, 7702]);
    store.conf = {peers: conf(1), group: 'küche', 'max-size': 2048};
    assertEqual([store.conf.group, store.conf.max_size], ['küche', 2048]);
    stream.output_stream.write_all(JSON.stringify(conf(3)), null);
    store.conf = file.get_path();
    assertEqual(store.conf.get_n_peers(), 3);
    file.delete(null);
    built.add_peer(conf(1)[0].host, 7701);
    store.conf = built;
    assertEqual(store.conf === built, true);
    store.conf = undefined;
    assertEqual(store.conf, null);

    const other = new Amnesia.Store({conf: conf(2)});

    assertEqual(other.conf.get_n_peers(), 2);
    other.conf = null;
});

test('conf: built in code', async () => {
    const built = new Amnesia.Conf({group: 'küche', max_size: 2048});

    built.clock_limit = 60;
    built.local = false;
    built.add_peer('10.0.1.2', 7777);
    built.add_allow('10.0.1.0/24');
    built.set_listen('0.0.0.0', 7777);
    assertEqual(built.get_peer(0), [true, '10.0.1.2', 7777]);
    assertEqual([built.group, built.max_size], ['küche', 2048]);
    assertEqual([built.clock_limit, built.local], [60, false]);
    await assertRefused(() => built.add_peer('10.0.1.2', 7777), INVALID_CONF, '10.0.1.2');
    await assertRefused(() => built.add_allow('10.0.1.1/24'), INVALID_CONF, '10.0.1.1/24');
    await assertRefused(() => built.set_listen('localhost', 7777), INVALID_CONF, 'listen');
});

test('conf: what is wrong', async () => {
    const store = new Amnesia.Store();
    const {host} = conf(1)[0];

    await assertRefused(setConf(store, [...conf(1), {host}]), INVALID_CONF, '[1].port');
    await assertRefused(setConf(store, []), INVALID_CONF, 'empty');
    await assertRefused(setConf(store, {prot: 1}), INVALID_CONF, 'prot');
    await assertRefused(() => new Amnesia.Store({conf: []}), INVALID_CONF, 'empty');
    await assertThrows(setConf(store, 'no/such/file'), GLib.FileError, 'no/such/file');
    for (const value of [5, true, new Map(), () => 0])
        await assertThrows(setConf(store, value), TypeError, 'conf is of type');
    assertEqual(store.conf, null);
});

test('data and changed', () => {
    const store = new Amnesia.Store();
    const seen = watch(store);

    assertEqual(store.data, null);
    store.data = {jsontest: 123};
    assertEqual(store.data.jsontest, 123);
    store.data = {jsontest: 123};
    store.data = null;
    assertEqual(seen, [[null, {jsontest: 123}, false], [{jsontest: 123}, null, false]]);
});

test('the arguments of changed are variants', () => {
    const store = new Amnesia.Store();
    const seen = [];

    store.connect('changed', (_, before, after) => {
        seen.push(before, after instanceof GLib.Variant);
    });
    store.data = 1;
    assertEqual(seen, [null, true]);
});

test('notify::data', () => {
    const store = new Amnesia.Store();
    const seen = [];

    store.connect('notify::data', () => seen.push(store.data));
    store.data = 1;
    store.data = 1;
    store.data = 2;
    assertEqual(seen, [1, 2]);
});

test('updated', () => {
    const store = new Amnesia.Store();

    assertEqual(store.updated, null);
    const before = Date.now();

    store.data = 1;
    const updated = store.updated.to_unix() * 1000 + store.updated.get_microsecond() / 1000;

    assertEqual(before <= updated && updated <= Date.now() + 1, true);
});

test('get_data, set_data and write', () => {
    const store = new Amnesia.Store();

    store.set_data(GLib.Variant.new_int32(5));
    assertEqual(store.get_data().get_type_string(), 'i');
    assertEqual(store.write(GLib.Variant.new_string('x')), true);
    assertEqual(store.data, 'x');
});

test('what is refused throws, or is said in log', async () => {
    const store = new Amnesia.Store({data: 1});
    const lines = [];

    await assertRefused(setData(store, GLib.Variant.new_handle(0)), INVALID_VALUE, '“h”');
    await assertThrows(setData(store, new Date()), TypeError, 'Date');
    await assertThrows(() => new Amnesia.Store({data: new Date()}), TypeError, 'Date');
    store.connect('log', (_, line) => lines.push(line));
    store.set_data(GLib.Variant.new_handle(0));
    assertIncludes(lines[0], '“h”');
    assertEqual(store.data, 1);
});

test('V9 a set in a handler', () => {
    const store = new Amnesia.Store();

    store.connect('changed', () => {
        if (store.data === 1)
            store.data = 2;
    });
    const seen = watch(store);

    store.data = 1;
    assertEqual(store.data, 2);
    assertEqual(seen, [[null, 1, false], [1, 2, false]]);
});

test('V9 P8 a handler that throws', () => {
    const store = new Amnesia.Store();

    GLib.test_expect_message('Gjs', GLib.LogLevelFlags.LEVEL_CRITICAL, '*on purpose*');
    store.connect('changed', () => {
        throw new Error('on purpose');
    });
    const seen = watch(store);

    store.data = 1;
    GLib.test_assert_expected_messages_internal('Gjs', 'test-store.js', 0, '');
    assertEqual(store.data, 1);
    assertEqual(seen.length, 1);
});

const Counter = GObject.registerClass({
    GTypeName: 'TestCounter',
    Properties: {
        step: GObject.ParamSpec.int('step', null, null, GObject.ParamFlags.READWRITE, 0, 100, 1),
    },
}, class Counter extends Amnesia.Store {
    constructor(start, properties) {
        super(properties);
        this.data = start;
    }

    count() {
        this.data += this.step;
        return this.data;
    }
});

const Labelled = GObject.registerClass(class Labelled extends Amnesia.Store {
    _init(label, properties) {
        super._init(properties);
        this.label = label;
    }
});

test('a derived class', async () => {
    const counter = new Counter(5, {step: 2});

    assertEqual(counter.count(), 7);
    assertEqual(counter instanceof Amnesia.Store, true);
    assertEqual(GObject.type_name(GObject.type_parent(Counter.$gtype)), 'AmnesiaStore');
    assertEqual(new Labelled('a', {data: 'b'}).data, 'b');

    const other = new Labelled('other', {conf: conf(2)});

    await other.open();
    counter.conf = conf(2);
    await counter.open();
    await waitFor(() => other.data === 7);
    counter.count();
    await waitFor(() => other.data === 9);
    await Promise.all([counter.close(), other.close()]);
});

test('open and close are promises', async () => {
    const store = new Amnesia.Store({conf: conf(1)});

    assertEqual(await store.open(), true);
    assertEqual(store.state, State.ALONE);
    assertEqual(await store.open(), true);
    assertEqual(await store.close(), true);
    assertEqual(store.state, State.CLOSED);
    assertEqual(await store.open_async(null), true);
    assertEqual(await store.close_async(null), true);
});

test('open_async with a callback', async () => {
    const store = new Amnesia.Store({conf: conf(1)});
    const results = [];

    store.open_async(null, (_, result) => results.push(store.open_finish(result)));
    await waitFor(() => results.length > 0);
    store.close_async(null, (_, result) => results.push(store.close_finish(result)));
    await waitFor(() => results.length > 1);
    assertEqual(results, [true, true]);
});

test('promises are rejected', async () => {
    const store = new Amnesia.Store();
    const cancellable = new Gio.Cancellable();

    await assertRefused(() => store.open(), NOT_CONFIGURED, 'conf');
    store.conf = conf(1);
    const opening = store.open();

    store.conf = null;
    await assertRefused(() => opening, CLOSED, 'closed');
    cancellable.cancel();
    store.conf = conf(1);
    await assertThrows(() => store.open(cancellable), Gio.IOErrorEnum, '');
    await store.close();
});

test('opening in the background, and state', async () => {
    const store = new Amnesia.Store();
    const states = [];

    store.connect('notify::state', () => states.push(store.state));
    store.conf = conf(1);
    await waitFor(() => store.state === State.ALONE);
    store.conf = null;
    await waitFor(() => store.state === State.CLOSED);
    assertEqual(states.slice(-2), [State.ALONE, State.CLOSED]);
});

test('two stores share', () => withStores(2, async (a, b) => {
    const seen = watch(b);

    a.data = 'x';
    await waitFor(() => b.data === 'x');
    assertEqual(seen, [[null, 'x', true]]);
    assertEqual(b.updated.to_unix(), a.updated.to_unix());
    b.data = ['y'];
    await waitFor(() => a.data?.[0] === 'y');
}));

test('a late member is synced', async () => {
    const a = new Amnesia.Store({conf: conf(2), data: {a: 1}});
    const b = new Amnesia.Store({conf: conf(2)});

    await a.open();
    await b.open();
    assertEqual(b.state, State.SYNCED);
    assertEqual(b.data, {a: 1});
    await Promise.all([a.close(), b.close()]);
});

test('peers', () => withStores(2, async (a, b) => {
    const peer = a.peers.get_item(0);
    const other = a.listening.endsWith('7701') ? 7702 : 7701;

    assertEqual(a.peers.get_n_items(), 1);
    assertEqual([peer.host, peer.port], [conf(1)[0].host, other]);
    await waitFor(() => peer.state === Amnesia.PeerState.CONNECTED);
    assertEqual(peer.way, Amnesia.Way.TCP);
    a.data = 1;
    await waitFor(() => peer.in_sync);
    // the first heartbeat tells
    await waitFor(() => peer.round_trip >= 0);
    assertEqual(peer.get_round_trip(), peer.round_trip);
    assertEqual(Math.abs(peer.clock_offset) < 1e6, true);
    assertEqual(peer.last_error, null);
    await b.close();
    await waitFor(() => peer.state === Amnesia.PeerState.AWAY && peer.last_error);
}));

test('local way', async () => {
    const folder = GLib.Dir.make_tmp('amnesia-XXXXXX');

    GLib.setenv('XDG_RUNTIME_DIR', folder, true);
    await withStores(2, async (a, b) => {
        const peer = a.peers.get_item(0);

        await waitFor(() => peer.way === Amnesia.Way.LOCAL);
        a.data = 1;
        await waitFor(() => b.data === 1);
        await b.close();
        b.conf = {peers: conf(2), local: false};
        assertEqual(b.conf.local, false);
        await waitFor(() => peer.way === Amnesia.Way.TCP);
    });
    GLib.setenv('XDG_RUNTIME_DIR', '', true);
    GLib.rmdir(`${folder}/amnesia`);
    GLib.rmdir(folder);
});

test('log', async () => {
    const lines = [];
    const store = new Amnesia.Store({conf: conf(2)});

    store.connect('log', (_, line) => lines.push(line));
    await store.open();
    assertEqual(lines.some(line => line.includes(`${conf(2)[1].host}:7702`)), true);
    await store.close();
});

test('close_timeout', () => withStores(2, async a => {
    assertEqual(a.close_timeout, 5000);
    a.close_timeout = 0;
    a.data = 'x'.repeat(8 << 20);
    await assertRefused(() => a.close(), NOT_IN_SYNC, conf(1)[0].host);
}));

test('guest', () => withStores(1, async a => {
    const guest = new Amnesia.Store({guest: true, conf: conf(2)});

    assertEqual(guest.guest, true);
    a.data = 1;
    await guest.open();
    assertEqual([guest.listening, guest.data], [null, 1]);
    guest.guest = false;
    assertEqual(guest.guest, false);
    await guest.close();
}));

test('error', async () => {
    const {host} = conf(1)[0];
    const other = new Gio.SocketListener();
    const store = new Amnesia.Store();

    other.add_address(Gio.InetSocketAddress.new_from_string(host, 7799), Gio.SocketType.STREAM,
        Gio.SocketProtocol.TCP, null);
    assertEqual(store.error, null);
    store.conf = {peers: conf(1), listen: {host, port: 7799}};
    await waitFor(() => store.error);
    assertIncludes(store.error.message, '7799');
    assertEqual(store.state, State.CLOSED);
    other.close();
});

await run();
