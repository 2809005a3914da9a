#!/usr/bin/env bash
# The night's work on a folder: collect, run, verify, generate, run again, stream (Lecture 8).
#
#   nightly.sh FOLDER
#
# reads   FOLDER/inbox/calls/*.jsonl   raw records, as `course pipelines run` reads them
#         FOLDER/inbox/trees/*.jsonl   message trees, with their licence in FOLDER/inbox/trees/LICENCE
#         FOLDER/inbox/logs/*.jsonl    call logs, in the order of their arrival
# writes  FOLDER/out/                  dialogs (a data set), panes.jsonl
#         FOLDER/work/                 what lies between, the stamps, and nightly.log
#
# A step is done again when its command, its inputs or the code have changed, and when what it wrote is not there any
# more as it wrote it: its stamp is named by the digest of the former and holds the digests of the latter. So the night
# can be killed anywhere and started again, and a second night without news does nothing.
set -euo pipefail
shopt -s nullglob

course=${COURSE:-course}
runner=${NIGHTLY_RUNNER:-plain}
workers=${NIGHTLY_WORKERS:-1}
candidates=${NIGHTLY_CANDIDATES:-100}
seed=${NIGHTLY_SEED:-0}
current="the start"
child=""

if [[ $# -ne 1 || ! -d $1 ]]; then
  echo "A folder was expected, and '$*' came. Usage: nightly.sh FOLDER" >&2
  exit 64
fi
code=$(cd "$(dirname "${BASH_SOURCE[0]}")" && cat ./*.py ./*.toml ./*.sh | sha256sum | cut -d ' ' -f 1)
cd "$1"
mkdir -p work/stamps out
log=work/nightly.log

# What was said goes to the log and to whoever looks on; the times are the log's only.
say() {
  printf '%s %s\n' "$(date -u +%FT%TZ)" "$*" >>"$log"
  printf '%s\n' "$*"
}

ended() {
  local status=$?
  if ((status)); then
    say "Stopped at $current with status $status; see $log. The same command goes on from there."
  fi
}

stopped() {
  if [[ -n $child ]]; then
    kill "$child" 2>/dev/null || true
  fi
  exit "$1"
}

# One night at a time. Children inherit the lock: what a killed night has left running ends before another begins.
exec 9>work/lock
if ! flock --timeout "${NIGHTLY_WAIT:-0}" 9; then
  echo "Another night is at work on $PWD. Wait until it has ended, or set NIGHTLY_WAIT to some seconds." >&2
  exit 75
fi
trap ended EXIT
trap 'stopped 130' INT
trap 'stopped 143' TERM
rm -f work/stamps/.fresh-*

# SHA-256 and name of each file that the paths name or hold, in one order.
sums() {
  if (($#)); then
    find "$@" -type f -print0 | LC_ALL=C sort -z | xargs -0 -r sha256sum
  fi
}

is_done() {
  [[ -f $1 ]] && { [[ ! -s $1 ]] || sha256sum --check --status --strict "$1" 2>/dev/null; }
}

# step NAME OUTPUT... -- INPUT... -- COMMAND...
step() {
  local name=$1 outputs=() inputs=() digest stamp fresh
  shift
  while [[ $1 != -- ]]; do
    outputs+=("$1")
    shift
  done
  shift
  while [[ $1 != -- ]]; do
    inputs+=("$1")
    shift
  done
  shift
  current="the step $name"
  digest=$({ printf '%s\0' "$code" "$name" "$@" && sums "${inputs[@]}"; } | sha256sum | cut -d ' ' -f 1)
  stamp=work/stamps/$name-$digest
  if is_done "$stamp"; then
    say "$name: nothing to do"
    return
  fi
  rm -f "work/stamps/$name"-*
  say "$name: starts"
  "$@" >>"$log" 2>&1 &
  child=$!
  wait "$child"
  child=""
  fresh=$(mktemp work/stamps/.fresh-XXXXXX)
  sums "${outputs[@]}" >"$fresh"
  sync "$fresh"
  mv "$fresh" "$stamp"
  say "$name: done"
}

collect_trees() {
  local file licence
  licence=$(head -n 1 inbox/trees/LICENCE 2>/dev/null || true)
  rm -rf work/collected.fresh
  mkdir work/collected.fresh
  for file in inbox/trees/*.jsonl; do
    "$course" pipelines collect message-trees --file "$file" --licence "$licence" -o "work/collected.fresh/${file##*/}"
  done
  rm -rf work/collected
  mv work/collected.fresh work/collected
}

# make_set OUTPUT FILE... ends in the command itself, so that a signal to the step reaches it.
make_set() {
  local output=$1 patterns=() file
  shift
  for file in "$@"; do
    patterns+=(--input "$file")
  done
  exec "$course" pipelines run "${patterns[@]}" --output "$output" --runner "$runner" --workers "$workers"
}

calls=(inbox/calls/*.jsonl)
trees=(inbox/trees/*.jsonl inbox/trees/LICENCE*)
logs=(inbox/logs/*.jsonl)
if ((${#calls[@]} + ${#trees[@]} == 0)); then
  say "Nothing to read in $PWD/inbox. Try 'course pipelines make-raw inbox/calls' and 'make-log inbox/logs/log.jsonl' there."
  exit 66
fi

step collect work/collected -- "${trees[@]}" -- collect_trees
raw=("${calls[@]}" work/collected/*.jsonl)
step run work/first -- "${raw[@]}" -- make_set work/first "${raw[@]}"
step verify -- work/first -- "$course" pipelines verify work/first
step generate work/generated.jsonl -- work/first -- \
  "$course" pipelines generate work/first -o work/generated.jsonl --candidates "$candidates" --seed "$seed"
raw+=(work/generated.jsonl)
step again out/dialogs -- "${raw[@]}" -- make_set out/dialogs "${raw[@]}"
if ((${#logs[@]})); then
  step stream out/panes.jsonl -- "${logs[@]}" -- "$course" pipelines stream "${logs[@]}" -o out/panes.jsonl
else
  rm -f out/panes.jsonl work/stamps/stream-*
  say "stream: no logs in inbox/logs"
fi
say "The night is over: $(find out -type f | wc -l) files in $PWD/out."
