# SPDX-License-Identifier: MIT
"""No link leads nowhere: of the generated manual, and of the pages as they lie in the tree."""

import html.parser
import os
import pathlib
import re
import unittest
import urllib.parse

from pages import INTROSPECTION, MANUAL, SOURCE

GENERATED = pathlib.Path(os.environ["AMNESIA_MANUAL"]) if "AMNESIA_MANUAL" in os.environ else None
SKIPPED = {"build", "_build", "subprojects", "node_modules"}
# What gi-docgen puts there without a place to lead to: it has no website and no source to browse.
EMPTY = {"", "javascript:void(0)"}


class Page(html.parser.HTMLParser):
    """What a page links to, and what can be linked to in it."""

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors = [], set()
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.anchors |= {attributes.get("id"), attributes.get("name")}
        # what is of another library is found by its namespace
        if "data-link" not in attributes:
            self.links += [attributes[name] for name in ("href", "src") if attributes.get(name)]


def find_markdown():
    for path in sorted(SOURCE.rglob("*.md")):
        parts = path.relative_to(SOURCE).parts
        if not any(part in SKIPPED or part.startswith("build") for part in parts[:-1]):
            yield path


def make_anchor(heading):
    """As GitHub and GitLab make it, which is for most what Python-Markdown makes."""
    text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading)
    text = re.sub(r"[^\w\- ]", "", text.strip().lower())
    return text.replace(" ", "-")


def check_external(test, link):
    url = urllib.parse.urlsplit(link)
    test.assertIn(url.scheme, ("https", "http"), link)
    test.assertRegex(url.netloc, r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", link)
    test.assertNotRegex(link, r"\s", link)


class Tree(unittest.TestCase):
    def test_markdown(self):
        pages = list(find_markdown())
        self.assertGreater(len(pages), 10)
        for path in pages:
            text = re.sub(r"^```.*?^```", "", path.read_text(), flags=re.DOTALL | re.MULTILINE)
            text = re.sub(r"`[^`\n]*`", "", text)
            for link in re.findall(r"\]\(([^)\s]+)\)", text):
                with self.subTest(page=str(path.relative_to(SOURCE)), link=link):
                    self.check(path, link)

    def check(self, path, link):
        file, _, anchor = link.partition("#")
        if "://" in link:
            check_external(self, link)
            return
        target = path.parent / file if file else path
        if path.parent == INTROSPECTION and target.suffix == ".html":
            target = target.with_suffix(".md")
        self.assertTrue(target.exists(), f"{target} is not there")
        if anchor:
            headings = re.findall(r"^#+ +(.*)$", target.read_text(), re.MULTILINE)
            self.assertIn(anchor, map(make_anchor, headings))

    def test_each_page_is_reached(self):
        """From the overview, in one step."""
        overview = (INTROSPECTION / "overview.md").read_text()
        for page in MANUAL:
            if page.name != "overview.md":
                self.assertIn(f"]({page.stem}.html)", overview)

    def test_slugs_are_names(self):
        for page in MANUAL:
            self.assertIn(f"\nSlug: {page.stem}\n", page.read_text())


@unittest.skipIf(GENERATED is None, "this build has no manual")
class Manual(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        files = sorted(GENERATED.glob("*.html"))
        cls.pages = {file.name: Page(file.read_text()) for file in files}

    def test_pages_are_there(self):
        self.assertGreater(len(self.pages), 100)
        for page in MANUAL:
            self.assertIn(f"{page.stem}.html", self.pages)

    def test_links(self):
        n_links = 0
        for name, page in self.pages.items():
            for link in set(page.links) - EMPTY:
                n_links += 1
                with self.subTest(page=name, link=link):
                    self.check(name, link)
        self.assertGreater(n_links, 1000)

    def check(self, name, link):
        if "://" in link:
            check_external(self, link)
            return
        file, _, anchor = urllib.parse.unquote(link).partition("#")
        self.assertTrue((GENERATED / (file or name)).exists(), f"{file} is not there")
        if anchor:
            self.assertIn(anchor, self.pages[file or name].anchors)

    def test_entry(self):
        """The overview is the first of the pages that the index names, the tutorial the second."""
        index = (GENERATED / "index.html").read_text()
        found = re.findall(r'<li><a href="([a-z-]+\.html)">', index)
        self.assertEqual(found[:2], ["overview.html", "tutorial.html"])
        self.assertLessEqual({f"{page.stem}.html" for page in MANUAL}, set(found))


if __name__ == "__main__":
    unittest.main()
