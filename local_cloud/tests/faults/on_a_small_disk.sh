# Usage: on_a_small_disk.sh FOLDER SIZE COMMAND...; in a mount namespace of its own.
set -e
mount -t tmpfs -o "size=$2" tmpfs "$1"
cd "$1"
shift 2
exec "$@"
