// SPDX-License-Identifier: MIT
// The examples of the manual's tutorial work.

import Gio from 'gi://Gio';
import GLib from 'gi://GLib';
import GObject from 'gi://GObject';

import {assertEqual, assertIncludes, conf, run, test} from './testlib.js';

const PAGE = `${GLib.getenv('G_TEST_SRCDIR')}/../introspection/tutorial.md`;
const {READWRITE} = GObject.ParamFlags;

// Stands in for the widgets of GTK.
const Widget = GObject.registerClass({
    GTypeName: 'TestTutorialWidget',
    Properties: {
        value: GObject.ParamSpec.double('value', null, null, READWRITE, 0, 1, 0),
        active: GObject.ParamSpec.boolean('active', null, null, READWRITE, false),
        text: GObject.ParamSpec.string('text', null, null, READWRITE, ''),
    },
}, class Widget extends GObject.Object {});

function read(path) {
    return new TextDecoder().decode(GLib.file_get_contents(path)[1]);
}

// All examples as one module, which hands over what they made.
function makeModule() {
    const blocks = [...read(PAGE).matchAll(/^```js\n(.*?)^```/gms)].map(match => match[1]);

    assertEqual(blocks.length > 10, true);
    return [
        'const {adjustment, lampSwitch, entry, print} = globalThis.stage;',
        ...blocks,
        'Object.assign(globalThis.stage, {mem, action});',
    ].join('\n');
}

async function runExamples(stage) {
    const folder = GLib.Dir.make_tmp('amnesia-XXXXXX');
    const before = GLib.get_current_dir();

    globalThis.stage = stage;
    GLib.file_set_contents(`${folder}/tutorial.js`, makeModule());
    GLib.file_set_contents(`${folder}/conf.json`, JSON.stringify(conf(2)));
    GLib.chdir(folder);
    try {
        await import(Gio.File.new_for_path(`${folder}/tutorial.js`).get_uri());
    } finally {
        GLib.chdir(before);
        for (const name of ['tutorial.js', 'conf.json'])
            GLib.unlink(`${folder}/${name}`);
        GLib.rmdir(folder);
    }
}

test('the examples', async () => {
    const printed = [];
    const stage = {
        adjustment: new Widget(), lampSwitch: new Widget(), entry: new Widget(),
        print: (...what) => printed.push(what.join(' ')),
    };

    await runExamples(stage);
    const {action, adjustment, entry, lampSwitch, mem} = stage;

    for (const line of ['{"volume":0.4,"lamp":true}', '0.5 absent', 'too late',
        'board {"text":"Soundcheck at ten","by":"Ada"}',
        `${conf(2)[1].host}:7702 ${mem.peers.get_item(0).status}`])
        assertEqual(printed.filter(each => each === line), [line]);
    assertIncludes(printed.join('\n'), ':7701 lamp true');
    assertEqual([adjustment.value, entry.text], [0.5, 'Soundcheck at ten']);
    entry.text = 'Break';
    assertEqual(mem.get('board'), {text: 'Break', by: 'Ada'});
    adjustment.value = 1;
    assertEqual(printed[printed.length - 1], '1');
    assertEqual(mem.get_key('volume').print(true), '1.0');
    action.activate(null);
    assertEqual([mem.get('lamp'), lampSwitch.active], [false, false]);
    await mem.close();
});

await run();
