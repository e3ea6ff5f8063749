# Removes one container when the program that started it is gone: its end of the pipe closes, `read` fails.
# $1 engine  $2 container  $3 seconds until it is killed  $4 throw-away folder or nothing
trap '' HUP INT TERM
read -r word
[ "$word" = done ] && exit 0

[ -z "$4" ] && "$1" stop --time "$3" "$2"
"$1" rm --force --volumes "$2"

# Only a folder that was made to be thrown away carries the mark.
[ -n "$4" ] && [ -f "$4/throw-away" ] && rm -rf -- "$4"
