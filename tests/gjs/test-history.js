// SPDX-License-Identifier: MIT
// Who shares, and what has changed, as JavaScript has it: lists that a window can show.

import Amnesia from 'gi://Amnesia?version=1';
import Gio from 'gi://Gio';
import GObject from 'gi://GObject';

import {assertEqual, run, test, waitFor, withStores} from './testlib.js';

function items(list) {
    return Array.from({length: list.get_n_items()}, (_, index) => list.get_item(index));
}

function history(store) {
    return items(store.history).map(change => [change.key, change.old, change.new]);
}

test('off', () => {
    const store = new Amnesia.Store({data: 1});

    assertEqual([store.history_length, store.history.get_n_items()], [0, 0]);
    assertEqual(store.history instanceof Gio.ListModel, true);
});

test('changes', () => {
    const store = new Amnesia.Store({history_length: 3});

    store.data = 5;
    store.data = {a: 1};
    store.set('a', [2]);
    assertEqual(history(store), [[null, null, 5], [null, 5, {a: 1}], ['a', 1, [2]]]);
    store.delete('a');
    assertEqual(history(store)[2], ['a', [2], null]);
    store.history_length = 1;
    assertEqual(history(store), [['a', [2], null]]);
    store.set_history_length(0);
    assertEqual([store.get_history_length(), history(store)], [0, []]);
    assertEqual(store.get_history() === store.history, true);
});

test('a change', () => {
    const store = new Amnesia.Store({historyLength: 3});
    const before = Date.now();

    store.set('a', 0.5);
    const change = store.history.get_item(0);

    assertEqual(change instanceof Amnesia.Change, true);
    assertEqual([change.key, change.get_key()], ['a', 'a']);
    assertEqual([change.get_old(), change.get_new().print(true)], [null, '0.5']);
    assertEqual([change.remote, change.get_remote()], [false, false]);
    assertEqual(change.when.to_unix() >= Math.floor(before / 1000), true);
    assertEqual(change.get_when().equal(change.when), true);
    assertEqual([change.writer, change.get_writer()], [null, null]);
});

test('a list model', () => {
    const store = new Amnesia.Store({history_length: 3});
    const seen = [];

    store.history.connect('items-changed', (_, ...what) => seen.push(what));
    store.set('a', 1).set('b', 1);
    assertEqual(seen, [[0, 0, 1], [1, 0, 1]]);
});

test('who', () => withStores(2, async (a, b) => {
    b.history_length = 10;
    a.set('a', 1);
    await waitFor(() => b.history.get_n_items() === 1);
    b.set('b', 2);
    assertEqual(items(b.history).map(change => [change.remote, change.writer]),
        [[true, a.listening], [false, b.listening]]);
}));

const Line = GObject.registerClass({
    GTypeName: 'TestLine',
    Properties: {
        text: GObject.ParamSpec.string('text', null, null, GObject.ParamFlags.READWRITE, ''),
    },
}, class Line extends GObject.Object {});

test('name and status of a peer', () => withStores(2, async (a, b) => {
    const peer = a.peers.get_item(0);
    const line = new Line();

    peer.bind_property('status', line, 'text', GObject.BindingFlags.SYNC_CREATE);
    assertEqual([peer.name, peer.get_name()], [b.listening, b.listening]);
    await waitFor(() => line.text.includes('TCP'));
    assertEqual(peer.get_status(), line.text);
    await b.close();
    await waitFor(() => !line.text.includes('TCP'));
}));

await run();
