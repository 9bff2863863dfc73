"""Opens a page in Chromium, uses it as a reader would, and prints what was seen as JSON.

    browser.py URL FOLDER

The browser is driven by chromedriver over loopback (WebDriver). FOLDER is for all that it
writes.
"""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request

ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,900",
]
ROWS = "Array.from(document.querySelectorAll('#records tbody tr'))"
SEEN = f"""
const rows = {ROWS}.filter((row) => row.getClientRects().length > 0);
return {{
  rows: rows.length,
  count: document.getElementById('count').textContent,
  nothing: document.getElementById('nothing').getClientRects().length > 0,
  filter: document.getElementById('filter').getClientRects().length > 0,
}};
"""
PAGE = f"""
return {{
  title: document.title,
  text: document.body.innerText,
  texts: {ROWS}.map((row) => row.innerText),
  marks: Array.from(document.querySelectorAll('mark')).map((mark) => mark.innerText),
  scripts: document.scripts.length,
  foreign: document.querySelectorAll('img, iframe, object, embed, form[action], [style], b, marquee').length,
  owned: window.owned === true,
}};
"""
LOOKS = """
const colour = (at, what) => getComputedStyle(document.querySelector(at))[what];
return {
  page: colour('body', 'backgroundColor'),
  text: colour('body', 'color'),
  chart: colour('figure svg.wide path[fill="#CF222E"]', 'fill'),
};
"""
WIDTHS = "return [document.documentElement.scrollWidth, document.documentElement.clientWidth];"


class Browser:
    """A session of a browser."""

    def __init__(self, folder):
        self.driver = subprocess.Popen(
            ["chromedriver", "--port=0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            start_new_session=True,
            env={**os.environ, "HOME": folder, "TMPDIR": folder},
        )
        for line in self.driver.stdout:
            if found := re.search(r"started successfully on port (\d+)", line):
                self.at = f"http://127.0.0.1:{found[1]}/session"
                break
        options = {"args": [*ARGUMENTS, f"--user-data-dir={folder}/profile"]}
        wanted = {"goog:chromeOptions": options, "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"}}
        session = self.post("", capabilities={"alwaysMatch": wanted})
        self.at += "/" + session["sessionId"]

    def end(self):
        """Ends the driver with all that it started."""
        os.killpg(self.driver.pid, signal.SIGKILL)
        self.driver.wait()

    def post(self, path, **body):
        request = urllib.request.Request(
            self.at + path,
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        # The machine may name a proxy, which has no business here.
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(request, timeout=60) as reply:
            return json.load(reply)["value"]

    def run(self, script):
        return self.post("/execute/sync", script=script, args=[])

    def command(self, name, **params):
        return self.post("/goog/cdp/execute", cmd=name, params=params)

    def find(self, selector):
        found = self.post("/element", using="css selector", value=selector)
        return "/element/" + found[ELEMENT]

    def type(self, selector, text):
        self.post(self.find(selector) + "/value", text=text)

    def click(self, selector):
        self.post(self.find(selector) + "/click")

    def pick(self, selector, label):
        options = f"document.querySelector('{selector}').options"
        script = f"return Array.from({options}).findIndex((option) => option.text === {json.dumps(label)});"
        self.click(f"{selector} option:nth-child({self.run(script) + 1})")

    def log(self, kind):
        return self.post("/se/log", type=kind)


def requests(log):
    """Returns the addresses of all that was asked for, but by the browser's own first page."""
    messages = (json.loads(entry["message"])["message"] for entry in log)
    sent = (m["params"] for m in messages if m["method"] == "Network.requestWillBeSent")
    own = "chrome://"
    return sorted({params["request"]["url"] for params in sent if not params["documentURL"].startswith(own)})


def use(browser, url):
    seen = {}
    browser.post("/url", url=url)
    seen["page"] = browser.run(PAGE)
    seen["all"] = browser.run(SEEN)
    browser.type("#search", "]]>")
    seen["searched"] = browser.run(SEEN)
    browser.pick("#code", "odd<i>")
    seen["both"] = browser.run(SEEN)
    browser.click("#filter button")
    # A reset is heard before it is done: what follows it is done a turn later.
    browser.post("/execute/async", script="setTimeout(arguments[0], 0)", args=[])
    seen["reset"] = browser.run(SEEN)
    browser.pick("#code", "even")
    seen["code"] = browser.run(SEEN)
    browser.pick("#table", "broken")
    seen["table"] = browser.run(SEEN)
    seen["light"] = browser.run(LOOKS)
    browser.command("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    seen["dark"] = browser.run(LOOKS)
    browser.command("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=1, mobile=True)
    browser.click("#filter button")
    browser.post("/execute/async", script="setTimeout(arguments[0], 0)", args=[])
    browser.run("document.querySelector('details').open = true;")
    seen["narrow"] = browser.run(WIDTHS)
    seen["console"] = [entry["message"] for entry in browser.log("browser")]
    seen["requests"] = requests(browser.log("performance"))
    browser.command("Emulation.setScriptExecutionDisabled", value=True)
    browser.post("/url", url=url)
    seen["plain"] = browser.run(SEEN)
    return seen


def main():
    url, folder = sys.argv[1:]
    browser = None
    try:
        browser = Browser(folder)
        json.dump(use(browser, url), sys.stdout)
    finally:
        if browser:
            browser.end()


if __name__ == "__main__":
    main()
