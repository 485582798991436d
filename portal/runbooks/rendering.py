"""Markdown as HTML that cannot do harm: raw HTML is text, and of what is made only what is listed comes through.

Nothing is fetched from outside: a picture is a link to it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

_TAGS = {
    *("p", "br", "hr", "strong", "em", "s", "code", "pre", "blockquote", "a"),
    *("ul", "ol", "li", "table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {"a": {"href", "title"}, "ol": {"start"}, "*": {"id"}}
_SCHEMES = {"http", "https", "mailto", "tel"}
_BOX = re.compile(r"^\[([ xX]?)\](?=\s|$)")
_MARKED = {"list_item_open", "paragraph_open", "fence", "tr_open", "code_block"}
LINE = "line-"


class _Renderer(RendererHTML):
    def image(self, tokens: Sequence[Token], idx: int, _options: Any, env: Any) -> str:
        """A picture becomes a link: the portal fetches nothing from elsewhere."""
        token = tokens[idx]
        words = self.renderInlineAsText(token.children or [], _options, env) or "picture"
        address = str(token.attrs.get("src", ""))
        return f'<a href="{_escape(address)}">{_escape(words)}</a>'


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


@cache
def _markdown() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}, renderer_cls=_Renderer)
    return parser.enable(["table", "strikethrough"])


def html(lines: Sequence[str], first: int = 0) -> SafeString:
    """Return Markdown as HTML. With `first`, the number of its first line, each part can be pointed at: #line-12."""
    tokens = _markdown().parse("\n".join(lines))
    seen: set[int] = set()
    for token in tokens:
        if token.type == "inline" and token.children:
            _tick(token.children[0])
        if first and token.map and token.type in _MARKED and token.map[0] not in seen and not token.hidden:
            seen.add(token.map[0])
            token.attrSet("id", f"{LINE}{first + token.map[0]}")
    markdown = _markdown()
    made = markdown.renderer.render(tokens, markdown.options, {})
    clean = nh3.clean(
        made,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel="noreferrer nofollow",
        strip_comments=True,
    )
    return mark_safe(_dressed(clean))  # noqa: S308 - nh3 let nothing but the tags above through


def _tick(token: Token) -> None:
    box = _BOX.match(token.content) if token.type == "text" else None
    if box:
        token.content = ("☑" if box[1].strip() else "☐") + token.content[box.end() :]


def _dressed(clean: str) -> str:
    """Return the clean HTML with the classes of our style sheet on its tables and code, which scroll by themselves."""
    clean = clean.replace("<table>", '<div class="table-wrap" tabindex="0"><table class="table">')
    clean = clean.replace("</table>", "</table></div>")
    clean = re.sub(r"<li((?: id=\"[\w-]+\")?>\s*(?:<p[^>]*>)?[☐☑])", r'<li class="tick"\1', clean)
    return re.sub(r"<pre( id=\"[\w-]+\")?>", r'<pre class="code" tabindex="0"\1>', clean)
