#!/bin/sh
# Compiles the addon: build.sh COMPILER HEADERS OUTPUT
set -eu
here=$(dirname "$0")
mkdir -p "$(dirname "$3")"
exec "$1" -std=gnu11 -D_GNU_SOURCE -O3 -fPIC -shared -fvisibility=hidden -Wall -Wextra -I"$2" -o "$3" "$here"/*.c
