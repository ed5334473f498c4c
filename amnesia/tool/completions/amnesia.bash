# SPDX-License-Identifier: MIT
# bash completion of amnesia(1)

# What `amnesia COMMAND --help` lists, so that nothing has to be kept here.
_amnesia_options ()
{
  LC_ALL=C amnesia "$1" --help 2> /dev/null | grep -oE '^ +(-[a-z], )?--[a-z-]+' | grep -oE -- '-[a-z-]+'
}

_amnesia_commands ()
{
  LC_ALL=C amnesia help 2> /dev/null | sed -n '/^Commands:/,/^$/s/^  \([a-z-]*\) .*/\1/p'
}

# The keys that the value has now; nothing if nobody is there to ask.
_amnesia_keys ()
{
  local arguments=(--keys --timeout 1)

  [[ -n $conf ]] && arguments+=(--conf "$conf")
  amnesia get "${arguments[@]}" 2> /dev/null
}

# Offers the lines of the standard input that begin as the word does.
_amnesia_offer ()
{
  local line

  while IFS= read -r line; do
    [[ $line == "$cur"* ]] && COMPREPLY+=("$(printf '%q' "$line")")
  done
  __ltrim_colon_completions "$cur"
}

# What is on the command line already: sets $conf and $n_arguments of the caller.
_amnesia_read_words ()
{
  local i

  for ((i = 2; i < cword; i++)); do
    case ${words[i]} in
      -c | --conf) conf=${words[++i]} ;;
      --conf=*) conf=${words[i]#--conf=} ;;
      -e | --exec | -t | --timeout | -n | --count) ((++i)) ;;
      -*) ;;
      *) ((++n_arguments)) ;;
    esac
  done
  conf=${conf/#\~\//$HOME/}
}

_amnesia_argument ()
{
  local conf='' n_arguments=0

  _amnesia_read_words
  case $command in
    help) _amnesia_offer < <(_amnesia_commands) ;;
    check-conf) _filedir ;;
    get | set | unset) ((n_arguments > 0)) || _amnesia_offer < <(_amnesia_keys) ;;
    watch) _amnesia_offer < <(_amnesia_keys) ;;
  esac
}

_amnesia ()
{
  local cur prev words cword split command

  _init_completion -s -n : || return
  command=${words[1]}
  if ((cword == 1)); then
    _amnesia_offer < <(_amnesia_commands; printf '%s\n' help --help --version)
    return
  fi

  case $command/$prev in
    */-c | */--conf) _filedir ;;
    watch/-e | watch/--exec) mapfile -t COMPREPLY < <(compgen -c -- "$cur") ;;
    bench/-w | bench/--way) _amnesia_offer < <(printf '%s\n' tcp local) ;;
    */-t | */--timeout | watch/-n | watch/--count | bench/-s | bench/--seconds) ;;
    *)
      if [[ $cur == -* ]]; then
        _amnesia_offer < <(_amnesia_options "$command")
      else
        _amnesia_argument
      fi
      ;;
  esac
}

complete -F _amnesia amnesia
