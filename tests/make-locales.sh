#!/bin/sh
# SPDX-License-Identifier: MIT
# make-locales.sh STAMP: compiles, beside STAMP, the locales that the tests are run in. Where that
# cannot be done, those of the system are used, or the tests are left out.

folder=$(dirname "$1")/locales
mkdir -p "$folder"
for name in de_DE.UTF-8 de_DE.ISO-8859-1 fr_FR.UTF-8 pt_BR.UTF-8 tr_TR.UTF-8; do
  localedef -i "${name%%.*}" -f "${name#*.}" "$folder/$name" 2>/dev/null ||
    echo "$name cannot be compiled here"
done
touch "$1"
