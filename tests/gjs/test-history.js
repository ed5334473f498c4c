// SPDX-License-Identifier: MIT
// What a store remembers, and what its peers say of themselves, as JavaScript has it.

import Amnesia from 'gi://Amnesia?version=1';
import Gio from 'gi://Gio';
import GLib from 'gi://GLib';

import {assertEqual, conf, passTime, run, test, waitFor, withStores} from './testlib.js';

function list(model) {
    return Array.from({length: model.get_n_items()}, (_, i) => model.get_item(i));
}

test('history: off', () => {
    const store = new Amnesia.Store();

    assertEqual(store.history_length, 0);
    assertEqual(store.history instanceof Gio.ListModel, true);
    store.data = 1;
    assertEqual(store.history.get_n_items(), 0);
});

test('history: local', () => {
    const before = Math.floor(Date.now() / 1000);
    const store = new Amnesia.Store({history_length: 3});

    store.data = 1;
    store.data = {a: 1, b: [2]};
    store.data = {a: 3};

    const [first, second, third] = list(store.history);

    assertEqual(first instanceof Amnesia.Change, true);
    assertEqual([first.key, first.old, first.new], [null, 1, {a: 1, b: [2]}]);
    assertEqual([second.key, second.old, second.new], ['a', 1, 3]);
    assertEqual([third.key, third.old, third.new], ['b', [2], null]);
    assertEqual([third.remote, third.writer], [false, null]);
    assertEqual(third.when.to_unix() >= before, true);
    assertEqual(third.get_old().recursiveUnpack(), [2]);
    assertEqual([third.get_key(), third.get_new()], ['b', null]);
    assertEqual([third.get_remote(), third.get_writer()], [false, null]);
    assertEqual(third.get_when().to_unix(), third.when.to_unix());
});

test('history: items-changed', () => {
    const store = new Amnesia.Store({history_length: 2});
    const seen = [];

    store.history.connect('items-changed', (_, ...change) => seen.push(change));
    for (const number of [0, 1, 2])
        store.data = number;
    assertEqual(seen, [[0, 0, 1], [1, 0, 1], [0, 1, 0], [1, 0, 1]]);
    store.history_length = 0;
    assertEqual(seen.at(-1), [0, 2, 0]);
    store.set_history_length(5);
    assertEqual(store.get_history_length(), 5);
    assertEqual(store.get_history() === store.history, true);
});

test('history: by hand', () => {
    const change = new Amnesia.Change({
        key: 'k', new: new GLib.Variant('i', 5), remote: true, writer: 'a:1',
    });

    assertEqual([change.key, change.old, change.new], ['k', null, 5]);
    assertEqual([change.remote, change.writer], [true, 'a:1']);
});

test('history: remote', () => withStores(2, async (a, b) => {
    b.history_length = 10;
    a.data = 'hello';
    await waitFor(() => b.history.get_n_items());

    const [change] = list(b.history);

    assertEqual([change.new, change.remote], ['hello', true]);
    assertEqual(change.writer, a.listening);
}));

test('peers: name and status', async () => {
    const a = new Amnesia.Store({conf: conf(2)});

    await a.open();

    const peer = a.peers.get_item(0);
    const statuses = [];

    peer.connect('notify::status', () => statuses.push(peer.status));
    assertEqual(peer.name, `${conf(1)[0].host}:7702`);
    assertEqual(peer.get_name(), peer.name);

    const b = new Amnesia.Store({conf: conf(2)});

    await b.open();
    await waitFor(() => peer.status.startsWith('in sync'));
    assertEqual(statuses.at(-1), peer.get_status());
    await b.close();
    await waitFor(() => peer.status.startsWith('away'));
    await a.close();
});

// A store that turns when we say so, and what makes it do so.
function makeSlow(properties) {
    const context = GLib.MainContext.new();

    context.push_thread_default();

    const store = new Amnesia.Store(properties);

    context.pop_thread_default();
    return [store, () => context.iteration(false)];
}

test('peers: sending and receiving', async () => {
    const a = new Amnesia.Store({conf: conf(1)});

    await a.open();

    const [b, turn] = makeSlow({conf: conf(1)});
    const [gone, come] = [[], []];
    let peer, other;

    await waitFor(() => {
        turn();
        [peer, other] = [a.peers.get_item(0), b.peers.get_item(0)];
        return peer?.in_sync && other?.in_sync;
    });

    assertEqual([peer.sending, other.receiving], [1, 1]);
    peer.connect('notify::sending', () => gone.push(peer.sending));
    other.connect('notify::receiving', () => come.push(other.get_receiving()));
    a.data = new Uint8Array(15 * 1024 * 1024);
    await waitFor(() => peer.sending < 1);
    assertEqual(gone.at(-1), peer.get_sending());
    while (b.get_data() === null) {
        turn();
        await passTime(250);
    }
    await waitFor(() => {
        turn();
        return peer.in_sync;
    });
    for (const seen of [gone, come]) {
        assertEqual(seen.length > 1, true);
        assertEqual(seen, [...seen].sort((x, y) => x - y));
        assertEqual(seen.at(-1), 1);
    }

    const closed = Promise.all([a.close(), b.close()]);

    await waitFor(() => {
        turn();
        return b.state === Amnesia.State.CLOSED;
    });
    await closed;
});

await run();
