#!/bin/bash
# A report of an evaluation of the shipped samples, looked at in a real browser.
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
"$program" eval --agent baseline:doctor --repeat 2 --out results >/dev/null
"$program" eval --agent scripted:hostile --task detection --out hostile-results >/dev/null
"$program" report results hostile-results --html report.html
"$program" report results hostile-results --html again.html
cmp report.html again.html
python3 "$here/report_page.py" "$browser" "$work/report.html" results/summary.json ${pictures:+"$pictures"}
