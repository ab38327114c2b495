#!/bin/sh
# Keeps the last seven copies of a folder.
set -eu
source=$1
target=$2
stamp=$(date +%Y%m%d)
mkdir -p "$target"
tar -czf "$target/copy-$stamp.tar.gz" -C "$source" .
ls -1 "$target"/copy-*.tar.gz | sort -r | tail -n +8 | while read -r old; do
    rm -f "$old"
done
