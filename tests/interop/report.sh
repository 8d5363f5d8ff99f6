#!/bin/bash
# Evaluates the shipped samples with one command that writes a report, and looks at a report in a
# real browser.
#
#   tests/interop/report.sh PROGRAM [PICTURES]
#
# PICTURES is a folder for screenshots and the printed page. Needs python3 and Debian's
# chromium-headless-shell (or chromium); fonts-dejavu-core makes pictures readable.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=$(realpath "${1:?the aiopslab program}")
pictures=${2:+$(realpath -m "$2")}
browser=$(command -v chromium-headless-shell || command -v chromium) || {
    echo "there is no browser: apt-get install chromium-headless-shell"
    exit 1
}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# What an agent says is never more than text.
cat >hostile <<'SCRIPT'
</pre><script>document.title = "taken over"</script><img src="http://192.0.2.1/seen" onerror="document.title='taken over'">
```
exec_shell("kubectl delete pod --all -n hotel-testbed; echo '<b id=taken>bold</b>'")
```
---
```
submit("Yes")
```
SCRIPT
# One command evaluates the three baselines and a language model's agent, and writes the page.
"$program" eval --agent llm:scripted --repeat 2 --out llm-results --html llm.html >/dev/null
"$program" report llm-results --html llm-again.html
cmp llm.html llm-again.html
python3 - llm-results/summary.json llm.html "$(find "$here/../../datasets/samples" -mindepth 1 -maxdepth 1 -type d | wc -l)" <<'PYTHON'
import json
import pathlib
import sys

summary = json.loads(pathlib.Path(sys.argv[1]).read_text())
page, samples = pathlib.Path(sys.argv[2]).read_text(), int(sys.argv[3])
model = "llm:scripted (scripted, no model)"
agents = {model, "baseline:constant", "baseline:random", "baseline:doctor"}


def check(what, holds, found=""):
    if not holds:
        sys.exit(f"not so: {what}: {found}")
    print(f"ok: {what}")


found = {agent["agent"] for agent in summary["agents"]}
check("one command evaluates a model's agent and three baselines", found == agents, found)
check("it does so on all samples", summary["snapshots"] == samples, summary["snapshots"])
asked = [(one["agent"], one["problem"], one["snapshot"], one["repeat"]) for one in summary["episodes"]]
questions = {(problem, snapshot) for _, problem, snapshot, _ in asked}
wanted = {(agent, *question, repeat) for agent in agents for question in questions for repeat in (1, 2)}
check("everybody is asked everything twice", len(asked) == len(wanted) and set(asked) == wanted, len(asked))
broken = [one["folder"] for one in summary["episodes"] if one["end"] != "submitted"]
check("everybody submits", not broken, broken)
title = f"<title>{model} on {samples} snapshots, "
check("the page says whom it is about, and that it is no model", title in page)
check("the page shows every agent", all(agent in page for agent in agents))
PYTHON

# What a reader sees, of an evaluation whose agent looks around.
"$program" eval --agent baseline:doctor --out results >/dev/null
"$program" eval --agent scripted:hostile --task detection --out hostile-results >/dev/null
"$program" report results hostile-results --html report.html
"$program" report results hostile-results --html again.html
cmp report.html again.html
python3 "$here/report_page.py" "$browser" "$work/report.html" results/summary.json ${pictures:+"$pictures"}
