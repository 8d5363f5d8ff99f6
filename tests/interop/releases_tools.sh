#!/usr/bin/env bash
# Releases beside the tools that others open them with: minisign, age, tar, sha256sum.
#   tests/interop/releases_tools.sh AIOPSLAB
# Needs Debian's minisign and age, and python3; some ten seconds.
set -euo pipefail
aiopslab=$(realpath "$1")
cd "$(dirname "$0")/../.."
samples=$PWD/datasets/samples
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

checks=0
fail() { printf 'error: %s\n' "$1"; exit 1; }
check() { "${@:2}" >"$work/out" 2>&1 || { cat "$work/out"; fail "$1"; }; checks=$((checks + 1)); }
refused() { # NAME TEXT COMMAND…
  if "${@:3}" >"$work/out" 2>&1; then fail "$1: was not refused"; fi
  grep -q -- "$2" "$work/out" || { cat "$work/out"; fail "$1: another reason"; }
  checks=$((checks + 1))
}
same() { [ "$2" = "$3" ] || fail "$1: $2 and $3"; checks=$((checks + 1)); }
about=(--name testbed --version 1.0.0 --licence CC-BY-4.0 --citation 'nobody, 2026')

# Digests: every file by sha256sum, the manifest's own by its description.
"$aiopslab" release build "$samples"/{noop_detection_testbed-1,scale_pod_zero_testbed-1} "${about[@]}" --out plain >/dev/null
python3 - plain <<'PYTHON' >sums
import hashlib, json, pathlib, sys
path = pathlib.Path(sys.argv[1], "release.json")
text = path.read_text()
release = json.loads(text)
zeros = text.replace(release["sha256"], "0" * 64)
assert hashlib.sha256(zeros.encode()).hexdigest() == release["sha256"], "the manifest's own digest"
for name, file in release["files"].items():
    print(f"{file['sha256']}  {name}")
PYTHON
check "sha256sum" env -C plain sha256sum --quiet -c ../sums
same "files listed" "$(cut -c 67- sums | LC_ALL=C sort)" "$(cd plain && find . -type f ! -name release.json | cut -c 3- | LC_ALL=C sort)"

# Signatures by minisign.
minisign -G -W -p ours.pub -s ours.key >/dev/null
minisign -G -W -p theirs.pub -s theirs.key >/dev/null
refused "unsigned" 'is not signed' "$aiopslab" release verify plain --release-key ours.pub
minisign -S -s ours.key -m plain/release.json >/dev/null
check "signed, by the key's file" "$aiopslab" release verify plain --release-key ours.pub
check "signed, by the key" "$aiopslab" release verify plain --release-key "$(tail -n 1 ours.pub)"
check "minisign agrees" minisign -Vm plain/release.json -p ours.pub
refused "another key" 'signature of .* does not hold' "$aiopslab" release verify plain --release-key theirs.pub
cp -r plain changed
sed -i 's/nobody, 2026/somebody, 2026/' changed/release.json
refused "changed after signing" 'signature of .* does not hold' "$aiopslab" release verify changed --release-key ours.pub
refused "changed, without a key" 'release.json .*was changed' "$aiopslab" release verify changed

# Tar: ours is read by GNU tar, GNU tar's by us.
"$aiopslab" release pack plain ours.tar
mkdir by-tar && tar -xf ours.tar -C by-tar
check "GNU tar unpacks it" diff -r plain by-tar
same "entries are sorted" "$(tar -tf ours.tar)" "$(tar -tf ours.tar | LC_ALL=C sort)"
same "no owner, no time" "$(tar --utc --full-time -tvf ours.tar | awk '{ print $1, $2, $4, $5 }' | sort -u)" "-rw-r--r-- 0/0 1970-01-01 00:00:00"
tar -cf theirs.tar -C plain .
check "we unpack GNU tar's" "$aiopslab" release unpack theirs.tar unpacked
check "the same files" diff -r plain unpacked
tar -cPf escaping.tar --transform 's,^,../,' sums
refused "a path that leads out" 'which is not that of a file' "$aiopslab" release unpack escaping.tar escaped

# Held-out truth, by age.
age-keygen -o key.txt 2>/dev/null
recipient=$(age-keygen -y key.txt)
age-keygen -o other.txt 2>/dev/null
head -c 32 /dev/urandom >secret
"$aiopslab" release build "$samples"/{noop_detection_testbed-1,container_kill_testbed-1} "${about[@]}" \
  --out locked --held-out --recipient "$recipient" --secret secret >/dev/null
check "audit" "$aiopslab" snapshot audit --held-out locked
for sealed in locked/sealed/*.tar.age; do
  id=$(basename "$sealed" .tar.age)
  age -d -i key.txt "$sealed" >"$id.tar"
  salted=$(python3 -c 'import json, sys; print(json.load(open("locked/release.json"))["snapshots"][sys.argv[1]]["sealed"]["salted_sha256"])' "$id")
  same "salted digest" "$salted" "$(sha256sum <"$id.tar" | cut -d ' ' -f 1)"
  mkdir "$id" && tar -xf "$id.tar" -C "$id"
  family=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["family"])' "$id/withheld/truth.json")
  check "withheld/ of $family" diff -r "$id/withheld" "$samples/$family-1/withheld"
done
check "unlocked by us" "$aiopslab" release unlock locked --identity key.txt --out unlocked
for id in $(ls unlocked/snapshots); do
  check "the same as by age" diff -r "unlocked/snapshots/$id/withheld" "$id/withheld"
  check "the same catalog" diff <(cat "$id"/catalog/*) <(cd unlocked/catalog && cat $(ls "../../$id/catalog"))
done
check "unlocked is sound" "$aiopslab" release verify unlocked
refused "another identity" "can't be decrypted" "$aiopslab" release unlock locked --identity other.txt --out refused
# Encrypted anew by age, for one more: the digest of what is in it is the same.
for id in $(ls unlocked/snapshots); do
  age -r "$recipient" -r "$(age-keygen -y other.txt)" -o "locked/sealed/$id.tar.age" "$id.tar"
done
check "encrypted by age" "$aiopslab" release unlock locked --identity other.txt --out again
check "the same once more" diff -r unlocked again
# Another truth, encrypted for the right person.
printf 'salt' >salt
tar -cf forged.tar salt
age -r "$recipient" -o "locked/sealed/$id.tar.age" forged.tar
refused "another truth" 'holds something else' "$aiopslab" release unlock locked --identity key.txt --out forged

printf 'release tools: %d checks\n' "$checks"
