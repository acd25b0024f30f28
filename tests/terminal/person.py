"""A person whose browser is on another machine: it reaches the server, but not the loopback port of the login."""

import html
import re
import urllib.error
import urllib.parse
import urllib.request

MAX_PAGES = 15


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def approve(url, typed=None):
    """Does what the pages ask for, and answers the address at which the browser ends."""
    opener = urllib.request.build_opener(_NoRedirect(), urllib.request.HTTPCookieProcessor())
    origin = urllib.parse.urlsplit(url).netloc
    body = None
    for _ in range(MAX_PAGES):
        if urllib.parse.urlsplit(url).netloc != origin:
            return url
        try:
            response = opener.open(url, body)
        except urllib.error.HTTPError as error:
            response = error
        location = response.headers.get("location")
        if location:
            url, body = urllib.parse.urljoin(url, location), None
            continue
        page = response.read().decode()
        if response.status >= 400:
            raise AssertionError(f"{response.status} at {url}\n{page}")
        form = re.search(r"<form\b([^>]*)>(.*?)</form>", page, re.S)
        if not form:
            return url
        url = urllib.parse.urljoin(url, _attribute(form[1], "action") or url)
        fields = urllib.parse.urlencode(_fill_in(form[2], typed or {}))
        if _attribute(form[1], "method") == "post":
            body = fields.encode()
        else:
            url, body = f"{url.split('?')[0]}?{fields}", None
    raise AssertionError(f"the pages do not end: {url}")


def _fill_in(form, typed):
    fields = {}
    for tag in re.findall(r"<input\b[^>]*>", form):
        name = _attribute(tag, "name")
        unchosen = _attribute(tag, "type") == "radio" and not re.search(r"\schecked\b", tag)
        if name and not unchosen:
            fields[name] = _attribute(tag, "value") or typed.get(name, "")
    for tag in re.findall(r"<button\b[^>]*>", form):
        name = _attribute(tag, "name")
        # The first button is the one that a page wants to be pressed.
        if name and name not in fields:
            fields[name] = _attribute(tag, "value") or ""
    return fields


def _attribute(tag, name):
    found = re.search(rf'\s{name}="([^"]*)"', tag)
    return html.unescape(found[1]) if found else None
