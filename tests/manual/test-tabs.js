// SPDX-License-Identifier: MIT
// The samples in four languages as tabs: what is decided, without a page.

import GLib from 'gi://GLib';

import {assertEqual, run, test} from '../gjs/testlib.js';

const FILE = `${GLib.getenv('G_TEST_SRCDIR')}/../introspection/urlmap.js`;
const text = new TextDecoder().decode(GLib.file_get_contents(FILE)[1]);
const script = new Function(`${text}; return {TAB_LANGUAGES, baseURLs, findTabGroups, moveTab};`)();

function find(pattern) {
    return script.findTabGroups([...pattern].map(letter => letter === '#'));
}

test('groups are four samples that follow each other', () => {
    assertEqual(find(''), []);
    assertEqual(find('####'), [0]);
    assertEqual(find('-####-####'), [1, 6]);
    assertEqual(find('###-#-##--'), []);
    assertEqual(find('#####'), []);
    assertEqual(find('#-####-###'), [2]);
});

test('keys lead from tab to tab', () => {
    const ends = key => script.TAB_LANGUAGES.map((_name, index) => script.moveTab(key, index));

    assertEqual(ends('ArrowRight'), [1, 2, 3, 0]);
    assertEqual(ends('ArrowLeft'), [3, 0, 1, 2]);
    assertEqual(ends('Home'), [0, 0, 0, 0]);
    assertEqual(ends('End'), [3, 3, 3, 3]);
    assertEqual(ends('Tab'), [0, 1, 2, 3]);
});

test('the languages are those of the pages', () => {
    assertEqual(script.TAB_LANGUAGES, ['Python', 'JavaScript', 'Vala', 'C']);
    assertEqual(script.baseURLs.length, 3);
});

await run();
