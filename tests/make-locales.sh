#!/bin/sh
# SPDX-License-Identifier: MIT
# make-locales.sh STAMP: compiles, beside STAMP, the locales that the tests are run in. Where that
# cannot be done, those of the system are used, or the tests are left out.

folder=$(dirname "$1")/locales
mkdir -p "$folder"
for name in de_DE tr_TR; do
  localedef -i $name -f UTF-8 "$folder/$name.UTF-8" 2>/dev/null ||
    echo "$name.UTF-8 cannot be compiled here"
done
touch "$1"
