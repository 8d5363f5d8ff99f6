#!/usr/bin/env python3
"""Opens a report in a headless browser and checks what a reader would see.

    report_page.py BROWSER PAGE SUMMARY [PICTURES]

Talks to the browser over its DevTools protocol, by a pair of pipes: nothing but Python is needed.
"""

import base64
import json
import os
import pathlib
import subprocess
import sys
import tempfile

DESKTOP, PHONE = (1280, 900), (390, 844)


class Page:
    """One page in a browser of its own."""

    def __init__(self, browser):
        self.profile = tempfile.TemporaryDirectory()
        to_browser, self.write = os.pipe()
        self.read, from_browser = os.pipe()

        def pipes():
            # The browser reads from descriptor 3 and writes to 4.
            spare = [os.dup(to_browser), os.dup(from_browser)]
            os.dup2(spare[0], 3)
            os.dup2(spare[1], 4)

        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                   "--remote-debugging-pipe", f"--user-data-dir={self.profile.name}", "about:blank"]
        self.browser = subprocess.Popen(command, preexec_fn=pipes, close_fds=False,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self.number, self.rest, self.events, self.session = 0, b"", [], None
        targets = self.call("Target.getTargets")["targetInfos"]
        page = next(target for target in targets if target["type"] == "page")
        attached = self.call("Target.attachToTarget", targetId=page["targetId"], flatten=True)
        self.session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    def message(self):
        while b"\0" not in self.rest:
            more = os.read(self.read, 1 << 16)
            if not more:
                sys.exit("the browser is gone")
            self.rest += more
        text, self.rest = self.rest.split(b"\0", 1)
        return json.loads(text)

    def call(self, method, **params):
        self.number += 1
        request = {"id": self.number, "method": method, "params": params}
        if self.session:
            request["sessionId"] = self.session
        os.write(self.write, json.dumps(request).encode() + b"\0")
        while True:
            answer = self.message()
            if answer.get("id") == self.number:
                if "error" in answer:
                    sys.exit(f"{method}: {answer['error']}")
                return answer["result"]
            self.events.append(answer)

    def open(self, path):
        self.events.clear()
        self.call("Page.navigate", url=pathlib.Path(path).resolve().as_uri())
        while not any(event.get("method") == "Page.loadEventFired" for event in self.events):
            self.events.append(self.message())

    def value(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in result:
            sys.exit(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    def click(self, expression):
        """Clicks on an element as a mouse does."""
        x, y = self.value(
            f"(() => {{ const e = {expression}; e.scrollIntoView({{block: 'center'}});"
            " const r = e.getBoundingClientRect(); return [r.x + 12, r.y + r.height / 2]; })()")
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def look(self, size, scheme):
        width, height = size
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=size == PHONE)
        self.call("Emulation.setEmulatedMedia",
                  features=[{"name": "prefers-color-scheme", "value": scheme}])

    def picture(self, path, whole=True):
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(shot["data"]))

    def close(self):
        self.browser.kill()
        self.browser.wait()


def check(what, holds, found=""):
    if not holds:
        sys.exit(f"not so: {what}: {found}")
    print(f"ok: {what}")


def main():
    browser, path, summary = sys.argv[1:4]
    pictures = pathlib.Path(sys.argv[4]) if len(sys.argv) > 4 else None
    summary = json.loads(pathlib.Path(summary).read_text())
    page = Page(browser)
    try:
        page.look(DESKTOP, "light")
        page.open(path)
        examine(page, summary)
        if pictures:
            pictures.mkdir(parents=True, exist_ok=True)
            show(page, pictures)
    finally:
        page.close()


def examine(page, summary):
    title = page.value("document.title")
    wanted = "baseline:doctor and scripted:hostile on "
    check("the title says what was evaluated", title.startswith(wanted), title)
    column = "[...document.querySelectorAll('table.solved thead th')].findIndex(e => e.textContent == '%s')"
    row = "[...document.querySelectorAll('table.solved tbody tr')].find(r => r.cells[0].textContent.startsWith('%s'))"
    for agent in summary["agents"]:
        share = agent["tasks"]["localization"]["share"]
        cell = (f"{row % 'localization'}.cells[{column % agent['agent']}]"
                ".querySelector('.figure').textContent")
        found = page.value(cell)
        check(f"{agent['agent']} has its share of localization", found == f"{share * 100:.0f} %", found)
    families = page.value("document.querySelectorAll('table.heat tbody tr').length")
    wanted = len({one["family"] for one in summary["episodes"]})
    check("the heat map has a row for each family", families == wanted, families)

    family = "document.querySelector('table.heat tbody tr th a')"
    page.click(family)
    check("a family opens where its name is clicked",
          page.value("document.querySelector('.episodes .family').open"))
    episode = ("[...document.querySelectorAll('.episodes .family[open] .episode')]"
               ".find(e => e.textContent.includes('baseline:doctor'))")
    hidden = f"{episode}.querySelector('.said').checkVisibility()"
    check("an episode is closed at first", not page.value(hidden))
    page.click(f"{episode}.querySelector('summary')")
    check("an episode opens", page.value(hidden))
    said = page.value(f"{episode}.querySelector('.said').textContent")
    check("its first step is a call", "step 1" in said and "(" in said, said)
    check("its last step submits", "submit(" in page.value(f"{episode}.textContent"))

    everything = page.value("document.body.textContent")
    check("an agent's markup is text",
          '<script>document.title = "taken over"</script>' in everything
          and page.value("document.querySelector('#taken') === null && document.images.length == 0"))
    for size, name in ((DESKTOP, "a desktop"), (PHONE, "a phone")):
        page.look(size, "light")
        wide = page.value("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        check(f"nothing is wider than {name}", wide <= 0, wide)
    asked = [event["params"]["request"]["url"] for event in page.events
             if event.get("method") == "Network.requestWillBeSent"]
    check("nothing but the page is asked for", len(asked) == 1 and asked[0].startswith("file:"), asked)
    bad = [event["params"] for event in page.events
           if event.get("method") in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded")]
    check("nothing goes wrong", not bad, bad)


def show(page, pictures):
    for name, size, scheme in (("desktop", DESKTOP, "light"), ("dark", DESKTOP, "dark"),
                               ("phone", PHONE, "light"), ("phone-dark", PHONE, "dark")):
        page.look(size, scheme)
        page.value("window.scrollTo(0, 0)")
        page.picture(pictures / f"{name}.png")
    printed = page.call("Page.printToPDF", printBackground=False)
    (pictures / "report.pdf").write_bytes(base64.b64decode(printed["data"]))


main()
