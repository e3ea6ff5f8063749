# Stops one service when the program that started it is gone: its end of the pipe closes, `read` fails.
# $1 process  $2 when it started  $3 signal  $4 tenths of a second until SIGKILL  $5 throw-away folder or nothing
trap '' HUP INT TERM
read -r word
[ "$word" = done ] && exit 0
pid=$1 started=$2 signal=$3 tenths=$4 folder=$5

# Whether the process is there, is the one that was meant, and has not ended.
alive() {
    if [ -r /proc/self/stat ]; then
        { read -r stat < "/proc/$pid/stat"; } 2>/dev/null || return 1
        set -- ${stat##*) }
        [ "$1" != Z ] && [ "$1" != X ] && [ "${20}" = "$started" ]
    else
        set -- $(LC_ALL=C ps -o stat= -o lstart= -p "$pid")
        case $1 in '' | Z*) return 1 ;; esac
        shift
        [ "$*" = "$started" ]
    fi
}

alive && kill -s "$signal" "$pid"
while alive && [ "$tenths" -gt 0 ]; do
    sleep 0.1
    tenths=$((tenths - 1))
done
alive && kill -s KILL "$pid"
while alive; do sleep 0.1; done

# Only a folder that was made to be thrown away carries the mark.
[ -n "$folder" ] && [ -f "$folder/throw-away" ] && rm -rf -- "$folder"
# The record stays: it may be a later start's by now, and one of a process that is gone means nothing.
